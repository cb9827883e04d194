"""Messages: text and back, and the exact null of agreement."""

import numpy as np
import pytest
from scipy.stats import kstest

from eval.marks.bits import match_p_value, message_text, parse_message, random_message
from eval.marks.mark import MarkError


@pytest.mark.parametrize("bits", [1, 7, 16, 32, 96])
def test_text_and_back(bits: int) -> None:
    for seed in (-3, 0, 5):
        message = random_message(bits, seed)
        assert np.array_equal(parse_message(message_text(message), bits), message)


def test_text_is_first_bit_first() -> None:
    assert message_text(np.array([1, 0, 0, 0, 1, 1, 1, 1, 1], np.uint8)) == "8f8"
    assert parse_message("0x8F8", 9).tolist() == [1, 0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("text", ["", "123", "1234567g", "123456789", "0x"])
def test_text_of_another_length_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(MarkError, match="32 bits are 8 hexadecimal digits") as caught:
        parse_message(text, 32)
    assert "\n" not in str(caught.value)


def test_bits_beyond_the_length_are_refused() -> None:
    with pytest.raises(MarkError, match="more than 9 bits"):
        parse_message("8f9", 9)


def test_smallest_number_of_matches_of_the_field_notes() -> None:
    for bits, at_1e2, at_1e3, at_1e6 in [(32, 24, 26, 30), (64, 42, 45, 51), (96, 60, 64, 72), (256, 148, 154, 167)]:
        for count, rate in [(at_1e2, 1e-2), (at_1e3, 1e-3), (at_1e6, 1e-6)]:
            assert match_p_value(count, bits) <= rate < match_p_value(count - 1, bits)
    assert match_p_value(16, 16) > 1e-6


def test_searching_multiplies_and_stops_at_one() -> None:
    assert match_p_value(30, 32, searched=50) == pytest.approx(50 * match_p_value(30, 32))
    assert match_p_value(0, 32, searched=50) == 1.0


def test_null_is_uniform_when_the_message_is_random() -> None:
    """Whatever was decoded (here: all zeros), a random message per trial gives valid p-values; randomised, uniform."""
    random = np.random.default_rng(0)
    counts = np.array([32 - int(random_message(32, seed).sum()) for seed in range(4000)])
    above = np.array([match_p_value(int(k) + 1, 32) if k < 32 else 0.0 for k in counts])
    reached = np.array([match_p_value(int(k), 32) for k in counts])
    assert kstest(above + random.random(len(counts)) * (reached - above), "uniform").pvalue > 1e-3
