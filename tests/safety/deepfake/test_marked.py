"""Marks and detection: a mark on one side gives that side away, on both sides it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from eval.clip import Clip
from eval.marks.mark import Bits, MarkError
from safety.deepfake.canonical import Form
from safety.deepfake.controls import plant
from safety.deepfake.marked import Marking, mark_controls
from safety.deepfake.observe import BLOCKS, ClipRef, observe


@dataclass(frozen=True)
class Loud:
    """A mark that anybody sees: bright dots on a grid. It refuses clips of fewer than 12 frames."""

    name: str = "loud"
    version: int = 1
    bits: int = 16
    stream: str = "picture"
    summary: str = "dots"
    source: str = "ours"
    weights_sha256: str = ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        if len(clip.frames_TCHW) < 12:
            raise MarkError("too short for the mark loud")
        assert message_K.shape == (16,)
        frames = clip.frames_TCHW.astype(int)
        frames[..., ::4, ::4] += 40
        return Clip(np.clip(frames, 0, 255).astype(np.uint8), clip.fps)


FORM = Form(32, 8.0, 8)


@pytest.fixture
def observed(make_clip):
    """(as they came, marked) of six clips a side, one of which is too short to be marked."""
    refs = [
        ClipRef(make_clip(f"{side}{n}.mp4", seed=10 * n + (side == "real"), frames=8 if n == 5 else 12, side=32),
                f"{side}{n}", side, side, f"{side}{n}")
        for side in ("fake", "real") for n in range(6)
    ]  # fmt: skip
    plain = [observe(ref, FORM) for ref in refs]
    marked = [observe(ref, FORM, whole=Marking(Loud(), ref.name)) for ref in refs]
    return plain, marked


def test_a_mark_on_one_side_gives_it_away(observed):
    plain, marked = observed
    assert sum(bool(one.windows) for one in plain) == 12
    assert {one.reason for one in marked if not one.windows} == {"too short for the mark loud"}
    neither, generated, both = mark_controls(plain, marked, "loud", 0, 0.95)
    assert (neither.name, generated.name, both.name) == ("loud on neither", "loud on generated", "loud on both")
    assert generated.auc.value > 0.95
    assert neither.auc.value < 0.9
    assert both.auc.value < 0.9
    assert (generated.auc.fakes, generated.auc.reals) == (5, 5)  # the same clips in all three


def test_clips_that_cannot_be_marked_leave_a_reason(observed):
    plain, marked = observed
    none = [one for one in marked if not one.windows]
    assert all(
        control.auc is None and "too short" in control.reason for control in mark_controls(plain, none, "x", 0, 0.95)
    )


def test_what_is_observed(make_clip):
    ref = ClipRef(make_clip("a.mp4", frames=24, sound=True), "a", "real", "s", "a")
    found = observe(ref, Form(32, 8.0, 8, rate_hz=8_000))
    assert len(found.windows) == 3
    assert found.before[:4] == (3.0, 8.0, 48.0, 48.0)
    assert found.before[5] == 1
    for window in found.windows:
        assert {name: len(values) for name, values in window.traces.items()} == {
            name: len(names) for name, names in BLOCKS.items()
        }
        assert all(np.isfinite(values).all() for values in window.traces.values())
        assert window.after[:3] == (1.0, 8.0, 32.0)
        assert window.after[5] == pytest.approx(-26, abs=0.5)
    assert observe(ref, Form(64, 8.0, 8)).reason == "48x48: smaller than the common 64 pixels"


def test_motion_vectors_follow_the_drift(make_clip):
    """The texture moves by one pixel up and one left in every frame; a frozen half does not."""
    ref = ClipRef(make_clip("a.mp4", frames=16), "a", "real", "s", "a")
    (moving,) = observe(ref, Form(48, 8.0, 16)).windows
    (frozen,) = observe(ref, Form(48, 8.0, 16), lambda clip: plant("frozen", clip)).windows
    names = list(BLOCKS["motion"])
    area = names.index("moving_area")
    assert moving.traces["motion"][area] > 0.5
    assert frozen.traces["motion"][area] < moving.traces["motion"][area] - 0.2
    still = BLOCKS["temporal"].index("still_pairs")
    assert frozen.traces["temporal"][still] > moving.traces["temporal"][still] + 0.1


def test_planted_faults_do_what_they_say(make_clip):
    clip = Clip(np.full((10, 3, 16, 16), 100, np.uint8), 8.0)
    board = plant("checkerboard", clip).frames_TCHW
    assert set(np.unique(board)) == {96, 104}
    assert (board[..., ::2, ::2] == board[0, 0, 0, 0]).all()
    moving = Clip(np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 16, 16), np.uint8), 8.0)
    assert plant("frozen", moving).frames_TCHW[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
