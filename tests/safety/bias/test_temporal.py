"""Means by group as shown, what was stated, and by how much a reader's errors blur them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.correction import from_annotators
from safety.bias.followed import followed
from safety.bias.table import AuditTable
from safety.bias.temporal import shown_means

PRESENTATION = AXES["presentation"]


def test_means_and_gaps_by_hand(make: Any) -> None:
    rows = [
        make.person(f"p{n % 6}", n, ("masculine", "feminine")[n % 2], screen_time=0.4 + 0.2 * (n % 2))
        for n in range(36)
    ]
    clips = make.clips([*rows, make.person("p0", 99, "feminine")])
    found = shown_means(clips, PRESENTATION, "screen_time", clips.neutral, 0.95)
    assert found.means["masculine"].value == pytest.approx(0.4)
    assert found.means["feminine"].value == pytest.approx(0.6)
    (gap,) = found.gaps
    assert gap.estimate.value == pytest.approx(-0.2)
    assert gap.reversed.estimate.value == pytest.approx(0.2)
    assert "a description" in gap.estimate.caveat


def test_people_of_one_clip_share_its_number(make: Any) -> None:
    rows = [make.person("p", 0, "feminine", 0, shot_size=0.2), make.person("p", 0, "masculine", 1, shot_size=0.6)]
    clips = make.clips(
        [*rows, make.person("q", 0, "feminine", shot_size=0.3), make.person("q", 1, "masculine", shot_size=0.1)]
    )
    found = shown_means(clips, PRESENTATION, "shot_size", clips.neutral, 0.95)
    assert found.means["feminine"].value == pytest.approx((0.5 * 0.4 + 0.3) / 1.5)


def test_nobody_of_a_group_and_no_values(make: Any) -> None:
    clips = make.clips([make.person(f"p{n}", 0, "feminine", quality=1.0) for n in range(6)])
    with pytest.raises(NotMeasurable, match="nobody shown as masculine"):
        shown_means(clips, PRESENTATION, "quality", clips.neutral, 0.95)
    with pytest.raises(NotMeasurable, match="no clip has a value for identity"):
        shown_means(clips, PRESENTATION, "identity", clips.neutral, 0.95)


def test_correction_restores_a_gap_that_a_reader_blurs(read_people: Any) -> None:
    """Se + Sp - 1 = 0.7 leaves 0.7 of a gap of 1; the truth of every clip is on the annotators' side."""
    generator, plain, undone = np.random.default_rng(0), [], []
    for _ in range(25):
        table = read_people(generator, 30, 6, 0.5, sensitivity=0.85, specificity=0.85, labelled=1.0)
        truth = (table.frame["annotator_presentation"] == "feminine").to_numpy()
        frame = table.frame.assign(quality=truth + generator.normal(0, 0.3, len(truth)))
        frame["in_validation"] = generator.random(len(frame)) < 0.5
        clips = clips_of(AuditTable(frame))
        correction = from_annotators(clips, PRESENTATION, 5)
        for rows, used in ((plain, None), (undone, correction)):
            found = shown_means(clips, PRESENTATION, "quality", clips.neutral, 0.95, used)
            rows.append(found.gaps[0].reversed.estimate.value)
    assert np.mean(plain) == pytest.approx(0.7, abs=0.05)
    assert np.mean(undone) == pytest.approx(1.0, abs=0.05)


def stating(make: Any, shown: dict[str, tuple[int, int]]) -> Any:
    """Per stated group, so many people shown as stated, of so many; a set has one of each."""
    rows = []
    for stated, (right, of) in shown.items():
        other = "masculine" if stated == "feminine" else "feminine"
        for n in range(of):
            label = stated if n < right else other
            rows.append(make.person(f"{stated} {n}", 0, label, counterfactual_set=f"s{n}", stated_presentation=stated))
    return make.clips(rows)


def test_shown_as_stated_by_group_and_their_gap(make: Any) -> None:
    found = followed(stating(make, {"feminine": (24, 30), "masculine": (30, 30)}), PRESENTATION, 0.95)
    assert found.shown["feminine"].value == pytest.approx(0.8)
    assert found.shown["masculine"].value == 1.0
    (gap,) = found.gaps
    assert gap.estimate.value == pytest.approx(0.2)
    assert gap.estimate.low > 0
    assert found.shown["masculine"].low < 0.95


def test_nobody_stated_anything_or_one_group_only(make: Any) -> None:
    with pytest.raises(NotMeasurable, match="no prompt states presentation"):
        followed(make.clips(make.shown([(3, 3)])), PRESENTATION, 0.95)
    assert followed(stating(make, {"feminine": (8, 10)}), PRESENTATION, 0.95).gaps == ()
