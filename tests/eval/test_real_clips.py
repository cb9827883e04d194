"""The metrics on outputs of public generators, where a checkout has them beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.findings import findings
from eval.metric import METRICS
from eval.planner import ClipScores, score_clip
from eval.video import open_clip

MEDIA = Path(__file__).parents[3] / "shared" / "media"
pytestmark = pytest.mark.skipif(not MEDIA.is_dir(), reason="real clips are not here: ../shared/media is missing")

CLEAN = ("cat-wand-a.mp4", "cat-wand-b.mp4", "ltx2-couple.mp4", "lemons.gif")


@pytest.fixture(scope="module")
def scored() -> dict[str, ClipScores]:
    names = (*CLEAN, "kandinsky5-failed.mp4", "wan-flat-color.mp4")
    return {name: score_clip(open_clip(MEDIA / name), list(METRICS)) for name in names}


def value(scores: ClipScores, metric: str) -> float:
    (only,) = [score.value for score in scores.scores if score.metric == metric]
    assert only is not None
    return only


def alarms(scores: ClipScores) -> list[tuple[str, str]]:
    assert scores.facts is not None
    found = findings(scores.info, scores.facts, scores.scores)
    return [(finding.severity, finding.metric) for finding in found if finding.severity != "note"]


def test_temporal_flickering_is_vbenchs(scored: dict[str, ClipScores]) -> None:
    assert value(scored["ltx2-couple.mp4"], "temporal_flickering") == pytest.approx(0.97943, abs=1e-4)


def test_the_failed_generation_stands_out(scored: dict[str, ClipScores]) -> None:
    assert alarms(scored["kandinsky5-failed.mp4"]) == [("failed", "structure")]
    worst_other = min(value(scores, "structure") for name, scores in scored.items() if "failed" not in name)
    assert value(scored["kandinsky5-failed.mp4"], "structure") < worst_other / 4


def test_the_nearly_still_drawing_is_called_so(scored: dict[str, ClipScores]) -> None:
    assert alarms(scored["wan-flat-color.mp4"]) == [("warning", "motion_magnitude")]
    assert min(scored, key=lambda name: value(scored[name], "motion_magnitude")) == "wan-flat-color.mp4"


@pytest.mark.parametrize("name", CLEAN)
def test_the_others_raise_no_alarm(scored: dict[str, ClipScores], name: str) -> None:
    assert alarms(scored[name]) == []


def test_more_motion_and_more_blur_are_seen(scored: dict[str, ClipScores]) -> None:
    a, b = scored["cat-wand-a.mp4"], scored["cat-wand-b.mp4"]
    assert value(b, "sharpness") < value(a, "sharpness")


def test_speech_is_in_time_with_the_lips_rather_than_not(scored: dict[str, ClipScores]) -> None:
    assert value(scored["ltx2-couple.mp4"], "onset_synchrony") > 0
