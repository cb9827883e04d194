import csv
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch

from moviegen.networks.tae import LATENT_RMS, TAE, preset
from moviegen.training.tae import TAEModule, TAETraining, main, measure_statistics, quality, train_tae
from moviegen.training.tae_data import (
    TRAINING_SEEDS,
    BacklotBatches,
    TAEDataConfig,
    backlot_clip,
    held_out_clips,
    to_bytes,
    to_unit,
)
from moviegen.training.tae_loss import LossWeights
from moviegen.weights.tae import load_tae

DATA = TAEDataConfig(clips=3, size=16, frames_per_batch=8, image_batch=2, lengths=(8,), held_out=1)
TRAINING = TAETraining(steps=28, warmup_steps=4, data=DATA)


def losses(folder: Path) -> dict[int, float]:
    """Step -> training loss over all parts of a run; a step that was replayed counts as it was the last time."""
    found: dict[int, float] = {}
    for path in sorted(folder.glob("csv/part-*/metrics.csv")):
        with path.open() as stream:
            for row in csv.DictReader(stream):
                if row.get("train/loss"):
                    found[int(row["step"])] = float(row["train/loss"])
    return found


def run(folder: Path, *, stop_after: int | None = None, training: TAETraining = TRAINING) -> Path:
    return train_tae(
        training, folder, validate_every=12, save_every=5, log_every=1, stop_after=stop_after, progress=False
    )


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    run(folder)
    return folder


def test_a_killed_and_resumed_run_matches_the_unbroken_one(unbroken: Path, tmp_path: Path) -> None:
    run(tmp_path, stop_after=8)  # its last checkpoint is at step 5: three steps are lost, as in a kill
    run(tmp_path)
    wanted, found = losses(unbroken), losses(tmp_path)
    assert sorted(found) == list(range(28))
    assert [found[step] for step in range(28)] == pytest.approx([wanted[step] for step in range(28)], abs=1e-6)
    ours, theirs = load_tae(tmp_path / "tae-f8t4.safetensors"), load_tae(unbroken / "tae-f8t4.safetensors")
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[name], atol=1e-6, rtol=0, msg=name)


def test_training_lowers_the_loss() -> None:
    """On one batch, from weights at random: the start from principal components knows three clips by heart."""
    module, clips = TAEModule(replace(TRAINING, lr=1e-2)), BacklotBatches(DATA).batch(0)
    optimiser = module.configure_optimizers()["optimizer"]
    curve = []
    for _ in range(8):
        loss = module.training_step(clips, 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        curve.append(float(loss))
    assert curve[-1] < 0.7 * curve[0]


def test_training_leaves_card_pictures_and_normal_latents(unbroken: Path) -> None:
    card = json.loads((unbroken / "tae-f8t4.json").read_text())
    assert [point["step"] for point in card["curve"]] == [12, 24]
    assert card["steps"] == 28
    assert {"psnr", "ssim", "lowest_psnr"} == set(card["held_out"])
    assert {"sha256", "data", "hardware", "minutes", "limits", "settings", "preset"} <= set(card)
    picture = cv2.imread(str(unbroken / "pictures" / "step-000012.png"))
    assert picture is not None
    assert picture.shape == (6 * 2 * 16, 8 * 16, 3)
    tae = load_tae(unbroken / "tae-f8t4.safetensors", name="f8t4")
    latents = torch.stack([tae.encode(to_unit(backlot_clip(seed, 16)[None]))[0] for seed in range(3)])
    values = latents.transpose(0, 1).flatten(1)
    torch.testing.assert_close(values.mean(dim=1), torch.zeros(len(values)), atol=5e-3, rtol=0)  # float16
    assert float(values.std(dim=1).square().mean().sqrt()) == pytest.approx(LATENT_RMS, rel=1e-2)


def test_a_folder_of_another_run_is_refused(unbroken: Path) -> None:
    with pytest.raises(ValueError, match="holds a run with other settings"):
        run(unbroken, training=replace(TRAINING, lr=1e-3))


@pytest.mark.slow
def test_a_run_that_is_really_killed_goes_on(unbroken: Path, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2]); from test_tae import run; run(pathlib.Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)])
    deadline = time.monotonic() + 300
    while not (tmp_path / "last.ckpt").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)  # there is no event to wait for: another process writes the file
    process.kill()
    process.wait()
    run(tmp_path)
    wanted, found = losses(unbroken), losses(tmp_path)
    assert [found[step] for step in range(8, 28)] == pytest.approx([wanted[step] for step in range(8, 28)], abs=1e-6)


def test_the_outlier_penalty_can_be_switched_on(tmp_path: Path) -> None:
    training = replace(TRAINING, steps=2, loss=LossWeights(outlier=10.0), data=replace(DATA, held_out=1))
    run(tmp_path, training=training)
    assert "train/outlier" in (tmp_path / "csv" / "part-00" / "metrics.csv").read_text()


def test_batches_depend_on_the_step_alone() -> None:
    one, other = BacklotBatches(DATA), BacklotBatches(DATA)
    forwards = [one.batch(step) for step in range(8)]
    backwards = [other.batch(step) for step in reversed(range(8))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert [batch.shape[2] for batch in forwards] == [8, 8, 8, 1, 8, 8, 8, 1], "images to clips are 1:3"
    other_seed = BacklotBatches(replace(DATA, seed=1))
    assert any(not torch.equal(a, other_seed.batch(step)) for step, a in enumerate(forwards))


def test_no_held_out_scene_is_trained_on() -> None:
    assert torch.equal(held_out_clips(1, 16)[0], backlot_clip(TRAINING_SEEDS, 16))
    with pytest.raises(ValueError, match="clips must be from 1"):
        TAEDataConfig(clips=TRAINING_SEEDS + 1)


def test_bytes_survive_the_way_to_floats_and_back() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(values)), values)
    assert to_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_quality_is_that_of_the_whole_way_there_and_back() -> None:
    torch.manual_seed(0)
    tae = TAE(preset("f8t4")).eval()
    measure_statistics(tae, BacklotBatches(DATA))
    figures = quality(tae, held_out_clips(1, 16)[0][None])
    assert 3 < figures["psnr"] < 40
    assert -1 < figures["ssim"] < 1


def test_bad_settings_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--clips", "0", "--folder", str(tmp_path)])
    assert end.value.code == 2
    assert "clips must be from 1" in capsys.readouterr().err
