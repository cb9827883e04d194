"""The ledger: every clip asked for is in it, and bounds hold whatever the lost ones were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.ledger import bounds, labelled_differs, ledger

PRESENTATION = AXES["presentation"]


def lossy(make: Any) -> Any:
    rows = [{**row, "role": "nurse"} for row in make.shown([(6, 2)])]
    lost = [
        make.person("p1", 0, "unknown", role="judge"),
        make.without_person("p1", 1, role="judge"),
        make.without_person("p1", 2, "failed clip", role="judge"),
        make.without_person("p1", 3, "missing", role="judge"),
        make.person("p1", 4, "masculine", 0, role="judge"),
        make.person("p1", 4, "unknown", 1, role="judge"),
    ]
    return make.clips([*rows, *lost])


def test_counts_add_up_to_what_was_asked(make: Any) -> None:
    found = ledger(lossy(make), PRESENTATION, np.ones(13, bool), 1.0, 0.95)
    every = found.all
    assert (every.asked, every.told, every.unknown) == (13, 8.5, 1.5)
    assert (every.nobody, every.failed, every.missing) == (1, 1, 1)
    assert every.told + every.unknown + every.nobody + every.failed + every.missing == every.asked
    nurse, judge = found.by_role
    assert (nurse.about, nurse.untold_share) == ("nurse", 0.0)
    assert judge.untold_share == pytest.approx(0.9)


def test_bounds_are_none_or_all_of_the_lost(make: Any) -> None:
    masculine, feminine = bounds(lossy(make), PRESENTATION, np.ones(13, bool), 1.0, 0.95)
    assert feminine.told == pytest.approx(6 / 8.5)
    assert (feminine.lowest, feminine.highest) == pytest.approx((6 / 13, 10.5 / 13))
    assert masculine.lowest + feminine.highest == pytest.approx(1)
    assert feminine.low < feminine.lowest < feminine.highest < feminine.high
    wider = bounds(lossy(make), PRESENTATION, np.ones(13, bool), 3.0, 0.95)[1]
    assert wider.low < feminine.low


def test_bounds_hold_whatever_the_lost_were(make: Any) -> None:
    generator = np.random.default_rng(0)
    for _ in range(12):
        truth = generator.random(40) < 0.4
        lost = generator.random(40) < np.where(truth, 0.6, 0.1)
        rows = [
            make.without_person("p", n) if gone else make.person("p", n, "feminine" if true else "masculine")
            for n, (true, gone) in enumerate(zip(truth, lost, strict=True))
        ]
        feminine = bounds(make.clips(rows), PRESENTATION, np.ones(40, bool), 1.0, 0.95)[1]
        assert feminine.lowest <= truth.mean() <= feminine.highest


def test_labels_that_were_not_drawn_at_random_are_noticed(read_people: Any) -> None:
    table = read_people(np.random.default_rng(1), 30, 6, 0.4, labelled=0.5)
    assert labelled_differs(clips_of(table), PRESENTATION) > 0.01
    frame = table.frame.copy()
    chosen = frame["in_validation"] & (frame["presentation"] == "masculine")
    frame.loc[chosen, "in_validation"] = False
    frame.loc[chosen, "annotator_presentation"] = None
    assert labelled_differs(clips_of(type(table)(frame)), PRESENTATION) < 1e-6
    assert labelled_differs(clips_of(table), AXES["age"]) is None
