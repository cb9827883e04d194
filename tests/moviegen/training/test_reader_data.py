"""The reader's scenes, labels, damages and figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.reference_clips import FIRST_SEED as REFERENCE_SEED
from benchmarks.suite import SUITES_FOLDER, load_suite, suite_names
from moviegen.backlot import FACTORS, sample_scene
from moviegen.training import mixture, tae_data
from moviegen.training.reader_augment import DAMAGES, augmented
from moviegen.training.reader_data import (
    CELLS,
    FACTORS_READ,
    FIRST_SEED,
    FRAMES,
    LAST_SEED,
    LOOKS,
    SIZE,
    ClipsError,
    collides,
    covered,
    flat_scene,
    labels_of,
    make_clips,
    mirrored,
    reader_scene,
    rendered,
    visible,
)
from moviegen.training.reader_figures import figures

NAMES = [factor.name for factor in FACTORS_READ]


def test_nothing_that_is_judged_or_trained_elsewhere_is_among_the_readers_scenes() -> None:
    ours = range(min(FIRST_SEED.values()), LAST_SEED)
    for name in suite_names():
        cases = list(load_suite(name).expand())
        seeds = [case.truth["scene"]["seed"] for case in cases if case.truth is not None]
        assert all(seed not in ours for seed in seeds), name
    reference = yaml.safe_load((SUITES_FOLDER / "backlot.reference.yaml").read_text())
    assert f"scenes {REFERENCE_SEED} to" in reference["made_by"]
    others = [*mixture._FIRST_SEED.values(), tae_data.TRAINING_SEEDS, REFERENCE_SEED]
    assert all(first not in ours for first in others)
    # The mixture's last split begins below ours and would take 2^42 / 1024 scenes to get here.
    assert max(mixture._FIRST_SEED.values()) + 1024 * 1_000_000_000 < ours.start
    first = sorted(FIRST_SEED.values())
    assert all(late - early > 1_000_000_000 for early, late in zip(first, [*first[1:], LAST_SEED], strict=True))


def test_flat_scenes_take_every_value_and_hang_on_their_seed() -> None:
    scenes = [flat_scene(seed) for seed in range(600)]
    assert scenes[5] == flat_scene(5)
    for name, factor in FACTORS.items():
        seen = {scene.factors()[name] for scene in scenes}
        assert set(factor.values) <= seen, name
    assert any(scene.subject == "dog" and scene.color == "green" for scene in scenes)


def test_training_scenes_are_natural_and_flat_in_turn() -> None:
    assert reader_scene(0, "train") == sample_scene(FIRST_SEED["train"])
    assert reader_scene(1, "train") == flat_scene(FIRST_SEED["train"] + 1)
    assert reader_scene(1, "held out") == sample_scene(FIRST_SEED["held out"] + 1)


def test_labels_name_what_shows() -> None:
    scene = sample_scene(3, subject="dog", action="run", color="black", other="none", heading="left", shot="wide")
    labels = dict(zip(NAMES, labels_of(visible(scene)), strict=True))
    assert FACTORS["subject"].values[labels["subject"]] == "dog"
    assert labels["heading"] == 0
    assert labels["role"] == labels["other_color"] == labels["beard"] == -1
    bald = sample_scene(3, subject="person", hair_style="bald", skin=4, action="wave")
    labels = dict(zip(NAMES, labels_of(visible(bald)), strict=True))
    assert labels["hair_color"] == labels["heading"] == labels["count"] == -1
    assert labels["skin"] == 1, "tones 3 and 4 have one word"


def test_of_two_that_collide_the_left_one_is_the_subject() -> None:
    crash = sample_scene(
        4, subject="dog", color="black", action="collide", other="box", other_color="red", relation="right of"
    )
    seen = visible(crash)
    assert (seen["subject"], seen["color"], seen["other"], seen["other_color"]) == ("box", "red", "dog", "black")
    cells = covered(crash)
    centre = [np.average(np.arange(CELLS), weights=cells[0, who].sum(axis=0)) for who in (0, 1)]
    assert centre[0] < centre[1]


def test_cells_are_covered_where_the_picture_differs() -> None:
    scene = sample_scene(4, subject="ball", color="red", action="bounce", setting="studio", other="none", count=1,
                         camera="static", shot="medium")  # fmt: skip
    cells = covered(scene)
    assert cells.shape == (len(LOOKS), 2, CELLS, CELLS)
    assert cells[:, 1].max() == 0
    frames = rendered(scene).astype(int)
    red = (frames[..., 0] - frames[..., 1:].max(axis=-1) > 60)[list(LOOKS)]
    shares = red.reshape(len(LOOKS), CELLS, SIZE // CELLS, CELLS, SIZE // CELLS).mean(axis=(2, 4))
    assert np.corrcoef(shares.ravel(), cells[:, 0].ravel())[0, 1] > 0.8, "but for the outline and the shine"


def test_a_mirror_swaps_sides_and_nothing_else() -> None:
    rows = np.stack([labels_of(visible(reader_scene(n, "train"))) for n in range(200)])
    twice = mirrored(mirrored(rows))
    assert np.array_equal(twice, rows)
    changed = {NAMES[f] for f in np.flatnonzero((mirrored(rows) != rows).any(axis=0))}
    assert changed == {"heading", "relation", "camera", "subject", "other", "color", "other_color"}
    plain = rows[~collides(rows)]
    changed = {NAMES[f] for f in np.flatnonzero((mirrored(plain) != plain).any(axis=0))}
    assert changed == {"heading", "relation", "camera"}
    pan = sample_scene(1, camera="pan left", heading="left", subject="dog", action="walk", other="none")
    seen = mirrored(labels_of(visible(pan))[None])[0]
    turned = sample_scene(1, camera="pan right", heading="right", subject="dog", action="walk", other="none")
    assert np.array_equal(seen, labels_of(visible(turned)))


def test_in_a_mirror_the_other_of_two_that_collide_is_on_the_left() -> None:
    crash = {"subject": "dog", "color": "black", "action": "collide", "other": "box", "other_color": "red"}
    one, other = (sample_scene(4, camera="static", relation=side, **crash) for side in ("left of", "right of"))
    assert np.array_equal(mirrored(labels_of(visible(one))[None])[0], labels_of(visible(other)))


@pytest.mark.parametrize("damage", [damage for _, damage in DAMAGES])
def test_damage_changes_pixels_but_neither_form_nor_sides(damage) -> None:  # type: ignore[no-untyped-def]
    frames = rendered(sample_scene(2, subject="dog", action="run", camera="static", other="none"))
    spoilt = damage(frames, np.random.default_rng(0))
    assert spoilt.shape == frames.shape
    assert spoilt.dtype == np.uint8
    assert not np.array_equal(spoilt, frames)
    difference = [np.abs(spoilt.astype(int) - frames[..., ::step, :]).mean() for step in (1, -1)]
    assert difference[0] < 12
    assert difference[0] < difference[1]


def test_augmentation_is_a_function_of_its_random_numbers() -> None:
    frames = rendered(sample_scene(2))[:8]
    one, same = (augmented(frames, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, same)
    many = [augmented(frames, np.random.default_rng(seed)) for seed in range(40)]
    untouched = sum(np.array_equal(each, frames) for each in many)
    assert 6 <= untouched <= 30


def test_clips_are_rendered_once_and_read_back(tmp_path: Path) -> None:
    ticks: list[int] = []
    clips = make_clips(tmp_path, "train", 2, lambda: ticks.append(1))
    assert len(clips) == len(ticks) == 2
    assert np.array_equal(clips.frames(0), rendered(reader_scene(0, "train")))
    assert clips.cells(1).shape == (len(LOOKS), 2, CELLS, CELLS)
    make_clips(tmp_path, "train", 2, lambda: ticks.append(1))
    assert len(ticks) == 2, "nothing is rendered twice"
    path = next(tmp_path.glob("*-2.npy"))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ClipsError, match="damaged"):
        make_clips(tmp_path, "train", 2)
    np.save(path, np.zeros((2, FRAMES, 8, 8, 3), np.uint8))
    with pytest.raises(ClipsError, match="holds something else"):
        make_clips(tmp_path, "train", 2)


def test_figures_count_hits_where_the_factor_shows() -> None:
    labels = np.stack([labels_of(visible(reader_scene(n, "held out"))) for n in range(60)])
    right = np.maximum(labels, 0)
    perfect = figures(right, labels)
    assert all(one.hits == one.counted == one.confusion_KK.trace() for one in perfect.values())
    assert perfect["subject"].counted == 60
    assert perfect["role"].counted == int((labels[:, NAMES.index("subject")] == 0).sum())
    dogs = right.copy()
    dogs[:, NAMES.index("subject")] = FACTORS["subject"].values.index("dog")
    found = figures(dogs, labels)
    assert found["role"].hits == 0, "a dog has no role"
    assert found["setting"].accuracy == 1
