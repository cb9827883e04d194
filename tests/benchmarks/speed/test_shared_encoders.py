"""The benchmark of shared encoders: both ways give the same seven numbers, and each network goes over the clip once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.speed import shared_encoders
from benchmarks.speed.shared_decode import moving_texture
from eval.clip import Clip
from eval.video import write_clip


def test_both_ways_give_the_same_numbers_and_sharing_passes_once(tmp_path: Path) -> None:
    """150×90: sides that VBench's padders and crops have to round."""
    texture = moving_texture(150, 90)
    with shared_encoders.stand_ins(tmp_path):
        path = tmp_path / "clip.mp4"
        write_clip(Clip(texture.frames_TCHW[:27], texture.fps), path, crf=23)
        ours, theirs = shared_encoders.shared(path), shared_encoders.vbench(path)
    assert (ours.decodes, theirs.decodes) == (1, 7)
    assert set(ours.passes.values()) == {1.0}
    assert ours.values == pytest.approx(theirs.values, abs=1e-4)
    assert all(0 < value <= 1 for value in ours.values.values())
    assert len(set(ours.values.values())) >= 6
