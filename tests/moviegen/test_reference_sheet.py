"""The sheet of samples: which prompts stand on it, how it is laid out, and that it is small."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.clip import Clip
from moviegen import reference_sheet
from moviegen.backlot import render
from moviegen.generate import Form, load_reference
from moviegen.reference_sheet import NOVEL, SEEN, encoded, main, samples, sheet
from moviegen.sampling import Sampler
from moviegen.strips import below, beside, strip
from moviegen.training.mixture import is_held_out

TINY = Form(3, 16, 16, 8.0)


def test_prompts_are_of_both_splits_and_about_somebody_else_each() -> None:
    chosen = samples()
    assert chosen == samples()
    assert [bool(sample.held_out) for sample in chosen] == [False] * SEEN + [True] * NOVEL
    assert all(is_held_out(sample.scene) == bool(sample.held_out) for sample in chosen)
    who = [s.scene.subject if s.scene.role in (None, "none") else s.scene.role for s in chosen]
    assert len(set(who)) == len(chosen) == 24
    for sample in chosen:
        for pair in filter(None, sample.held_out.split(", ")):
            assert pair.split(" + ")[1] in (sample.scene.setting, sample.scene.color, sample.scene.other_color)


@pytest.mark.usefixtures("shipped_untrained")
def test_the_sheet_shows_the_backlot_s_rendering_beside_each_sample() -> None:
    chosen = samples()[14:18]  # two of each split
    picture = sheet(load_reference(), chosen, TINY, Sampler(steps=1))
    assert picture.dtype == np.uint8
    for sample in chosen:
        clip = render(sample.scene, width=16, height=16, fps=8.0, frames=3, sound=False)
        assert _contains(picture, strip(clip, 4, gap=2)), sample.prompt
    assert (picture[:10] == 255).all()


def _contains(picture: np.ndarray, part: np.ndarray) -> bool:
    windows = np.lib.stride_tricks.sliding_window_view(picture, part.shape)
    return bool((windows == part).all(axis=(2, 3, 4, 5)).any())


def test_the_whole_sheet_is_small_enough_for_a_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    """With clips as noisy as a good model's in the place of a model's."""
    random, by_prompt = np.random.default_rng(0), {sample.prompt: sample for sample in samples()}

    def noisy(_reference: object, prompts: list[str], *_: object) -> list[Clip]:
        frames = render(by_prompt[prompts[0]].scene, sound=False, frames=4, fps=1.0).frames_TCHW
        return [Clip(np.clip(frames + random.normal(0, 4, frames.shape), 0, 255).astype(np.uint8), 8.0)]

    monkeypatch.setattr(reference_sheet, "generate_batch", noisy)
    picture = sheet(None, samples(), Form(4, 64, 64, 1.0))  # type: ignore[arg-type]
    data = encoded(picture)
    assert len(data) < 700_000
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert np.abs(back[:, :, ::-1].astype(int) - picture).mean() < 6


@pytest.mark.usefixtures("shipped_untrained")
def test_the_command_writes_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference_sheet, "samples", lambda: (*samples()[:1], *samples()[-1:]))
    monkeypatch.setattr(reference_sheet, "form_of", lambda _: TINY)
    main([str(tmp_path / "sheet.png"), "--checkpoint", "reference-early"])
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'sheet.png'}: 2 prompts, ")


def test_weights_that_are_not_there_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("moviegen.weights.FOLDER", tmp_path)
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "sheet.png")])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: no shipped weights called 'reference'")


def test_strips() -> None:
    frames = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 3, 2, 4), np.uint8)
    clip = Clip(frames, 8.0)
    assert strip(clip, 3, gap=1)[0, :, 0].tolist() == [0, 0, 0, 0, 255, 2, 2, 2, 2, 255, 4, 4, 4, 4]
    assert strip(clip, 9).shape == (2, 20, 3)
    one, two = np.zeros((2, 3, 3), np.uint8), np.zeros((4, 1, 3), np.uint8)
    assert beside([one, two], 1).shape == (4, 5, 3)
    assert below([one, two], 2).shape == (8, 3, 3)
    assert (below([one, two], 2)[4:, 1:] == 255).all()
