"""The reference model's figures on untrained weights and judges whose verdict is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from benchmarks import reference_figures
from benchmarks.generators.brackets import render_case
from benchmarks.reference_figures import (
    PARTS,
    SEEDS,
    Wanted,
    clips_wanted,
    compositions,
    diversity,
    latents,
    main,
    maker,
    mean_distance,
    measure,
    oracle,
    scene_cases,
    steps,
)
from benchmarks.verdicts import Row
from eval.case import Asked, Case
from eval.clip import Clip
from eval.hashing import clip_sha256
from moviegen.backlot import Scene, captions
from moviegen.generate import Reference, load_reference
from moviegen.sampling import Sampler
from moviegen.training.mixture import is_held_out

SMALL = Asked(width=16, height=16, fps=8.0, duration_s=0.5)


@pytest.fixture
def reference(shipped_untrained: Path) -> Reference:
    return load_reference()


def exact(clip: Clip, case: Case) -> dict[str, float]:
    """A judge that knows the oracle's clip when it sees it, in colour; the subject it always finds."""
    color = float(clip_sha256(clip) == clip_sha256(render_case(case)))
    return {"overall": (color + 1) / 2, "color": color, "subject": 1.0}


def _values(rows: Sequence[Row]) -> dict[tuple[str, str, str], float | None]:
    return {(row.of, row.figure, row.factor): row.value.value for row in rows}


def test_scenes_of_a_split_in_every_phrasing() -> None:
    for split in ("seen", "novel"):
        cases = scene_cases(split, 12, SMALL)
        scenes = [Scene.from_dict(case.truth["scene"]) for case in cases if case.truth is not None]
        assert {is_held_out(scene) for scene in scenes} == {split == "novel"}
        assert all(case.prompt in captions(scene) for case, scene in zip(cases, scenes, strict=True))
        assert len({case.id for case in cases}) == 12


def test_the_oracle_is_right_and_a_model_is_judged_beside_it(reference: Reference) -> None:
    make = maker(reference, Sampler(steps=1), batch=2)
    found = _values(compositions(make, 3, SMALL, exact))
    for of in ("seen", "held out"):
        assert found[of, "accuracy", "overall"] == 0.5
        assert found[of, "share of the oracle's", "color"] == 0.0
        assert found[of, "share of the oracle's", "subject"] == 1.0
    assert found["held out - seen", "difference in accuracy", "color"] == 0.0


def test_batches_do_not_change_which_clip_answers_which_case(reference: Reference) -> None:
    cases = [replace(case, seed=n) for n, case in enumerate(scene_cases("seen", 3, SMALL))]
    told: list[int] = []
    together = list(maker(reference, Sampler(steps=1), 2, told.append)(cases))
    alone = list(maker(reference, Sampler(steps=1), 1)(cases))
    assert told == [2, 1]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.frames_TCHW.astype(int), other.frames_TCHW, atol=1)


def test_diversity_is_that_of_the_oracle_for_the_oracle_and_nothing_for_one_clip(reference: Reference) -> None:
    cases = scene_cases("seen", 2, SMALL)

    def one_clip(asked: Sequence[Case]) -> Iterator[Clip]:
        return (render_case(replace(case, seed=0)) for case in asked)

    same = _values(diversity(reference, oracle, cases))
    none = _values(diversity(reference, one_clip, cases))
    for view in ("pictures", "latents"):
        assert same["reference", "share of the oracle's", view] == pytest.approx(1.0)
        assert none["reference", "distance between seeds", view] == 0.0
        distance = same["oracle", "distance between seeds", view]
        assert distance is not None
        assert distance > 0.01


def test_mean_distance() -> None:
    assert mean_distance(np.array([[0.0, 0.0], [3.0, 3.0], [0.0, 0.0]])) == pytest.approx(2.0)


def test_steps_are_compared_on_the_same_noise(reference: Reference) -> None:
    cases = scene_cases("seen", 2, SMALL)
    hashes: list[str] = []

    def note(clip: Clip, case: Case) -> dict[str, float]:
        hashes.append(clip_sha256(clip))
        return {"overall": 1.0, "color": 1.0}

    same = {name: maker(reference, Sampler(steps=2), 2) for name in ("few", "many")}
    rows = _values(steps(same, cases, note))
    assert hashes[:2] == hashes[2:]
    assert rows["few - many", "difference in accuracy", "color"] == 0.0


def test_fewer_channels_hold_less_of_the_oracles_clips(reference: Reference) -> None:
    cases = scene_cases("seen", 2, SMALL)

    def near(clip: Clip, case: Case) -> dict[str, float]:
        away = np.abs(clip.frames_TCHW.astype(float) - render_case(case).frames_TCHW).mean() / 255
        return {"overall": 1 - away, "subject": 1.0}

    told: list[int] = []
    found = _values(latents(reference, cases, near, told.append))
    some, whole = (
        found[of, "share of the oracle's", "overall"]
        for of in (f"{reference.preset.latent_channels} channels", "all channels")
    )
    assert some is not None
    assert whole is not None
    assert some < whole < 1
    assert sum(told) == 4


def test_the_whole_measurement_makes_as_many_clips_as_it_says(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(SMALL, duration_s=0.125)

    class OneCase:
        def expand(self) -> Iterator[Case]:
            return iter([replace(case, asked=small) for case in scene_cases("seen", 3, small)])

    monkeypatch.setattr(reference_figures, "load_suite", lambda _: OneCase())
    monkeypatch.setattr(reference_figures, "FINE", Sampler(steps=3, schedule="linear"))
    wanted = Wanted(PARTS, 2, 2, 1, 4)
    told: list[int] = []
    models = {"reference": reference, "reference-early": load_reference(checkpoint="reference-early")}
    rows = measure(models, Sampler(steps=1), exact, wanted, told.append)
    assert sum(told) == clips_wanted(wanted, 2) == 2 * 2 + 2 * 2 + SEEDS + 2 * 2 + 2 * 2
    assert {row.part for row in rows} == set(wanted.parts)
    found = _values(rows)
    assert found["oracle", "accuracy", "overall"] == 1.0
    assert found["reference-early", "share of the oracle's", "color"] == 0.0
    assert ("1 linear-quadratic steps - 3 linear steps", "difference in accuracy", "color") in found


def _run(*words: str) -> Result:
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, list(words))


def test_the_command_prints_tables_or_one_document(shipped_untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_figures, "backlot_judge", lambda: exact)
    monkeypatch.setattr(reference_figures, "Sampler", lambda **_: Sampler(steps=1))
    words = ("accuracy", "--cases", "2", "--weights", str(shipped_untrained / "reference.safetensors"))
    table = _run(*words)
    assert table.exit_code == 0, table.output
    assert "share of the oracle's" in table.stdout
    document = json.loads(_run(*words, "--json").stdout)
    (color,) = [
        f for f in document["figures"] if (f["of"], f["figure"], f["factor"]) == ("oracle", "accuracy", "color")
    ]
    assert color["value"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert {row["of"] for row in document["figures"]} == {"oracle", "reference"}
    assert document["sampler"]["steps"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("accurracy",), "unknown part 'accurracy': choose among accuracy, compositions, diversity, steps, latents"),
        ((), "no shipped weights called 'reference'"),
        (("--guidance", "-1"), "guidance lies between 0 and 100"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moviegen.weights.FOLDER", tmp_path)
    monkeypatch.setattr(reference_figures, "backlot_judge", lambda: exact)
    result = _run(*words)
    assert (result.exit_code, len(result.stderr.strip().splitlines())) == (2, 1), result.output
    assert says in result.stderr
