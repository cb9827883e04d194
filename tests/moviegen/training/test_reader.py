"""Training the reader: a killed run goes on as if never stopped, and ends in weights with a card."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eval.features.backlot_reader.network import CELLS, LOOKS, Reader
from eval.features.backlot_reader.weights import load_reader
from eval.hashing import file_sha256
from moviegen.training import ema
from moviegen.training.reader import (
    PLACES,
    ReaderTraining,
    main,
    new_reader,
    parameter_groups,
    place_loss,
    reading_loss,
    train_reader,
    update_average,
)
from moviegen.training.reader_data import FACTORS_READ
from moviegen.training.reader_export import MAIN

TRAINING = ReaderTraining(clips=6, held_out=4, watched=2, steps=14, batch=3, warm_up=3)
pytestmark = pytest.mark.usefixtures("one_thread")


def losses(folder: Path) -> dict[int, float]:
    """Step → training loss over all parts of a run; a step that was replayed counts as it was the last time."""
    found: dict[int, float] = {}
    for path in sorted(folder.glob("csv/part-*/metrics.csv")):
        with path.open() as stream:
            for row in csv.DictReader(stream):
                if row.get("train/loss"):
                    found[int(row["step"])] = float(row["train/loss"])
    return found


def run(folder: Path, clips: Path, *, stop_after: int | None = None, training: ReaderTraining = TRAINING) -> Path:
    return train_reader(
        training,
        folder,
        clips=clips,
        validate_every=7,
        save_every=5,
        log_every=1,
        stop_after=stop_after,
        progress=False,
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def unbroken(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("unbroken")
    run(folder, clips)
    return folder


def test_a_stopped_and_resumed_run_matches_the_unbroken_one(unbroken: Path, clips: Path, tmp_path: Path) -> None:
    run(tmp_path, clips, stop_after=8)  # its last checkpoint is at step 5: three steps are lost, as in a kill
    run(tmp_path, clips)
    wanted, found = losses(unbroken), losses(tmp_path)
    assert sorted(found) == list(range(14))
    assert [found[step] for step in range(5, 14)] == pytest.approx([wanted[step] for step in range(5, 14)], abs=1e-5)
    name = "backlot-reader.safetensors"
    ours, theirs = load_reader(tmp_path / name).reader, load_reader(unbroken / name).reader
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[key], atol=1e-3, rtol=1e-2, msg=key)


def test_training_lowers_the_loss_and_leaves_a_card(unbroken: Path) -> None:
    curve = losses(unbroken)
    assert sum(curve[step] for step in range(10, 14)) < 0.9 * sum(curve[step] for step in range(4))
    card = json.loads((unbroken / "backlot-reader.json").read_text())
    assert card["sha256"] == file_sha256(unbroken / "backlot-reader.safetensors")
    assert (card["steps"], card["stopped_early"]) == (14, False)
    assert [point["step"] for point in card["curve"]] == [7, 14]
    assert {"data", "held_out_data", "hardware", "minutes", "settings", "limits", "where"} <= set(card)
    names = {factor.name for factor in FACTORS_READ}
    assert set(card["held_out"]) | set(card["not_counted"]) == set(card["confusion"]) == names
    assert set(MAIN) <= set(card["held_out"])
    setting = card["confusion"]["setting"]
    assert setting["values"][0] == "park"
    assert sum(map(sum, setting["truth_by_reading"])) == card["held_out"]["setting"]["clips"] == 4
    words = load_reader(unbroken / "backlot-reader.safetensors").vocabulary
    assert set(words.counted) == set(card["held_out"])


def test_a_folder_of_another_run_is_refused(unbroken: Path, clips: Path) -> None:
    with pytest.raises(ValueError, match="holds a run with other settings"):
        run(unbroken, clips, training=replace(TRAINING, lr=1e-3))


def test_bad_settings_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--clips", "0", "--folder", str(tmp_path)])
    assert end.value.code == 2
    assert "clips must be 1 or more" in capsys.readouterr().err


def test_the_rate_rises_and_falls_to_nothing() -> None:
    training = ReaderTraining(steps=100, warm_up=10)
    rates = [training.rate(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(0.5)
    assert rates[100] == 0


def test_only_factors_that_show_have_a_loss() -> None:
    labels = torch.full((2, len(FACTORS_READ)), -1)
    logits = {f.name: torch.zeros(2, len(f.classes), requires_grad=True) for f in FACTORS_READ}
    assert reading_loss(logits, labels) == 0
    names = [factor.name for factor in FACTORS_READ]
    labels[0, names.index("heading")] = 1
    assert float(reading_loss(logits, labels)) == pytest.approx(torch.log(torch.tensor(2.0)).item() / 2)


def test_places_told_exactly_cost_their_entropy() -> None:
    cells = torch.zeros(1, 1, 2, CELLS, CELLS, dtype=torch.uint8)
    cells[..., :8] = torch.tensor([255, 0], dtype=torch.uint8).view(1, 1, 2, 1, 1)
    shares = torch.cat([cells.float() / 255, 1 - cells.float().sum(2, keepdim=True) / 255], dim=2)
    assert float(place_loss((shares + 1e-9).log(), cells)) == pytest.approx(0, abs=1e-5)
    assert float(place_loss((shares.flip(-1) + 1e-3).log(), cells)) > 1
    assert PLACES > 0


def test_the_average_takes_in_running_statistics() -> None:
    torch.manual_seed(0)
    network, average = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    gamma = ema.gamma_of(0.05)
    network(torch.randn(64, 2) + 3)
    update_average(average, network, 1, gamma)
    torch.testing.assert_close(average.running_mean, network.running_mean)
    before = network.running_mean.clone()
    network(torch.randn(64, 2) + 3)
    update_average(average, network, 2, gamma)
    low, high = torch.minimum(before, network.running_mean), torch.maximum(before, network.running_mean)
    assert ((average.running_mean > low) & (average.running_mean < high)).all()


def test_every_parameter_is_trained_once() -> None:
    network = new_reader()
    grouped = [p for group in parameter_groups(network, 1e-3) for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped}) == len(list(network.parameters()))


@pytest.mark.parametrize("frames", [1, 3, 16, 32])
def test_the_network_takes_any_number_of_frames(frames: int) -> None:
    reader = Reader({"subject": 3}).eval()
    clips = torch.randint(0, 256, (2, frames, 3, 64, 64), dtype=torch.uint8)
    read = reader(clips)
    assert read.logits["subject"].shape == (2, 3)
    assert read.places_BLSHW.shape == (2, LOOKS, 3, CELLS, CELLS)
    torch.testing.assert_close(reader(clips[1:]).logits["subject"], read.logits["subject"][1:], atol=1e-5, rtol=1e-4)
