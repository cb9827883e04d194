"""Training the mark: gradients that agree with what is written and read, resuming, and a card with figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.marks.bits import random_message
from eval.marks.learned import LearnedMark
from eval.marks.learned.alignment import Alignment
from eval.marks.learned.lattice import pattern, secret_of, spectrum
from eval.marks.learned.network import MarkNetwork
from eval.marks.learned.statistic import Reader
from eval.marks.learned.weights import KIND, PRESET, trained_from
from eval.weights import load_weights
from moviegen.training import mark as training
from moviegen.training.mark import MarkTraining, MarkTrainingError, clip_evidence, drawn_pattern, read_soft, train_mark
from moviegen.training.mark_data import Frames, footage, make_material, resized, window
from moviegen.training.mark_figures import WEAR
from moviegen.training.mark_wear import cut, fresh, shrunk, thinned


@pytest.fixture
def network() -> MarkNetwork:
    torch.manual_seed(0)
    return MarkNetwork()


def _frames() -> Frames:
    random = np.random.default_rng(0)
    return random.integers(40, 210, (8, 3, 96, 112), dtype=np.uint8)


def test_the_drawn_pattern_is_the_written_one(network: MarkNetwork) -> None:
    secret, message = secret_of(3, 32), random_message(32, 1)
    turned_F = torch.from_numpy(secret.phases_F + np.pi * message[secret.bits_F]).float()
    drawn = drawn_pattern(network, turned_F, Alignment(1.5, 1.75), 96, 112)
    written = pattern(secret, message, network.amplitudes().detach().numpy(), 96, 112)
    np.testing.assert_allclose(drawn.detach().numpy(), written, atol=1e-3)
    assert float(drawn.square().mean()) == pytest.approx(1.0, abs=0.1)


def test_reading_in_training_is_reading(network: MarkNetwork) -> None:
    random, secret = np.random.default_rng(1), secret_of(4, 32)
    common_CHW = random.normal(size=(4, 80, 72)).astype(np.float32)
    lies = Alignment(1.2, 1.1, 0.3, 0.7)
    trained = trained_from(network, 38.0, "")
    with torch.no_grad():
        image_HW = network.whitener(torch.from_numpy(common_CHW)[None])[0].numpy()
        phases_F, bits_F = torch.from_numpy(secret.phases_F), torch.from_numpy(secret.bits_F)
        soft_K = read_soft(network, torch.from_numpy(common_CHW), lies, phases_F, bits_F)
    reader = Reader(secret, 32, trained.weight_F, trained.power)
    found_K = reader.evidence(spectrum(image_HW, lies.tiles_y, lies.tiles_x), lies.shift_y, lies.shift_x)
    np.testing.assert_allclose(soft_K.numpy(), found_K, atol=2e-3)


def test_wear_says_where_the_lattice_lies(network: MarkNetwork) -> None:
    secret, message = secret_of(5, 32), random_message(32, 2)
    written = pattern(secret, message, network.amplitudes().detach().numpy(), 128, 128)
    frames = np.clip(128 + 20 * written, 0, 255).astype(np.uint8)[None, None].repeat(3, 1).repeat(6, 0)
    random = np.random.default_rng(0)
    trained = trained_from(network, 38.0, "")
    reader = Reader(secret, 32, trained.weight_F, trained.power)
    for one in (
        cut(fresh(frames), 0.7, random, back=False),
        cut(fresh(frames), 0.8, random, back=True),
        shrunk(fresh(frames), 0.6),
        thinned(fresh(frames), 0.5, random),
    ):
        grey_HW = one.frames_TCHW[0, 0].astype(np.float32) - 128
        lies = one.alignment
        found_K = reader.evidence(spectrum(grey_HW, lies.tiles_y, lies.tiles_x), lies.shift_y, lies.shift_x)
        assert np.array_equal(found_K > 0, message > 0)


def test_gradients_reach_every_part(network: MarkNetwork) -> None:
    rightly_K = clip_evidence(network, _frames(), 38.0, (0, 1, 2))
    assert rightly_K.shape == (32,)
    torch.nn.functional.softplus(-rightly_K).mean().backward()
    for name, parameter in network.named_parameters():
        if name != "gain" and not name.startswith("whitener.inner"):  # the first gets its in the loss, the others
            assert parameter.grad is not None  # once the last layer is no longer zero
            assert float(parameter.grad.abs().max()) > 0, name


def test_a_run_goes_on_as_if_never_stopped_and_writes_weights_with_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moviegen.training.mark_data.SIDE", 64)
    monkeypatch.setattr("moviegen.training.mark_data.FRAMES", 8)
    monkeypatch.setattr("moviegen.training.mark_export.SIDE", 64)
    monkeypatch.setattr("moviegen.training.mark_export.WEAR", {name: WEAR[name] for name in ("clean", "x264 crf 23")})
    monkeypatch.setattr("moviegen.training.mark_export.SMALL_WEAR", ("clean",))
    settings = MarkTraining(scenes=8, windows=0, steps=4, batch=2, psnr_db=36.0)
    told = {"held_out": 2, "negatives": 3, "save_every": 2, "progress": False}
    whole = train_mark(settings, tmp_path / "whole", **told)
    train_mark(settings, tmp_path / "parts", **told, stop_after=2)
    parts = train_mark(settings, tmp_path / "parts", **told)
    ours, others = (load_weights(path, kind=KIND, preset=PRESET)[0] for path in (whole, parts))
    assert all(torch.equal(ours[name], others[name]) for name in ours)
    card = json.loads(whole.with_suffix(".json").read_text())
    assert card["steps"] == 4
    assert set(card["held_out_256"]) == {"clean", "x264 crf 23"}
    assert card["false_alarms"]["clips"] == 3
    assert card["sha256"] == LearnedMark(whole).weights_sha256
    assert whole.stat().st_size < 2 << 20


def test_settings_that_cannot_be_are_one_line() -> None:
    for wrong in ({"steps": 0}, {"psnr_db": 5.0}, {"batch": 0}):
        with pytest.raises(MarkTrainingError, match=next(iter(wrong))):
            MarkTraining(**wrong)


def test_a_loss_that_is_no_number_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    module = training.MarkModule(MarkTraining())
    monkeypatch.setattr(training, "clip_evidence", lambda *_: torch.full((32,), float("nan")))
    with pytest.raises(MarkTrainingError, match="lower the rates"):
        module.training_step([(_frames(), (0, 0, 0))], 0)


def test_footage_is_split_by_name_and_cut_into_windows(tmp_path: Path) -> None:
    from eval.clip import Clip
    from eval.video import write_clip

    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_clip(Clip(_frames(), 8.0), tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    assert [path.name for path in footage(tmp_path, "train")] == ["a.mp4", "b.mp4"]
    assert [path.name for path in footage(tmp_path, "held-out")] == ["c.mp4"]
    assert len(footage(tmp_path, "negative")) == 3
    assert footage(None, "train") == []
    shown = window(tmp_path / "a.mp4", np.random.default_rng(0), frames=12, side=64)
    assert shown.shape == (12, 3, 64, 64)
    assert resized(shown, 32, 16).shape == (12, 3, 32, 16)


def test_material_is_kept(tmp_path: Path) -> None:
    first = make_material(tmp_path, "train", 8, 0, None)
    assert list(first.kinds) == ["backlot"] * 7 + ["noise"]
    stamps = [path.stat().st_mtime_ns for path in first.files]
    assert [path.stat().st_mtime_ns for path in make_material(tmp_path, "train", 8, 0, None).files] == stamps
    assert first[0].shape == (32, 3, 256, 256)
