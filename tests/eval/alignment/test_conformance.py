"""Conformance: nothing asked is nothing measured, and each part is judged by itself."""

from __future__ import annotations

from typing import Any

import pytest

from eval.case import Asked, Case

NAMES = ("asked_fps", "asked_size", "asked_duration", "asked_sound")


def test_nothing_asked_is_skipped(made: Any, score: Any) -> None:
    for name in NAMES:
        for case in (None, Case(id="a")):
            row = score(name, made.still(), case=case)
            assert row.status == "skipped"
            assert "asked for" in row.reason


def test_each_part_alone(made: Any, score: Any) -> None:
    clip = made.still(size=64, frames=16, fps=8)
    wide = Case(id="a", asked=Asked(width=128))
    assert score("asked_size", clip, case=wide).value == 0.5
    assert score("asked_fps", clip, case=wide).status == "skipped"
    both = Case(id="a", asked=Asked(width=128, height=16))
    assert score("asked_size", clip, case=both).value == 0.25
    silent = Case(id="a", asked=Asked(sound=False))
    assert score("asked_sound", clip, case=silent).value == 1


def test_a_frame_more_or_less_is_no_difference(made: Any, score: Any) -> None:
    case = Case(id="a", asked=Asked(duration_s=2.0))
    assert score("asked_duration", made.still(frames=17), case=case).value == 1
    assert score("asked_duration", made.still(frames=20), case=case).value == pytest.approx(0.8)
