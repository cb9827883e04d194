"""A run in VBench's format: its units, its booleans, and never a 0 for what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.generator import parse_generators
from benchmarks.leaderboard import build_board
from benchmarks.manifest import MetricFacts
from benchmarks.store import Run
from benchmarks.suite import load_suite
from benchmarks.sweep import Options, run_sweep, start, with_cases
from benchmarks.vbench_export import CUSTOM, PROMPTED, ExportError, vbench_results
from eval.clip import Clip
from eval.metric import METRICS
from eval.video import write_clip

Facts = Callable[..., MetricFacts]
RunOf = Callable[..., Run]

VALUES = {
    "vbench_subject_consistency": [0.9, 0.8, 0.7],
    "vbench_background_consistency": [0.95, 0.85, 0.75],
    "vbench_temporal_flickering": [0.98, 0.97, 0.96],
    "vbench_motion_smoothness": [0.99, 0.98, 0.97],
    "vbench_dynamic_degree": [1.0, 0.0, 1.0],
    "vbench_aesthetic_quality": [0.5, 0.6, 0.7],
    "vbench_imaging_quality": [0.66, 0.56, 0.46],
}


def made(run_of: RunOf, facts: Facts, values: dict[str, list[float]] = VALUES, **options: Any) -> Run:
    options = {"generators": ["mine"]} | options
    numbers_GMC = np.array([list(values.values())] * len(options["generators"]))
    return run_of(numbers_GMC, [facts(name) for name in values], **options)


def test_the_seven_are_what_vbench_writes(run_of: RunOf, facts: Facts) -> None:
    run = made(run_of, facts)
    found = vbench_results(run)
    assert found.remarks == ()
    assert list(found.results) == list(CUSTOM)
    document = json.loads(json.dumps(found.results, allow_nan=False))
    assert document["subject_consistency"][0] == pytest.approx(0.8)
    assert [clip["video_results"] for clip in document["subject_consistency"][1]] == [0.9, 0.8, 0.7]
    assert document["dynamic_degree"][0] == pytest.approx(2 / 3)
    assert [clip["video_results"] for clip in document["dynamic_degree"][1]] == [True, False, True]
    assert document["imaging_quality"][0] == pytest.approx(0.56)
    assert [clip["video_results"] for clip in document["imaging_quality"][1]] == pytest.approx([66, 56, 46])
    assert [(clip["case"], clip["seed"]) for clip in document["imaging_quality"][1]] == [
        ("c0", 0),
        ("c1", 0),
        ("c2", 0),
    ]
    for mean, clips in document.values():
        assert isinstance(mean, float)
        assert all(set(clip) == {"video_path", "video_results", "case", "seed"} for clip in clips)


def test_a_dimension_with_a_gap_is_left_out_and_named(run_of: RunOf, facts: Facts) -> None:
    holed = VALUES | {"vbench_motion_smoothness": [0.99, np.nan, 0.97], "vbench_imaging_quality": [np.nan] * 3}
    run = made(run_of, facts, holed)
    found = vbench_results(run)
    assert set(CUSTOM) - set(found.results) == {"motion_smoothness", "imaging_quality"}
    assert found.remarks == (
        "motion_smoothness is left out: 1 of 3 clips have no value (1 skipped: skipped for a test)",
        "imaging_quality is left out: 3 of 3 clips have no value (3 skipped: skipped for a test)",
    )
    partial = vbench_results(run, incomplete=True)
    assert set(CUSTOM) - set(partial.results) == {"imaging_quality"}
    mean, clips = partial.results["motion_smoothness"]
    assert mean == pytest.approx(0.98)
    assert [clip["case"] for clip in clips] == ["c0", "c2"]
    assert "the mean of the 2 of 3 clips" in partial.remarks[0]


def test_what_is_not_done_yet_is_missing_too(run_of: RunOf, facts: Facts) -> None:
    found = vbench_results(made(run_of, facts, absent={(0, 1)}), incomplete=True)
    assert len(found.remarks) == len(CUSTOM)
    assert "1 not done yet" in found.remarks[0]
    with pytest.raises(ExportError, match="no dimension of VBench has a value"):
        vbench_results(made(run_of, facts, absent={(0, 1)}, run="r2"))


def test_other_suites_give_what_they_have(run_of: RunOf, facts: Facts) -> None:
    ours = {"temporal_flickering": [0.9, 0.8, 0.7], "vbench_overall_consistency": [0.3, 0.2, 0.1], "sharp": [1, 1, 1]}
    found = vbench_results(made(run_of, facts, ours))
    assert list(found.results) == ["temporal_flickering", *PROMPTED]
    assert found.remarks[0] == "subject_consistency is left out: suite made does not measure it"
    assert len(found.remarks) == 6


def test_a_file_is_of_one_generator(run_of: RunOf, facts: Facts) -> None:
    run = made(run_of, facts, generators=["one", "two"])
    assert vbench_results(run, "two").results
    for wrong in ("", "three"):
        with pytest.raises(ExportError, match="one of one, two"):
            vbench_results(run, wrong)


def test_the_command_writes_json_and_names_what_is_left_out(run_of: RunOf, facts: Facts, tmp_path: Path) -> None:
    run = made(run_of, facts, VALUES | {"vbench_dynamic_degree": [1.0, np.nan, 0.0]})
    target = tmp_path / "results.json"
    command = ["export", "vbench", run.id, "--runs", str(run.folder.parent)]
    result = CliRunner().invoke(app, [*command, "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "dynamic_degree is left out" in result.stderr
    document = json.loads(target.read_text())
    assert set(document) == set(CUSTOM) - {"dynamic_degree"}
    piped = CliRunner().invoke(app, [*command, "-o", "-"])
    assert json.loads(piped.stdout) == document
    wrong = CliRunner().invoke(app, [*command, "-o", str(target), "-g", "nobody"])
    assert (wrong.exit_code, wrong.stderr.count("error: ")) == (2, 1)
    assert "one of mine" in wrong.stderr


MINIMA = {"subject_consistency": 0.1462, "background_consistency": 0.2615, "temporal_flickering": 0.6293,
          "motion_smoothness": 0.706}  # fmt: skip
MAXIMA = {"motion_smoothness": 0.9975}
WEIGHTS = {"dynamic_degree": 0.5}


def test_the_suites_total_is_vbenchs_quality_score(run_of: RunOf) -> None:
    """scripts/cal_final_score.py: Σ w (x − min) / (max − min) / Σ w."""
    suite = load_suite("vbench-custom")
    assert {metric.name for metric in suite.metrics} == set(VALUES)
    facts = [MetricFacts.of(METRICS.get(name).spec) for name in VALUES]
    numbers = np.array([list(VALUES.values())])
    run = run_of(numbers, facts, generators=["mine"], models=suite.metrics, families=suite.families)
    score, weights = 0.0, 0.0
    for name, values in VALUES.items():
        dimension = name.removeprefix("vbench_")
        low, high, weight = MINIMA.get(dimension, 0), MAXIMA.get(dimension, 1), WEIGHTS.get(dimension, 1)
        score += weight * (np.mean(values) - low) / (high - low)
        weights += weight
    (row,) = build_board([run]).rows
    assert weights == 6.5
    assert row.total.value == pytest.approx(score / 6.5, abs=1e-12)


def swept(folder: Path) -> Run:
    """A run of the suite over two clips of noise."""
    (folder / "clips").mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        write_clip(Clip(rng.integers(0, 256, (8, 3, 64, 64), np.uint8), 8.0), folder / "clips" / f"{number}.mp4")
    specs = parse_generators([f"mine=folder:{folder / 'clips'}"])
    options = Options(executor="serial")
    suite = with_cases(load_suite("vbench-custom"), specs)
    return Run(run_sweep(start(suite, specs, folder / "runs", options, "r"), options).folder)


def test_clips_go_through_the_networks_and_into_the_file(pull_small: Callable[..., Path], tmp_path: Path) -> None:
    """Small random ones; MUSIQ and the aesthetic head have no small form."""
    pull_small("dino-vit-b-16", "clip-vit-b-32", "raft-things", "amt-s")
    run = swept(tmp_path)
    found = vbench_results(run)
    assert list(found.results) == list(CUSTOM[:5])
    assert [one.split()[0] for one in found.remarks] == list(CUSTOM[5:])
    assert found.results["dynamic_degree"][0] == 1.0
    assert [clip["video_results"] for clip in found.results["dynamic_degree"][1]] == [True, True]
    assert set(run.rows(status="ok")["encoder"]) == {"", "dino-vit-b-16", "clip-vit-b-32", "raft-things", "amt-s"}
    assert run.clips()["decodes"].tolist() == [1, 1]


def test_without_weights_the_other_six_are_skipped_and_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path / "weights"))
    run = swept(tmp_path)
    reasons = run.rows(status="skipped").groupby("metric")["reason"].first()
    assert len(reasons) == 6
    assert all("run `moviegen weights pull " in reason for reason in reasons)
    found = vbench_results(run)
    assert list(found.results) == ["temporal_flickering"]
    assert len(found.remarks) == 6
    assert all("weights pull" in remark for remark in found.remarks)
    for clip in found.results["temporal_flickering"][1]:
        assert Path(clip["video_path"]).is_file()
    (row,) = build_board([run]).rows
    assert row.rank is None
    assert row.coverage == pytest.approx(1 / 7)
