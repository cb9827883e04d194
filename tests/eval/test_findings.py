"""Findings: what is wrong is said, the gravest first, and ordinary clips are left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eval.case import Asked, Case
from eval.clip import Clip, MemorySource, StreamFacts
from eval.findings import Finding, findings
from eval.metric import METRICS
from eval.planner import score_clip


def found(clip: Clip, case: Case | None = None) -> tuple[Finding, ...]:
    scored = score_clip(MemorySource(clip), list(METRICS), case=case)
    assert scored.facts is not None
    return findings(scored.info, scored.facts, scored.scores)


def told(clip: Clip, metric: str, case: Case | None = None) -> Finding:
    (only,) = [finding for finding in found(clip, case) if finding.metric == metric]
    return only


def sounding(made: Any, audio_CN: np.ndarray) -> Clip:
    return Clip(made.bounce().frames_TCHW, 24, audio_CN, 16_000)


def test_an_ordinary_clip_is_left_alone(made: Any) -> None:
    assert [f for f in found(made.bounce(size=128)) if f.severity != "note"] == []


def test_noise_and_flat_colour_are_failed(made: Any) -> None:
    noise = found(made.noise(size=128))
    assert noise[0].severity == "failed"
    assert "noise or haze without content" in noise[0].sentence
    assert "one flat colour" in told(made.still(), "structure").sentence


def test_a_freeze_and_hardly_any_motion(made: Any) -> None:
    ball = made.bounce(size=128)
    frozen = Clip(np.repeat(ball.frames_TCHW[:1], 96, axis=0), 24)
    assert told(frozen, "frozen_frames") == Finding(
        "failed", "frozen: nothing changes in 100% of the time", "frozen_frames"
    )
    half = ball.frames_TCHW.copy()
    half[48:] = half[48]
    assert told(Clip(half, 24), "frozen_frames").severity == "warning"
    assert "nearly still" in told(made.pan(0.01, size=128), "motion_magnitude").sentence


def test_padding_names_the_real_rate(made: Any) -> None:
    padded = Clip(np.repeat(made.pan(0.3, fps=8, seconds=4.0).frames_TCHW, 3, axis=0), 24)
    finding = told(padded, "duplicated_frames")
    assert finding.severity == "warning"
    assert "real rate is about 7.8 fps" in finding.sentence


def test_light_and_blocks(made: Any) -> None:
    frames = made.bounce(size=128).frames_TCHW
    assert "very dark" in told(Clip(frames // 16, 24), "exposure").sentence
    assert "very bright" in told(Clip(245 + frames // 32, 24), "exposure").sentence
    blocks = np.kron(frames[:, :, ::8, ::8], np.ones((1, 1, 8, 8), np.uint8))
    assert "8×8 grid" in told(Clip(blocks, 24), "blockiness").sentence


def test_sound(made: Any) -> None:
    assert Finding("note", "no sound track") in found(made.pan())
    assert "silent" in told(sounding(made, np.zeros((1, 64_000), np.float32)), "silence").sentence
    assert "cut off" in told(sounding(made, made.sine(100, 3.0, 4.0)), "clipping").sentence
    assert "very quiet" in told(sounding(made, made.sine(1000, 0.003, 4.0)), "loudness").sentence


def test_what_was_asked_for(made: Any) -> None:
    case = Case(id="a", asked=Asked(width=128, fps=16, duration_s=2.0, sound=True))
    sentences = [finding.sentence for finding in found(made.pan(), case) if finding.metric.startswith("asked")]
    assert len(sentences) == 3
    assert any("it has 64×64" in sentence for sentence in sentences)
    assert any("it has 8 fps" in sentence for sentence in sentences)


def test_the_file_and_the_order(made: Any) -> None:
    info = replace(MemorySource(made.still()).info, notes=("rotated by 90°",))
    scores = score_clip(MemorySource(made.still()), list(METRICS)).scores
    said = findings(info, StreamFacts(16, "all-zero", ("one frame was damaged", "rotated by 90°")), scores)
    severities = [finding.severity for finding in said]
    assert severities == sorted(severities, key=("failed", "warning", "note").index)
    assert [f.sentence for f in said if f.sentence == "rotated by 90°"] == ["rotated by 90°"]
    assert any("timestamps are all-zero" in f.sentence for f in said if f.severity == "warning")
    assert Finding("note", "the frame rate varies") in findings(info, StreamFacts(16, "variable"), scores)
    assert any("single frame" in f.sentence for f in findings(info, StreamFacts(1, "regular"), ()))


@pytest.mark.parametrize("metric", ["structure", "frozen_frames", "motion_magnitude"])
def test_missing_scores_say_nothing(made: Any, metric: str) -> None:
    info = MemorySource(made.still()).info
    assert all(finding.metric != metric for finding in findings(info, StreamFacts(16, "regular"), ()))
