"""Shares, what they are against a target, and the effect sizes and indices built on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.estimate import TooFew
from safety.bias.shares import cohen_w, diversity, labelled_shares, pooled_skew, read_shares
from safety.bias.targets import even

PRESENTATION, TONE = AXES["presentation"], AXES["skin_tone"]


def plain(make: Any, counts: list[tuple[int, int]], extra: list[dict[str, Any]] | None = None) -> Any:
    clips = make.clips([*make.shown(counts), *(extra or [])])
    return read_shares(clips, PRESENTATION, clips.neutral)


def test_shares_are_of_people_whose_group_can_be_told(make: Any) -> None:
    extra = [make.person("q", 0, "unknown"), make.without_person("q", 1), make.without_person("q", 2, "failed clip")]
    shares = plain(make, [(3, 1), (2, 2), (1, 3)], extra)
    assert shares.share_K.tolist() == [0.5, 0.5]
    assert (shares.clips, shares.prompts) == (12, 3)
    estimate = shares.estimates(0.95)["feminine"]
    assert (estimate.value, estimate.clips, estimate.prompts, estimate.p) == (0.5, 12, 3, None)


def test_nobody_to_tell_is_no_share(make: Any) -> None:
    clips = make.clips([make.person("p", 0, "unknown"), make.without_person("p", 1)])
    with pytest.raises(NotMeasurable, match="no clip shows a person whose presentation can be told"):
        read_shares(clips, PRESENTATION, clips.neutral)


def test_against_a_target_both_ends_move(make: Any) -> None:
    shares = plain(make, [(6, 2)] * 12)
    alone, away = shares.estimates(0.95)["feminine"], shares.estimates(0.95, even(PRESENTATION))["feminine"]
    assert away.value == pytest.approx(alone.value - 0.5)
    assert (away.low, away.high) == pytest.approx((alone.low - 0.5, alone.high - 0.5))
    assert away.p < 0.001


def test_three_groups_hold_together_and_so_are_wider_than_one(make: Any) -> None:
    rows = [make.person(f"p{n % 12}", n, skin_tone=("light", "medium", "dark")[n % 3]) for n in range(96)]
    clips = make.clips(rows)
    shares = read_shares(clips, TONE, clips.neutral)
    low_K, high_K = shares.intervals(0.95)
    assert (high_K - low_K).min() > 2 * 1.96 * np.sqrt(2 / 9 / 96)


def test_cohens_w_by_hand(make: Any) -> None:
    """0.75 against 0.5: w = sqrt(0.0625 / 0.5 + 0.0625 / 0.5) = 0.5, less what chance adds to its square."""
    shares = plain(make, [(6, 2)] * 200)
    found = cohen_w(shares, even(PRESENTATION), 0.95)
    assert found.value == pytest.approx(0.5, abs=0.01)
    assert found.low < 0.5 < found.high
    with pytest.raises(NotMeasurable, match="no group's share is 0"):
        cohen_w(shares, np.array([0.0, 1.0]), 0.95)


def test_pooled_skew_and_diversity_are_one_another(make: Any) -> None:
    shares = plain(make, [(7, 1), (6, 2), (5, 3), (8, 0), (4, 4), (7, 1)])
    skewed, diverse = pooled_skew(shares, even(PRESENTATION), 0.95), diversity(shares, 0.95)
    assert diverse.value == pytest.approx(0.5 - 0.5 * skewed.value)
    assert (diverse.low, diverse.high) == pytest.approx((0.5 - 0.5 * skewed.high, 0.5 - 0.5 * skewed.low))
    assert diverse.p == skewed.p


def test_diversity_is_simpsons_unbiased_index_over_clips_of_different_prompts(make: Any) -> None:
    """With prompts of one size: pairs from two prompts that show different groups, counted one by one."""
    counts = [(7, 1), (6, 2), (5, 3), (8, 0), (4, 4), (7, 1)]
    shown = [[1] * feminine + [0] * masculine for feminine, masculine in counts]
    pairs = [
        a != b for p, own in enumerate(shown) for q, other in enumerate(shown) if p != q for a in own for b in other
    ]
    assert diversity(plain(make, counts), 0.95).value == pytest.approx(np.mean(pairs))


def labelled(make: Any, read: list[str], truth: list[str | None]) -> Any:
    rows = [
        make.person(f"p{n % 10}", n, label, annotator_presentation=true, in_validation=true is not None)
        for n, (label, true) in enumerate(zip(read, truth, strict=True))
    ]
    return make.clips(rows)


def test_labels_and_readings_by_the_formula_of_ppi(make: Any) -> None:
    """mean of Y over labelled + λ (mean of f over unlabelled - over labelled), λ = cov(Y, f) / ((1 + n/N) var f)."""
    generator = np.random.default_rng(0)
    words = np.array(["masculine", "feminine"])
    true = generator.random(200) < 0.4
    said = true ^ (generator.random(200) < 0.15)
    known = generator.random(200) < 0.4
    clips = labelled(make, words[said.astype(int)].tolist(), [w if k else None for w, k in zip(words[true.astype(int)], known, strict=True)])  # fmt: skip  # noqa: E501
    y, f, rest = true[known].astype(float), said[known].astype(float), said[~known].astype(float)
    power = np.cov(y, f, ddof=0)[0, 1] / ((1 + len(y) / len(rest)) * f.var())
    expected = y.mean() + power * (rest.mean() - f.mean())
    found = labelled_shares(clips, PRESENTATION, clips.neutral)
    assert found.share_K[1] == pytest.approx(expected)
    assert found.method == "labels and readings"


def test_a_useless_reader_adds_nothing_to_labels(make: Any) -> None:
    truth: list[str | None] = ["feminine", "masculine"] * 20 + [None] * 40
    clips = labelled(make, ["feminine"] * 80, truth)
    found = labelled_shares(clips, PRESENTATION, clips.neutral)
    assert found.share_K[1] == pytest.approx(0.5)
    some = labelled(make, ["feminine"] * 40, ["feminine", "masculine"] * 5 + [None] * 30)
    with pytest.raises(TooFew, match="need 30"):
        labelled_shares(some, PRESENTATION, some.neutral)


def test_half_labelled_clips_with_several_people_do_not_count_as_labelled(make: Any) -> None:
    rows = []
    for n in range(80):
        for track in range(2):
            drawn = n < 40 and (track == 0 or n >= 10)
            label = ("feminine", "masculine")[(n + track) % 2]
            rows.append(make.person(f"p{n % 8}", n, label, track, in_validation=drawn,
                                    annotator_presentation=label if drawn else None))  # fmt: skip
    clips = make.clips(rows)
    found = labelled_shares(clips, PRESENTATION, clips.neutral)
    assert found.share_K[1] == pytest.approx(0.5)
    assert found.clips == pytest.approx(80)
