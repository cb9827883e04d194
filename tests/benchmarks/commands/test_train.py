"""`moviegen train`: from a folder that does not exist to weights with a card, through a kill, and what it refuses."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

import moviegen.presets
from benchmarks.cli import app
from eval.weights import Header, load_weights, save_weights
from moviegen.networks.tae import TAE
from moviegen.networks.tae import preset as tae_preset
from moviegen.networks.text import SmallTextConfig
from moviegen.networks.transformer import TransformerConfig
from moviegen.presets import F8T4, Bucket, Preset, Recipe
from moviegen.training.video_run import loss_curve
from moviegen.video_weights import autoencoder_id, load_video
from moviegen.weights.tae import load_tae

CHANNELS = F8T4.channels
TOY = Preset(
    "toy",
    F8T4,
    TransformerConfig(
        layers=1,
        width=16,
        feed_forward=32,
        heads=1,
        in_channels=2 * CHANNELS,
        out_channels=2 * CHANNELS,
        max_t=2,
        max_h=1,
        max_w=1,
    ),
    SmallTextConfig(width=16, layers=1, heads=1, letter_width=8, bag_tokens=1, words=64),
    (Bucket(8, 16, 16, 8.0, 0.75), Bucket(1, 16, 16, 8.0, 0.25)),
    Recipe(steps=40, batch=4, learning_rate=1e-3, warm_up=4),
)
"""Sixteen pixels, eight frames: a training of seconds."""


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(moviegen.presets.PRESETS, "toy", lambda: TOY)


@pytest.fixture(scope="module")
def tae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained autoencoder: its latents are as good as any here."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tae") / "tae.safetensors"
    save_weights(path, TAE(tae_preset("f8t4")).state_dict(), Header("tae", "f8t4"), {})
    return path


def train_video(tae: Path, folder: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(app, _words(tae, folder, *words))


def _words(tae: Path, folder: Path, *words: str | Path) -> list[str]:
    usual = ["--preset", "toy", "--clips", "12", "--workers", "0", "--threads", "1", "--checkpoint-every", "10"]
    parts = ["train", "video", "--tae", tae, "--folder", folder, *usual, "--validate-every", "40", "--quiet", *words]
    return [str(part) for part in parts]


@pytest.fixture(scope="module")
def trained(tae: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training, with its weights and those from early on."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(moviegen.presets.PRESETS, "toy", lambda: TOY)
        done = train_video(tae, folder, "--half", "--early", folder / "early.safetensors", "--early-share", "0.25")
    assert done.exit_code == 0, done.output
    assert "wrote" in done.stdout
    return folder


def test_weights_are_written_with_a_card_that_says_it_all(trained: Path, tae: Path) -> None:
    path = trained / "video-toy.safetensors"
    tensors, header = load_weights(path, kind="video", preset="toy")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    network = load_tae(tae)
    assert header.needs == autoencoder_id(network)
    load_video(path, TOY, autoencoder=header.needs)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["autoencoder"] == {"preset": "f8t4", "id": header.needs}
    assert (card["steps"], card["of_steps"]) == (40, 40)
    assert card["minutes"] > 0
    assert "CPU" in card["hardware"][0]
    assert card["data"]["cache"]["clips"] == 12
    assert card["data"]["clips_seen"] == {"8x16x16": 120, "1x16x16": 80}
    assert set(card["curves"]) == {"train", "seen", "novel"}
    assert card["held_out"]["novel"]["loss"] == pytest.approx(card["curves"]["novel"][-1][1])
    assert len(card["held_out"]["seen"]["at_time"]) == 8
    assert {"sha256", "limits", "settings", "seed", "parameters"} <= set(card)


def test_the_early_weights_are_of_the_same_training(trained: Path) -> None:
    early, final = (json.loads((trained / name).read_text()) for name in ("early.json", "video-toy.json"))
    assert early["steps"] == 10
    assert early["curves"]["train"] == [pair for pair in final["curves"]["train"] if pair[0] <= 10]
    assert early["minutes"] <= final["minutes"]
    assert early["sha256"] != final["sha256"]
    snapshot = load_video(trained / "snapshots" / "step-0000010.safetensors", TOY).state_dict()
    for name, tensor in load_video(trained / "early.safetensors", TOY).state_dict().items():
        assert torch.equal(tensor, snapshot[name])


def test_the_command_again_trains_nothing_and_writes_the_same_weights(trained: Path, tae: Path, tmp_path: Path) -> None:
    again = train_video(tae, trained, "-o", tmp_path / "again.safetensors", "--half")
    assert again.exit_code == 0, again.output
    before, after = (
        load_video(path, TOY).state_dict()
        for path in (trained / "video-toy.safetensors", tmp_path / "again.safetensors")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_training_may_begin_with_weights_and_another_rate(trained: Path, tae: Path, tmp_path: Path) -> None:
    rest = ("--learning-rate", "1e-4", "--images", "0.1", "--steps", "10")
    begins = ("--start", trained / "video-toy.safetensors", *rest)
    done = train_video(tae, tmp_path, *begins, "--cache", trained / "latents")
    assert done.exit_code == 0, done.output
    before, card = (json.loads((folder / "video-toy.json").read_text()) for folder in (trained, tmp_path))
    assert (card["settings"]["recipe"]["learning_rate"], card["settings"]["recipe"]["images"]) == (1e-4, 0.1)
    assert card["data"]["clips_seen"] == {"8x16x16": 36, "1x16x16": 8}
    told = ("file", "sha256", "steps", "lengths", "minutes", "hardware")
    assert card["start"] == {key: before[key] for key in told}
    assert card["held_out"]["seen"]["loss"] < 1.05 * before["held_out"]["seen"]["loss"], (
        "begun anew, it would be higher"
    )


def test_checkpoints_are_averaged(trained: Path, tmp_path: Path) -> None:
    snapshots = sorted((trained / "snapshots").glob("*.safetensors"))[-2:]
    done = CliRunner().invoke(app, ["train", "average", *map(str, snapshots), "-o", str(tmp_path / "mean.safetensors")])
    assert done.exit_code == 0, done.output
    mean = load_video(tmp_path / "mean.safetensors", TOY).transformer.patch_in.weight
    parts = [load_video(path, TOY).transformer.patch_in.weight for path in snapshots]
    torch.testing.assert_close(mean, (parts[0] + parts[1]) / 2)


@pytest.mark.slow
def test_a_killed_command_goes_on_as_if_it_had_not_been(trained: Path, tae: Path, tmp_path: Path) -> None:
    """kill -9 between two checkpoints; the same command again; all later steps and the weights agree to 1e-6."""
    program = f"""
        import sys
        import moviegen.presets
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from {Path(__file__).stem} import TOY
        from benchmarks.cli import app
        moviegen.presets.PRESETS["toy"] = lambda: TOY
        app({_words(tae, tmp_path, "--half")!r})
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    while not (tmp_path / "last.safetensors").exists() and process.poll() is None:
        time.sleep(0.005)  # there is no event to wait for: another process writes the file
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "video-toy.safetensors").exists(), "killed before its end"
    resumed = train_video(tae, tmp_path, "--half")
    assert resumed.exit_code == 0, resumed.output
    whole, again = loss_curve(trained), loss_curve(tmp_path)
    assert len([step for step in again if step >= 10]) >= 3, "loss is logged every tenth step"
    assert max(abs(whole[step] - again[step]) for step in again) <= 1e-6
    one, other = (load_video(folder / "video-toy.safetensors", TOY) for folder in (trained, tmp_path))
    for mine, its in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, its, atol=1e-6, rtol=0)


def test_a_folder_of_another_run_or_cache_is_one_line(trained: Path, tae: Path, tmp_path: Path) -> None:
    other = tmp_path / "tae.safetensors"
    torch.manual_seed(1)
    save_weights(other, TAE(tae_preset("f8t4")).state_dict(), Header("tae", "f8t4"), {})
    cases = [
        (train_video(tae, trained, "--steps", "50"), "holds a run with another preset recipe"),
        (train_video(tae, trained, "--seed", "1"), "holds a run with another seed"),
        (train_video(tae, trained, "--clips", "13"), "is a cache of other clips"),
        (train_video(other, trained), "holds a run with another autoencoder"),
        (train_video(other, tmp_path / "new", "--cache", trained / "latents"), "is a cache of other autoencoder"),
    ]
    for done, says in cases:
        assert done.exit_code == 2, done.output
        assert says in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("video", "--preset", "tinny"), "did you mean 'tiny'"),
        (("video", "--tae", "none.safetensors"), "no such file"),
        (("video", "--start", "none.safetensors"), "no such file"),
        (("video", "--device", "tpu"), "unknown device 'tpu'"),
        (("video", "--preset", "30b"), "GB for its weights alone"),
        (("video", "--preset", "30b", "--plan", "--gpus", "1001"), "no multiple of 8"),
        (("video", "--device", "cpu", "--gpus", "2"), "--gpus 2: there are 0 here"),
        (("video", "--tensor-parallel", "2"), "1 devices do not make groups of 2"),
        (("video", "--preset", "tinny", "--plan"), "did you mean 'tiny'"),
        (("tae", "--preset", "f9t9"), "unknown autoencoder preset 'f9t9'"),
        (("average", "none.safetensors", "-o", "mean.safetensors"), "no such file"),
    ],
)
def test_mistakes_are_one_line(words: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(app, ["train", *words])
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_compiling_without_a_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = CliRunner().invoke(app, ["train", "video", "--compile", "--device", "cpu"])
    assert done.exit_code == 2
    assert "--compile needs a C++ compiler" in done.stderr


def test_an_autoencoder_of_too_few_channels_is_one_line(
    tae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = dataclasses.replace(TOY, compression=dataclasses.replace(F8T4, channels=CHANNELS + 1))
    monkeypatch.setitem(moviegen.presets.PRESETS, "toy", lambda: more)
    done = train_video(tae, tmp_path)
    assert done.exit_code == 2
    assert f"has {CHANNELS} latent channels; preset toy takes {CHANNELS + 1}" in done.stderr


@pytest.mark.parametrize("name", ["tae", "reader", "encoder"])
def test_options_reach_the_training(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainings themselves: tests/moviegen/training/test_tae.py, test_reader.py, test_encoder.py."""
    given: list[tuple[Any, Path, dict[str, Any]]] = []
    module = importlib.import_module(f"moviegen.training.{name}")
    monkeypatch.setattr(
        module, f"train_{name}", lambda training, folder, **rest: given.append((training, folder, rest))
    )
    words = ["--folder", tmp_path, "-o", tmp_path / "x.safetensors", "--steps", 3, "--clips", 5, "--seed", 2]
    words += ["--minutes", 1.5, "--validate-every", 7, "--checkpoint-every", 4, "--quiet"]
    done = CliRunner().invoke(app, ["train", name, *map(str, words)])
    assert done.exit_code == 0, done.output
    [(training, folder, rest)] = given
    assert (training.steps, training.seed, folder) == (3, 2, tmp_path)
    assert (training.data if name == "tae" else training).clips == 5
    expected = {"output": words[3], "minutes": 1.5, "validate_every": 7, "save_every": 4, "progress": False}
    assert rest.items() >= expected.items()


def test_a_plan_is_printed_and_nothing_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", "video", "--preset", "30b", "--plan", "--gpus", "1024"])
    assert done.exit_code == 0
    assert "29.30 billion" in done.stdout
    assert "73,728" in done.stdout
    assert not list(tmp_path.iterdir())
