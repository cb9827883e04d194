"""Time stamps: believed when they make sense, replaced and reported when not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.video import open_clip
from eval.video.timeline import FALLBACK_FPS, is_regular, judge

MS = Fraction(1, 1000)


@pytest.mark.parametrize("fps", [8, 15, 16, 23.976, 24, 25, 29.97, 30, 50, 60, 120])
@pytest.mark.parametrize("base", [Fraction(1, 1000), Fraction(1, 90_000), Fraction(1, 12_288)])
@settings(max_examples=20, deadline=None)
@given(count=st.integers(2, 300), start=st.integers(0, 10**6))
def test_a_rounded_grid_is_regular(fps: float, base: Fraction, count: int, start: int) -> None:
    exact = np.arange(count) / fps / float(base)
    for ticks in (np.rint(exact), np.floor(exact)):
        line = judge([start + int(tick) for tick in ticks], base, [Fraction(fps).limit_denominator(1001)])
        assert line.timestamps == "regular"
        assert line.fps == pytest.approx(fps, rel=1e-4)
        assert not line.notes


@pytest.mark.parametrize("fps", [8, 10, 12.5, 24, 25, 30, 33.3])
@settings(max_examples=20, deadline=None)
@given(count=st.integers(12, 200))
def test_gifs_count_hundredths(fps: float, count: int) -> None:
    ticks = np.rint(np.arange(count) / fps * 100).astype(int).tolist()
    line = judge(ticks, Fraction(1, 100), [])
    assert line.timestamps == "regular"
    assert line.fps == pytest.approx(fps, rel=1.5 / (count * 100 / fps))


@settings(deadline=None)
@given(dropped=st.integers(1, 38), base=st.sampled_from([MS, Fraction(1, 90_000), Fraction(1, 24)]))
def test_one_dropped_frame_is_variable(dropped: int, base: Fraction) -> None:
    ticks = [round(index / 24 / float(base)) for index in range(40) if index != dropped]
    line = judge(ticks, base, [Fraction(24)])
    assert line.timestamps == "variable"
    assert line.fps == pytest.approx(38 * 24 / 39, rel=1e-3)
    assert any("variable frame rate" in note for note in line.notes)


def test_a_drop_at_the_very_end_of_a_coarse_grid() -> None:
    assert not is_regular(np.array([0, 1, 2, 3, 5]))
    assert is_regular(np.array([0, 2, 4, 6]))
    assert is_regular(np.array([7]))


@pytest.mark.parametrize(
    ("ticks", "kind"),
    [
        ([None, None, None], "missing"),
        ([0, None, 2], "missing"),
        ([0, 0, 0], "all-zero"),
        ([5, 5, 5], "all-zero"),
        ([0, 40, 40, 80], "not increasing"),
        ([0, 80, 40, 120], "not increasing"),
        ([0, 1, 2, 3], "all-zero"),
    ],
)
def test_unusable_times_fall_back_to_the_declared_rate(ticks: list[int | None], kind: str) -> None:
    line = judge(ticks, MS, [Fraction(2880), None, Fraction(16)])
    assert (line.timestamps, line.fps, line.usable) == (kind, 16.0, False)
    assert "declared 16 frames per second" in line.notes[0]


def test_without_any_rate_the_assumption_is_said() -> None:
    line = judge([0, 0, 0], MS, [None, Fraction(2880), Fraction(1, 3)])
    assert line.fps == FALLBACK_FPS
    assert any("assumed" in note for note in line.notes)


def test_slow_pictures_are_kept_and_noted() -> None:
    line = judge([0, 2000, 4000], MS, [])
    assert (line.timestamps, line.fps) == ("regular", 0.5)
    assert line.notes == ("only 0.5 frames per second",)


def test_an_exact_declared_rate_is_preferred_to_the_measured() -> None:
    ntsc = Fraction(24_000, 1001)
    ticks = [round(index * 1000 / float(ntsc)) for index in range(50)]
    assert judge(ticks, MS, [ntsc]).fps == float(ntsc)
    assert judge(ticks, MS, [Fraction(25)]).fps == pytest.approx(float(ntsc), rel=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_times_of_a_file_are_kept(build: Any, tmp_path: Path, name: str) -> None:
    pts = [0, 40, 80, 200, 240, 500, 540, 1000]
    path = build.encode(tmp_path / name, count=8, rate=25, pts=pts, time_base=MS)
    whole = build.read(open_clip(path))
    np.testing.assert_allclose(whole.times_s, np.array(pts) / 1000, atol=1e-9)
    assert whole.facts.timestamps == "variable"
    assert whole.info.fps == pytest.approx(7.0)
    assert any("variable" in note for note in whole.info.notes)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_all_zero_times_of_a_file(build: Any, tmp_path: Path, name: str) -> None:
    whole = build.read(open_clip(build.encode(tmp_path / name, pts=[0] * 12)))
    assert whole.facts.frames == 12
    assert whole.facts.timestamps == "all-zero"
    assert whole.info.fps == 24
    np.testing.assert_allclose(whole.times_s, np.arange(12) / 24)
    assert any("declared 24" in note for note in whole.info.notes)


def test_missing_times_of_a_file(build: Any, tmp_path: Path) -> None:
    whole = build.read(open_clip(build.encode(tmp_path / "a.h264", form="h264", rate=30)))
    assert whole.facts.timestamps == "missing"
    np.testing.assert_allclose(whole.times_s, np.arange(12) / 30)


def test_a_late_first_frame_still_starts_at_zero(build: Any, tmp_path: Path) -> None:
    pts = [index + 48 for index in range(12)]
    whole = build.read(open_clip(build.encode(tmp_path / "a.mkv", pts=pts)))
    np.testing.assert_allclose(whole.times_s, np.arange(12) / 24, atol=0.0006)
    assert whole.facts.timestamps == "regular"
