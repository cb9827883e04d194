"""Over-dispersion under a fixed key: fair coins pass, leaning and correlated decoders are caught."""

from __future__ import annotations

import numpy as np
import pytest

from safety.watermark.dispersion import dispersion, one_of_each


def test_fair_bits_pass() -> None:
    coins = np.random.default_rng(0).integers(0, 2, (60, 32), dtype=np.uint8)
    found = dispersion(coins, 1e-3, 0)
    assert found is not None
    assert found.p > 0.05
    assert found.inflation == pytest.approx(found.inflation_fair, rel=0.15)
    assert found.worst_alarms < 0.05


def test_bits_that_lean_are_caught() -> None:
    leaning = (np.random.default_rng(1).random((60, 32)) < 0.75).astype(np.uint8)
    found = dispersion(leaning, 1e-3, 0)
    assert found.p < 0.01
    assert found.bias == pytest.approx(0.25, abs=0.03)


def test_bits_that_go_together_are_caught_though_each_is_fair() -> None:
    """As an under-trained extractor's: 8 coins, each in 4 bits."""
    coins = np.random.default_rng(2).integers(0, 2, (200, 8), dtype=np.uint8)
    found = dispersion(np.repeat(coins, 4, axis=1), 1e-2, 0)
    assert found.p < 0.01
    assert found.bias < 0.05
    assert found.correlation > 2 * found.correlation_fair
    assert found.inflation > 1.5 * found.inflation_fair
    assert found.worst_alarms > 0.02


def test_one_reading_of_each_file() -> None:
    bits = np.arange(8, dtype=np.uint8).reshape(4, 2)
    assert one_of_each(bits, ["a", "b", "a", "c"]).tolist() == [[0, 1], [2, 3], [6, 7]]
    assert dispersion(bits, 1e-3, 0) is None
