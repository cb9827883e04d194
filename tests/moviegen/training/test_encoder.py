"""Training the encoder: its texts and views, its losses, a run that goes on as if never stopped, and its card."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.features.backlot_encoder.weights import SET, SET_PRESET, load_encoder
from eval.features.backlot_reader.weights import weights_sha256
from eval.hashing import file_sha256
from eval.weights import load_weights
from moviegen.backlot import FACTORS, STYLES, caption, sample_scene
from moviegen.training.encoder import (
    Batches,
    EncoderError,
    EncoderTraining,
    contrastive,
    new_encoder,
    parameter_groups,
    train_encoder,
    training_scenes,
    unsteadiness,
    vocabulary,
)
from moviegen.training.encoder_export import FIRST_REFERENCE_SEED, reference_scene
from moviegen.training.encoder_figures import DETAILED, changes, galleries, in_style, recall, shares
from moviegen.training.encoder_texts import SHARES, also_true, chosen_styles, coded, nearly_right, visible_factors
from moviegen.training.encoder_views import ClipSource, is_mirrored, worn
from moviegen.training.reader_data import LAST_SEED, ClipsError, make_clips, reader_scene

TRAINING = EncoderTraining(
    clips=12, galleries=1, gallery=4, changes=1, references=4, steps=12, batch=6, warm_up=3, lr=2e-3
)
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


def run(folder: Path, clips: Path, *, stop_after: int | None = None, training: EncoderTraining = TRAINING) -> Path:
    return train_encoder(
        training,
        folder,
        clips=clips,
        validate_every=6,
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
    assert sorted(found) == list(range(12))
    assert [found[step] for step in range(5, 12)] == pytest.approx([wanted[step] for step in range(5, 12)], abs=1e-4)
    name = "backlot-encoder.safetensors"
    ours, theirs = load_encoder(tmp_path / name).encoder, load_encoder(unbroken / name).encoder
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[key], atol=1e-3, rtol=1e-2, msg=key)


def test_training_lowers_the_loss_and_leaves_a_card(unbroken: Path) -> None:
    curve = losses(unbroken)
    assert sum(curve[step] for step in range(9, 12)) < 0.8 * sum(curve[step] for step in range(3))
    card = json.loads((unbroken / "backlot-encoder.json").read_text())
    assert card["sha256"] == file_sha256(unbroken / "backlot-encoder.safetensors")
    assert (card["steps"], card["stopped_early"]) == (12, False)
    assert [point["step"] for point in card["curve"]] == [6, 12]
    assert {"data", "held_out_data", "hardware", "minutes", "settings", "limits", "all", "evenly"} <= set(card)
    assert set(STYLES) < set(card["held_out"]) == set(card["flat"])
    assert set(card["changed"]) == set(FACTORS) - {"mood"}
    assert card["trunk"] == f"of backlot-reader {weights_sha256()[:12]}"


def test_the_reference_set_goes_with_its_encoder(unbroken: Path) -> None:
    path = unbroken / f"{SET}.safetensors"
    tensors, header = load_weights(path, kind=SET, preset=SET_PRESET)
    assert header.needs == file_sha256(unbroken / "backlot-encoder.safetensors")
    assert tensors["set_NP"].shape == (4, 16)
    assert tensors["set_NP"].dtype == torch.float32
    assert tensors["set_NP"].isfinite().all()


def test_a_folder_of_another_run_is_refused(unbroken: Path, clips: Path) -> None:
    with pytest.raises(ValueError, match="holds a run with other settings"):
        run(unbroken, clips, training=replace(TRAINING, lr=1e-3))


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(EncoderError, match="galleries must be 1 or more"):
        EncoderTraining(galleries=0)
    with pytest.raises(EncoderError, match="a batch of 256 clips must"):
        EncoderTraining(clips=100)


def test_views_are_made_once_and_damage_is_found(clips: Path) -> None:
    encoder = new_encoder(5, 0)
    source = ClipSource(clips, encoder.trunk, weights_sha256())
    views = source.training(3)
    assert views.clips_ND.shape == (3, encoder.trunk.clip_features)
    with torch.inference_mode():
        frames = torch.from_numpy(worn(make_clips(clips, "train", 3), 1).transpose(0, 3, 1, 2).copy())
        seen_D = encoder.trunk.clips(frames[None])[0]
    assert np.allclose(views.clips_ND[1], seen_D.numpy(), atol=2e-2, rtol=1e-2)
    path = next((clips / f"views-{weights_sha256()[:12]}").glob("train-000000-3.npy"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ClipsError, match="damaged"):
        source.training(3)
    np.save(path, np.zeros((3, 4), np.float16))
    with pytest.raises(ClipsError, match="holds something else"):
        source.training(3)


def test_some_clips_are_seen_in_a_mirror_and_described_so() -> None:
    scenes = training_scenes(40)
    turned = [n for n in range(40) if is_mirrored(n)]
    assert 10 < len(turned) < 30
    for number in range(40):
        opposite = {"left": "right", "right": "left"}[reader_scene(number, "train").heading]
        assert scenes[number].heading == (opposite if number in turned else reader_scene(number, "train").heading)


def test_every_style_is_heard_and_nearly_right_texts_differ_in_a_factor_that_shows() -> None:
    random = np.random.default_rng(0)
    assert set(chosen_styles(400, random)) == set(STYLES) == set(SHARES)
    assert sum(SHARES.values()) == pytest.approx(1)
    for seed in range(60):
        scene, style = sample_scene(seed), STYLES[seed % len(STYLES)]
        text = nearly_right(scene, style, random)
        assert text != caption(scene, style)
        words, wrong = caption(scene, style).split(), text.split()
        assert not text or len(set(words) ^ set(wrong)) <= 8, "one thing is changed"
        assert "mood" not in visible_factors(scene, style)


def test_a_caption_is_true_of_whatever_shows_what_it_states() -> None:
    dog = sample_scene(1, subject="dog", color="black", action="run", setting="park", count=1, other="none",
                       speed="normal", light="day")  # fmt: skip
    night, cat = replace(dog, light="night"), replace(dog, subject="cat")
    scenes = [dog, night, cat]
    plain = also_true(coded(scenes), ["plain"] * 3, scenes)
    assert plain.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    detailed = also_true(coded(scenes), ["detailed"] * 3, scenes)
    assert not detailed.any()


def test_losses_of_points_that_are_known() -> None:
    points = torch.eye(4)
    none = torch.zeros(4, 4, dtype=torch.bool)
    every = torch.ones(4, dtype=torch.bool)
    right = contrastive(points, points, points.roll(1, 0), none, every, torch.tensor(50.0))
    assert float(right.matching) == pytest.approx(0, abs=1e-6)
    assert float(right.changed) == pytest.approx(0, abs=1e-6)
    lost = contrastive(points, points.roll(1, 0), points, none, every, torch.tensor(10.0))
    assert float(lost.matching) == pytest.approx(10, abs=1e-3)
    assert float(lost.changed) == pytest.approx(10, abs=1e-3)
    alike = contrastive(points, points[[0, 0, 2, 3]], points, none, ~every, torch.tensor(50.0))
    assert float(alike.matching) > 1
    also = none.clone()
    also[0, 1] = also[1, 0] = True
    forgiven = contrastive(points[[0, 0, 2, 3]], points[[0, 0, 2, 3]], points, also, ~every, torch.tensor(50.0))
    assert float(forgiven.matching) == pytest.approx(0, abs=1e-6)
    assert float(forgiven.changed) == 0


def test_frames_are_steady_by_the_measure_of_other_clips_frames() -> None:
    torch.manual_seed(0)
    frames = torch.nn.functional.normalize(torch.randn(20, 8), dim=1)
    assert float(unsteadiness(frames, frames)) == pytest.approx(0, abs=1e-6)
    assert float(unsteadiness(frames, frames.roll(1, 0))) == pytest.approx(1, abs=0.15)
    turned = torch.nn.functional.normalize(frames + 0.1 * torch.randn(20, 8), dim=1)
    # Drawn together and turned less in proportion, frames are no steadier.
    near = torch.tensor([0.0, 0, 0, 0, 0, 0, 0, 10])
    one, other = (torch.nn.functional.normalize(points + near, dim=1) for points in (frames, turned))
    assert float(unsteadiness(one, other)) == pytest.approx(float(unsteadiness(frames, turned)), rel=0.3)


def test_every_parameter_of_the_towers_is_trained_once_and_the_trunk_never() -> None:
    encoder = new_encoder(5, 0)
    scale = torch.nn.Parameter(torch.zeros(()))
    grouped = [p for group in parameter_groups(encoder, scale, 1e-3) for p in group["params"]]
    trained = {id(p) for p in encoder.parameters() if p.requires_grad} | {id(scale)}
    assert len(grouped) == len({id(p) for p in grouped})
    assert {id(p) for p in grouped} == trained
    assert not any(p.requires_grad for p in encoder.trunk.parameters())


def test_batches_are_a_function_of_the_step(clips: Path) -> None:
    scenes = training_scenes(12)
    words = {word: n for n, word in enumerate(vocabulary(scenes), start=1)}
    views = ClipSource(clips, new_encoder(5, 0).trunk, weights_sha256()).training(12)
    batches = Batches(views, scenes, words, TRAINING)
    first, again, other = batches(3), batches(3), batches(4)
    assert torch.equal(first.clips_BD, again.clips_BD)
    assert torch.equal(first.texts.places_X, again.texts.places_X)
    assert not torch.equal(first.clips_BD, other.clips_BD)
    assert first.texts.lengths_B.shape == (12,), "a right text and a nearly right one for each clip"
    assert first.also_true_BB.shape == (6, 6)


def test_galleries_hold_scenes_that_captions_tell_apart() -> None:
    first, second = islice(galleries("held out", 64), 2)
    assert max(first) < min(second)
    for rows in (first, second):
        texts = in_style([reader_scene(row, "held out") for row in rows], "plain")
        assert len(set(texts)) == len(rows) == 64


def test_recall_counts_nearest_neighbours_both_ways() -> None:
    points = torch.eye(3)
    assert recall(points, points).clip_to_text == recall(points, points).text_to_clip == 1
    # Text 1 lies by clip 0, and no text by clip 1.
    found = recall(points, torch.stack([points[0], 0.9 * points[0], points[2]]))
    assert found.clip_to_text == pytest.approx(2 / 3)
    assert found.text_to_clip == pytest.approx(2 / 3)


def test_changes_are_of_one_factor_that_the_caption_states() -> None:
    found = changes("color", 5)
    assert len(found) == 5
    for one in found:
        assert one.scene == reader_scene(one.row, "held out")
        differing = {name for name, value in one.scene.factors().items() if one.other.factors()[name] != value}
        assert differing == {"color"}
        assert caption(one.other, DETAILED) != caption(one.scene, DETAILED)
    assert changes("mood", 5) == []


def test_shares_are_those_of_a_random_statement() -> None:
    found = shares(60)
    assert sum(found.values()) == pytest.approx(1)
    assert found["mood"] == 0
    assert found["color"] > found["role"] > 0


def test_reference_scenes_are_nobodys_and_mixed_as_in_the_suites() -> None:
    scenes = [reference_scene(number) for number in range(78)]
    assert all(FIRST_REFERENCE_SEED <= scene.seed < FIRST_REFERENCE_SEED + 78 for scene in scenes)
    assert FIRST_REFERENCE_SEED >= LAST_SEED
    subjects = [scene.subject for scene in scenes]
    assert subjects.count("person") == 26
    assert {subject: subjects.count(subject) for subject in FACTORS["subject"].values[1:]} == dict.fromkeys(
        FACTORS["subject"].values[1:], 4
    )
