"""Undoing the reader's errors: known inverses, the field notes' numbers, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.correction import (
    as_read,
    from_annotators,
    from_card,
    from_labels,
    label_counts,
    on_simplex,
    rogan_gladen,
)
from safety.bias.estimate import TooFew
from safety.bias.shares import Shares, labelled_shares, read_shares
from safety.bias.table import AuditTable

PRESENTATION, TONE = AXES["presentation"], AXES["skin_tone"]


def test_known_confusion_and_shares_are_undone_exactly() -> None:
    """Three groups and `everything else`; the last is told of the dark group most often."""
    confusion_YX = np.array([[0.8, 0.1, 0.0, 0.1], [0.1, 0.7, 0.15, 0.05], [0.0, 0.1, 0.6, 0.3]])
    truth_K = np.array([0.5, 0.3, 0.2])
    said_X = truth_K @ confusion_YX
    correction = from_card(TONE, np.vstack([confusion_YX * 1000, np.zeros(4)]), clusters=1, strata=1, minimum=10)
    (found,) = correction.totals(said_X[None, None, :, None] * 200, clusters=1)
    np.testing.assert_allclose(found.value_K / 200, truth_K, atol=1e-9)


def test_the_simplex_is_the_nearest_and_leaves_shares_alone() -> None:
    np.testing.assert_allclose(on_simplex(np.array([0.2, 0.3, 0.5])), [0.2, 0.3, 0.5])
    np.testing.assert_allclose(on_simplex(np.array([1.2, -0.1, -0.1])), [1, 0, 0])
    np.testing.assert_allclose(on_simplex(np.array([[0.7, 0.5, -0.2]])), [[0.6, 0.4, 0.0]])
    generator = np.random.default_rng(0)
    raw, near = generator.normal(size=5), generator.dirichlet(np.ones(5), 2000)
    ours = on_simplex(raw)
    assert ours.sum() == pytest.approx(1)
    assert ((near - raw) ** 2).sum(axis=1).min() >= ((ours - raw) ** 2).sum() - 1e-12


def test_rogan_gladen_on_paper() -> None:
    """Se 0.9, Sp 0.8, said 0.41: (0.41 + 0.8 - 1) / 0.7 = 0.3. The interval by hand, equations 6 to 17 of the paper."""
    found = rogan_gladen(0.41, 400, (90, 100), (160, 200), 0.95)
    assert found.value == pytest.approx(0.3)
    z = 1.959964
    se, sp = 91 / 102, 161 / 202
    apparent = (400 * 0.41 + z * z / 2) / (400 + z * z)
    centre = (apparent + sp - 1) / (se + sp - 1)
    shift = 2 * z * z * (centre * se * (1 - se) / 102 - (1 - centre) * sp * (1 - sp) / 202)
    spread = np.sqrt(
        apparent * (1 - apparent) / (400 + z * z)
        + centre**2 * se * (1 - se) / 102
        + (1 - centre) ** 2 * sp * (1 - sp) / 202
    ) / (se + sp - 1)
    assert (found.low, found.high) == pytest.approx(
        (centre + shift - z * spread, centre + shift + z * spread), abs=1e-6
    )
    with pytest.raises(NotMeasurable, match=r"Se \+ Sp - 1 is 0.10"):
        rogan_gladen(0.4, 400, (60, 100), (50, 100), 0.95)


def test_rogan_gladen_covers_where_the_naive_share_never_does() -> None:
    """400 clips, 0.30 true, Se 0.95, Sp 0.80: the naive share is 0.125 too high, and never right."""
    generator, repeats = np.random.default_rng(1), 1500
    said = generator.binomial(400, 0.3 * 0.95 + 0.7 * 0.2, repeats) / 400
    right, rejected = generator.binomial(100, 0.95, repeats), generator.binomial(100, 0.8, repeats)
    found = [rogan_gladen(q, 400, (a, 100), (b, 100), 0.95) for q, a, b in zip(said, right, rejected, strict=True)]
    inside = np.mean([one.low <= 0.3 <= one.high for one in found])
    assert np.mean(said) - 0.3 == pytest.approx(0.125, abs=0.003)
    assert np.mean([one.value for one in found]) == pytest.approx(0.3, abs=0.005)
    assert 0.93 < inside < 0.99


def test_labels_are_counted_by_prompt_stratum_truth_and_reading(make: Any) -> None:
    def row(seed: int, said: str, true: str | None, stratum: str = "day") -> dict[str, Any]:
        drawn = true is not None
        return make.person("p", seed, said, annotator_presentation=true, in_validation=drawn, stratum=stratum)

    nobody = make.without_person("p", 9, annotator_presentation="feminine", in_validation=True, stratum="day")
    rows = [row(0, "feminine", "masculine"), row(1, "unknown", "feminine"), row(2, "feminine", None), nobody]
    counts = label_counts(make.clips([*rows, row(3, "masculine", "masculine", "night")]), PRESENTATION)
    assert counts.shape == (1, 2, 3, 3)
    np.testing.assert_allclose(counts[0, 0], [[0, 1, 0], [0, 0, 2], [0, 0, 0]])
    np.testing.assert_allclose(counts[0, 1], [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_what_is_refused_says_which_group_and_why(make: Any) -> None:
    with pytest.raises(NotMeasurable, match="no clip has an annotator's label for presentation"):
        from_annotators(make.clips(make.shown([(3, 3)])), PRESENTATION, 10)
    counts = np.zeros((1, 1, 3, 3))
    counts[0, 0, 0, 0], counts[0, 0, 1, 1] = 30, 4
    with pytest.raises(TooFew, match="4 labelled clips show presentation 'feminine'"):
        from_labels(PRESENTATION, counts, ("",), 10)
    counts[0, 0, :2, :2] = [[16, 14], [14, 16]]
    with pytest.raises(NotMeasurable, match="hardly tells the groups of presentation apart"):
        from_labels(PRESENTATION, counts, ("",), 10)


def test_too_few_labels_in_a_stratum_fall_back_with_a_note(read_people: Any) -> None:
    table = read_people(np.random.default_rng(2), 20, 6, 0.5, sensitivity=0.9, specificity=0.9, labelled=0.8)
    night = (table.frame["seed"] == 5) & (table.frame["prompt_id"] < "p11")
    strata = table.frame.assign(stratum=np.where(night, "night", "day"))
    clips = clips_of(AuditTable(strata))
    found = from_annotators(clips, PRESENTATION, 10)
    assert found.uneven
    assert "one correction for all strata, because" in found.note
    assert "'night'" in found.note
    np.testing.assert_allclose(found.confusion_SYX[0], found.confusion_SYX[1])
    with pytest.raises(NotMeasurable, match="skew of presentation needs a correction of its own for every stratum"):
        found.require_even("skew of presentation")
    apart = from_annotators(clips_of(table), PRESENTATION, 10)
    both = [read_shares(clips, PRESENTATION, clips.neutral, one).share_K for one in (found, apart)]
    np.testing.assert_allclose(both[0], both[1])


def test_influences_of_labels_agree_with_leaving_prompts_out(read_people: Any) -> None:
    """Readings and labels of one prompt go together: the jackknife over prompts is the independent reference."""
    frame = read_people(np.random.default_rng(3), 60, 5, 0.35, 0.1, 0.85, 0.9, labelled=0.5).frame

    def corrected(some: pd.DataFrame) -> Shares:
        clips = clips_of(AuditTable(some))
        return read_shares(clips, PRESENTATION, clips.neutral, from_annotators(clips, PRESENTATION, 5))

    without = [corrected(frame[frame["prompt_id"] != f"p{p}"]).quantities.value_K[1] for p in range(60)]
    jackknife = np.sqrt(59 / 60 * ((without - np.mean(without)) ** 2).sum())
    assert corrected(frame).quantities.error[1] == pytest.approx(jackknife, rel=0.06)


def runs(read_people: Any, repeats: int, **world: Any) -> dict[str, np.ndarray]:
    """Shares by every method over many audits of one world: rows of (value, low, high) of the feminine share."""
    generator = np.random.default_rng(4)
    found: dict[str, list[tuple[float, float, float]]] = {"as read": [], "corrected": [], "labels and readings": []}
    for _ in range(repeats):
        clips = clips_of(read_people(generator, labelled=0.4, **world))
        keep = clips.neutral
        correction = from_annotators(clips, PRESENTATION, 5)
        shares = (
            read_shares(clips, PRESENTATION, keep),
            read_shares(clips, PRESENTATION, keep, correction),
            labelled_shares(clips, PRESENTATION, keep),
        )
        for one in shares:
            estimate = one.estimates(0.95)["feminine"]
            assert estimate.value is not None
            assert estimate.low is not None
            assert estimate.high is not None
            found[one.method].append((estimate.value, estimate.low, estimate.high))
    return {method: np.array(rows) for method, rows in found.items()}


def test_both_corrections_find_the_truth_that_the_reader_hides(read_people: Any) -> None:
    """0.3 feminine, of whom 0.7 are read as such: the reader says 0.21, never right; both corrections cover."""
    world = {"prompts": 25, "clips": 8, "share": 0.3, "correlation": 0.1, "sensitivity": 0.7, "specificity": 1.0}
    found = runs(read_people, 120, **world)
    covered = {method: ((rows[:, 1] <= 0.3) & (rows[:, 2] >= 0.3)).mean() for method, rows in found.items()}
    bias = {method: rows[:, 0].mean() - 0.3 for method, rows in found.items()}
    assert bias["as read"] == pytest.approx(-0.09, abs=0.02)
    assert covered["as read"] < 0.6
    for method in ("corrected", "labels and readings"):
        assert abs(bias[method]) < 0.02
        assert covered[method] > 0.9


def test_no_correction_leaves_what_is_said(make: Any) -> None:
    clips = make.clips(make.shown([(3, 1), (2, 2)]))
    plain = as_read(PRESENTATION, len(clips.clusters), 1)
    first, second = (read_shares(clips, PRESENTATION, clips.neutral, one) for one in (None, plain))
    np.testing.assert_allclose(first.share_K, second.share_K)
    assert (first.method, second.method) == ("as read", "corrected")
    assert first.share_K[1] == pytest.approx(5 / 8)


def test_a_card_from_elsewhere_is_noted_and_widens_the_interval(read_people: Any) -> None:
    clips = clips_of(read_people(np.random.default_rng(5), 30, 6, 0.4, sensitivity=0.9, specificity=0.9))
    sizes = {}
    for labels in (40, 4000):
        counts_XX = labels * np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0, 0, 0]])
        correction = from_card(PRESENTATION, counts_XX, len(clips.clusters), 1, 10)
        shares = read_shares(clips, PRESENTATION, clips.neutral, correction)
        assert "valid only if the reader errs here as it did there" in shares.caveat
        low_K, high_K = shares.intervals(0.95)
        assert low_K[1] < 0.4 < high_K[1]
        sizes[labels] = high_K[1] - low_K[1]
    assert sizes[40] > 1.1 * sizes[4000]
