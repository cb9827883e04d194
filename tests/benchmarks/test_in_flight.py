"""Clips in flight in a sweep and in `moviegen score`; the prompts that metrics see there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks import in_flight
from benchmarks.generator import parse_generators
from benchmarks.scoring import Setup, score_paths
from benchmarks.store import Run
from benchmarks.suite import MetricModel, load_suite
from benchmarks.sweep import Options, run_sweep, start
from eval.case import Asked
from eval.encoders.accumulators import FrameEncoding
from eval.encoders.runner import Runner
from eval.feature import FEATURES, Feature
from eval.metric import METRICS, Measured, Metric, MetricSpec

CASES = 4
KEYS = ["generator", "case", "seed", "metric"]


@dataclass
class StandIn:
    """A network in place of CLIP, and a GPU that is none."""

    runner: Runner
    gpu: bool = False

    def device(self) -> torch.device:
        return torch.device("cuda" if self.gpu else "cpu")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    runner = Runner("clip-vit-b-32", lambda frames: frames.float().mean(dim=(2, 3)), device="cpu", batch=24)
    made = StandIn(runner)
    FEATURES.names(), METRICS.names()  # load the real ones before they are copied
    feature = Feature("t_means", 1, "picture", lambda _: FrameEncoding(runner), encoder="clip-vit-b-32")
    monkeypatch.setattr(FEATURES, "_parts", FEATURES._parts | {"t_means": feature})
    plain = MetricSpec("t_red", 1, "picture", "1", 0.0, 1e6, "band", ("t_means",), "test", "test", "test")
    functions: dict[str, Callable[[Measured], float]] = {
        "t_red": lambda measured: float(measured["t_means"]["features_TD"][:, 0].mean()),
        "t_prompts": lambda measured: len(measured.prompts),
    }
    metrics = {name: Metric(replace(plain, name=name), function) for name, function in functions.items()}
    monkeypatch.setattr(METRICS, "_parts", METRICS._parts | metrics)
    monkeypatch.setattr(in_flight, "device", made.device)
    return made


def sweep(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and clips of a sweep in this process."""
    smoke = load_suite("smoke")
    metrics = tuple(MetricModel(name=name) for name in ("t_red", "t_prompts", "temporal_flickering"))
    suite = smoke.model_copy(update={"cases": smoke.cases[:CASES], "metrics": metrics, "set_metrics": ()})
    options = Options(executor="serial")
    run = Run(run_sweep(start(suite, parse_generators(["oracle,noise"]), root, options, "r"), options).folder)
    return run.rows().sort_values(KEYS, ignore_index=True), run.clips()


def test_a_sweep_with_clips_in_flight_gives_the_same_rows_in_fuller_batches(stand_in: StandIn, tmp_path: Path) -> None:
    alone, clips = sweep(tmp_path / "alone")
    frames, calls = stand_in.runner.items, stand_in.runner.calls
    assert frames == clips["frames"].sum(), "every frame is encoded once"
    stand_in.gpu = True
    together, clips = sweep(tmp_path / "together")
    unlike = ["seconds"]
    pd.testing.assert_frame_equal(together.drop(columns=unlike), alone.drop(columns=unlike))
    assert set(together["status"]) == {"ok"}
    assert stand_in.runner.items == 2 * frames
    assert stand_in.runner.calls - calls == -(-frames // 24) < calls
    assert clips["computed"].map(list).map(sorted).map(tuple).unique().tolist() == [("frame_changes", "t_means")]
    assert (clips["decodes"] == 1).all()
    assert not list((tmp_path / "together" / "r").glob(".tmp-*"))


def test_every_metric_sees_the_suites_different_prompts(stand_in: StandIn, tmp_path: Path) -> None:
    rows, _ = sweep(tmp_path)
    prompts = {case.prompt for case in load_suite("smoke").cases[:CASES]}
    assert rows.loc[rows["metric"] == "t_prompts", "value"].unique().tolist() == [len(prompts)]


def test_clips_that_cannot_be_made_or_read_do_not_wait_for_others(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.gpu = True
    paths = clips_of(tmp_path)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no clip")
    scored = list(score_paths([*paths[:2], broken, *paths[2:]], setup(dict.fromkeys(paths, "a cat")), "serial"))
    assert [clip.path for clip in scored] == [broken, *paths], "what has no scores is there at once"
    assert scored[0].error
    assert all(score.status == "ok" for clip in scored[1:] for score in clip.scores)


def test_scoring_with_clips_in_flight_gives_the_same_scores(stand_in: StandIn, tmp_path: Path) -> None:
    paths = clips_of(tmp_path)
    words = ["a cat", "a dog", "a cat", ""]
    asked = setup(dict(zip(paths, words, strict=True)))
    alone = list(score_paths(paths, asked, "serial"))
    stand_in.gpu = True
    together = list(score_paths(paths, asked))
    for one, other in zip(alone, together, strict=True):
        assert (one.path, one.findings, one.sha256) == (other.path, other.findings, other.sha256)
        assert [score.value for score in other.scores] == pytest.approx([score.value for score in one.scores])
    assert {clip.scores[1].value for clip in together} == {2.0}, "two different prompts"


def clips_of(folder: Path) -> list[Path]:
    _, clips = sweep(folder)
    return [path for file in clips["file"][:4] if (path := Run(folder / "r").clip_path(file)) is not None]


def setup(prompts: dict[Path, str]) -> Setup:
    return Setup(("t_red", "t_prompts"), None, Asked(), prompts)


def test_only_open_encoders_on_a_gpu_take_clips_to_one_process(stand_in: StandIn) -> None:
    open_encoder, backlot, plain = (
        [METRICS.get(name)] for name in ("t_red", "backlot_prompt_accuracy", "temporal_flickering")
    )
    for metrics in (open_encoder, backlot, plain):
        assert in_flight.usual_executor(metrics) == "processes"
        assert in_flight.clips_ahead(metrics) == 0
    stand_in.gpu = True
    for metrics in (backlot, plain):
        assert in_flight.usual_executor(metrics) == "processes"
    assert in_flight.usual_executor(open_encoder) == "serial"
    assert in_flight.clips_ahead(open_encoder) == in_flight.IN_FLIGHT
    assert in_flight.usual_executor(plain, also=["t_means"]) == "serial"
