"""Set metrics in sweeps: every set measured once, gaps with their reasons, never a number where there is none.

Shape legend: T frames, C channels, H height, W width, D dimensions.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.generator import parse_generators
from benchmarks.leaderboard import build_board
from benchmarks.real_clips import clips_below, folder_model
from benchmarks.set_rows import FILE, NOT_RANKED, SetRow
from benchmarks.set_scoring import Answer, chosen
from benchmarks.store import Run, RunWriter
from benchmarks.suite import MetricModel, RealModel, Suite, SuiteError, parse_suite, with_real
from benchmarks.sweep import Options, run_sweep, start, with_cases
from eval.clip import Clip, ClipInfo, Window
from eval.distribution.measures import EVERY, Numbers, register
from eval.distribution.spec import SET_METRICS
from eval.encoders.folder import VARIABLE
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable
from eval.video import write_clip

SERIAL = Options(executor="serial")
CLIPS = 52
MEASURED = ("t_frechet_distance", "t_frechet_limit", "t_kernel_distance", "t_precision", "t_coverage")


class Quarters:
    """Four numbers: the mean of each quarter of the first frame, about -1 to 1. A black clip has none."""

    def __init__(self, info: ClipInfo) -> None:
        self.quarters_D: np.ndarray | None = None

    def update(self, window: Window) -> None:
        if self.quarters_D is None:
            first_HW = window.frames_TCHW[0].mean(axis=0)
            half_H, half_W = (length // 2 for length in first_HW.shape)
            parts = [first_HW[y : y + half_H, x : x + half_W].mean() for y in (0, half_H) for x in (0, half_W)]
            self.quarters_D = np.array(parts, np.float32) / 64 - 2

    def finish(self) -> Arrays:
        assert self.quarters_D is not None
        if (self.quarters_D < -1.95).all():
            raise NotMeasurable("nothing but black")
        return {"set_D": self.quarters_D}


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Set metrics t_… on four numbers that no network computes, in this process; no weights anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("no-weights")))
        for registry in (FEATURES, SET_METRICS):
            registry.names()  # load the real ones before they are copied
            patch.setattr(registry, "_parts", dict(registry._parts))
        for module in ("scoring", "set_features"):
            patch.setattr(f"benchmarks.{module}.usual_executor", lambda *_: "serial")
        FEATURES.add("t_quarters", Feature("t_quarters", 1, "picture", Quarters))
        register(Numbers("t", "t_quarters", "set_D", "clip", "four means"), EVERY)
        yield


def write_clips(folder: Path, count: int, *, seed: int, level: float = 128, names: str = "{}") -> Path:
    """Tiny clips of four flat quarters about `level`."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        quarters_22 = np.clip(level + 25 * random.normal(size=(2, 2)), 1, 255)
        frame_HW = np.kron(quarters_22, np.ones((16, 16))).astype(np.uint8)
        frames_TCHW = np.broadcast_to(frame_HW, (2, 3, 32, 32)).copy()
        write_clip(Clip(frames_TCHW, 8.0), folder / f"{names.format(number)}.mp4")
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders real, good (of one distribution with it) and dark; the same case names in both."""
    root = tmp_path_factory.mktemp("sets")
    write_clips(root / "real", CLIPS, seed=0)
    write_clips(root / "good", CLIPS, seed=1)
    write_clips(root / "dark", CLIPS, seed=2, level=60)
    return root


def suite_for(real: Path | None, sets: tuple[str, ...] = MEASURED, **changes: object) -> Suite:
    model = None if real is None else folder_model(clips_below(real))
    metrics = (MetricModel(name="asked_fps", weight=0),)
    made = Suite(name="made", version=1, metrics=metrics, set_metrics=sets, real=model)
    return made.model_copy(update=changes)


def sweep(suite: Suite, folders: dict[str, Path], root: Path, real: Path | None, name: str = "r") -> Path:
    specs = parse_generators([f"{generator}=folder:{folder}" for generator, folder in folders.items()])
    whole = with_cases(suite, specs)
    return run_sweep(start(whole, specs, root, SERIAL, name, str(real or "")), SERIAL).folder


def rows_of(folder: Path) -> dict[tuple[str, str], SetRow]:
    return {(row.generator, row.metric): row for row in Run(folder).set_rows()}


GAPS = "<b>gaps</b>"


@pytest.fixture(scope="module")
def swept(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of good, dark, and a folder of the good ones in which one is not there and one is broken. Read-only."""
    root = tmp_path_factory.mktemp("swept")
    shutil.copytree(clips / "good", root / "gaps")
    (root / "gaps" / "7.mp4").unlink()
    (root / "gaps" / "8.mp4").write_bytes(b"no clip")
    folders = {"good": clips / "good", "dark": clips / "dark", GAPS: root / "gaps"}
    return sweep(suite_for(clips / "real"), folders, root / "runs", clips / "real")


def test_every_generator_has_a_row_for_every_set_metric(swept: Path) -> None:
    rows, run = rows_of(swept), Run(swept)
    assert set(rows) == {(generator, metric) for generator in ("good", "dark", GAPS) for metric in MEASURED}
    whole = [row for row in rows.values() if row.generator != GAPS]
    assert {(row.status, row.reason, row.clips, row.expected) for row in whole} == {("ok", "", CLIPS, CLIPS)}
    for metric in MEASURED:
        good, dark = rows["good", metric], rows["dark", metric]
        better = good.value > dark.value if metric in {"t_precision", "t_coverage"} else good.value < dark.value
        assert better, metric
        assert good.low <= good.value <= good.high
        assert good.real_clips == CLIPS
    answered = run.clips(status="ok")
    assert (answered["decodes"] <= 1).all(), "the sets' features come from the decode that the metrics use"
    assert all("t_quarters" in names for names in run.clips(generator="good")["computed"])
    assert run.manifest.status == "complete"


def test_a_resumed_sweep_measures_each_set_once(clips: Path, tmp_path: Path) -> None:
    folder = sweep(suite_for(clips / "real"), {"good": clips / "good"}, tmp_path, clips / "real")
    before = (folder / FILE).read_bytes()
    assert run_sweep(RunWriter(folder), SERIAL).sets == 0
    assert (folder / FILE).read_bytes() == before
    (folder / FILE).unlink()  # as if killed before they were written, and the cache emptied since
    shutil.rmtree(tmp_path / ".cache")
    assert run_sweep(RunWriter(folder), SERIAL).sets == len(MEASURED)
    again = {key: replace(row, seconds=0) for key, row in rows_of(folder).items()}
    (folder / FILE).write_bytes(before)
    assert again == {key: replace(row, seconds=0) for key, row in rows_of(folder).items()}


def test_gaps_are_counted(swept: Path) -> None:
    rows = rows_of(swept)
    distance, kernel = rows[GAPS, "t_frechet_distance"], rows[GAPS, "t_kernel_distance"]
    assert (distance.clips, distance.expected, distance.status) == (CLIPS - 2, CLIPS, "ok")
    assert distance.reason == f"{NOT_RANKED}50 of 52 clips, and this measure depends on their number"
    assert not distance.ranks
    assert kernel.ranks, "the kernel distance is unbiased at every size"
    assert rows["good", "t_frechet_distance"].ranks


def test_too_many_gaps_leave_no_number(swept: Path, clips: Path, tmp_path: Path) -> None:
    gaps = swept.parent.parent / "gaps"
    strict = suite_for(clips / "real", ("t_kernel_distance",), minimum_coverage=0.98)
    folders = {"gaps": gaps, "good": clips / "good"}
    row = rows_of(sweep(strict, folders, tmp_path, clips / "real"))["gaps", "t_kernel_distance"]
    assert (row.status, row.value, row.clips) == ("skipped", None, CLIPS - 2)
    assert row.reason.startswith("50 of 52 clips, and the suite asks for 98.0%: ")


def test_no_number_for_one_clip_copies_or_clips_without_the_feature(clips: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "one", 1, seed=1)
    first = tmp_path / "one" / "0.mp4"
    (tmp_path / "copies").mkdir()
    for number in range(7):
        shutil.copy(first, tmp_path / "copies" / f"{number}.mp4")
    write_clips(tmp_path / "black", 3, seed=1, level=-100)
    for name, says in (("one", "holds 1 clip"), ("copies", "same features"), ("black", "nothing but black")):
        rows = rows_of(sweep(suite_for(clips / "real"), {name: tmp_path / name}, tmp_path, clips / "real", name))
        for row in rows.values():
            assert (row.status, row.value, row.low) == ("skipped", None, None)
            assert says in row.reason


def test_few_clips_have_a_value_that_is_not_ranked(clips: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "few", 9, seed=1)
    rows = rows_of(sweep(suite_for(clips / "real"), {"few": tmp_path / "few"}, tmp_path, clips / "real"))
    assert rows["few", "t_frechet_distance"].reason == "not ranked: 9 samples, and 4 dimensions need 20"
    assert rows["few", "t_frechet_distance"].value is not None
    limit = rows["few", "t_frechet_limit"]
    assert (limit.status, limit.value) == ("skipped", None), "an extrapolation of nine clips is no number"


def test_what_there_is_to_compare_with_decides(clips: Path, tmp_path: Path) -> None:
    good = {"good": clips / "good"}
    (row, *_) = rows_of(sweep(suite_for(None), good, tmp_path, None, "none")).values()
    assert (row.status, row.reason) == ("skipped", "no real clips to compare with: --real FOLDER, or --real backlot")
    computed = Run(tmp_path / "none").clips()["computed"]
    assert not any("t_quarters" in names for names in computed), "no feature that nothing can be done with"
    shutil.copytree(clips / "real", tmp_path / "real")
    suite = suite_for(tmp_path / "real")
    (tmp_path / "real" / "3.mp4").unlink()
    (row, *_) = rows_of(sweep(suite, good, tmp_path, tmp_path / "real", "changed")).values()
    assert (row.status, row.value) == ("skipped", None)
    assert "changed since the run began" in row.reason


def test_missing_weights_name_the_command(clips: Path, tmp_path: Path) -> None:
    suite = suite_for(clips / "real", ("fvd", "t_precision"))
    rows = rows_of(sweep(suite, {"good": clips / "good"}, tmp_path, clips / "real"))
    assert rows["good", "fvd"].status == "skipped"
    assert "moviegen weights pull i3d-k400" in rows["good", "fvd"].reason
    assert rows["good", "t_precision"].status == "ok"


def test_diversity_is_over_seeds_and_distances_take_one_of_each_case() -> None:
    answers = [Answer(case, seed) for case, seeds in (("a", 4), ("b", 1), ("c", 3)) for seed in reversed(range(seeds))]
    assert [(a.case, a.seed) for a in chosen(answers, "distribution")] == [("a", 0), ("b", 0), ("c", 0)]
    pairs = [(a.case, a.seed) for a in chosen(answers, "diversity")]
    assert pairs == [("a", 0), ("a", 1), ("a", 2), ("c", 0), ("c", 1), ("c", 2)]
    assert chosen(answers[4:5], "diversity") == []


def test_diversity_drops_a_case_that_lacks_a_seed(clips: Path, tmp_path: Path) -> None:
    from benchmarks.real_clips import FolderReal
    from benchmarks.set_features import StoredFeatures
    from benchmarks.set_scoring import blank_row, measured_row

    stored = StoredFeatures(tmp_path / "cache", "serial")
    real = FolderReal(clips_below(clips / "real"), stored)
    found = list(clips_below(clips / "good").items())[:24]
    answers = [Answer(f"c{n // 3}", n % 3, sha256, path) for n, (sha256, path) in enumerate(found)]
    metric = SET_METRICS.get("t_diversity")
    whole = measured_row(blank_row(metric, "g", answers, real.sha256), metric, answers, real, stored, 0.5)
    assert (whole.status, whole.samples, whole.clips, whole.ranks) == ("ok", 8, 24, True)
    assert 1 < whole.value < 3
    answers[0] = Answer("c0", 0, reason="over quota")
    blank = blank_row(metric, "g", answers, real.sha256)
    assert blank.inputs_sha256 != blank_row(metric, "g", answers[1:], real.sha256).inputs_sha256
    less = measured_row(blank, metric, answers, real, stored, 0.5)
    assert (less.samples, less.clips, less.expected, less.ranks) == (7, 21, 24, False)
    alone = [answer for answer in answers if answer.seed == 1]
    none = measured_row(blank_row(metric, "g", alone, real.sha256), metric, alone, real, stored, 0.5)
    assert (none.status, none.expected) == ("skipped", 0)
    assert "no case has two seeds" in none.reason


def test_a_bug_in_a_measure_is_its_own_rows_reason(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setitem(SET_METRICS._parts, "t_recall", replace(SET_METRICS.get("t_recall"), function=broken))
    suite = suite_for(clips / "real", ("t_recall", "t_precision"))
    rows = rows_of(sweep(suite, {"good": clips / "good"}, tmp_path, clips / "real"))
    assert (rows["good", "t_recall"].status, rows["good", "t_recall"].reason) == ("failed", "ZeroDivisionError: oops")
    assert rows["good", "t_precision"].status == "ok"


def test_the_hash_follows_set_metrics_and_real_clips() -> None:
    bare = {"name": "s", "version": 1, "metrics": [{"name": "sharpness"}]}
    suite = parse_suite(bare, "s")
    assert "set_metrics" not in suite.model_dump(mode="json"), "older suites keep their hash"
    real = {"source": "folder", "clips": 3, "clips_sha256": "0" * 64}
    hashes = {
        parse_suite({**bare, **more}, "s").sha256
        for more in ({}, {"set_metrics": ["fvd"]}, {"real": real}, {"real": {**real, "clips_sha256": "1" * 64}})
    }
    assert len(hashes) == 4
    with pytest.raises(SuiteError, match=r"set_metrics\[0\]: unknown set metric 'fdv': did you mean 'fvd'"):
        parse_suite({**bare, "set_metrics": ["fdv"]}, "s")
    with pytest.raises(SuiteError, match="set metric given twice"):
        parse_suite({**bare, "set_metrics": ["fvd", "fvd"]}, "s")
    model = RealModel(**real)
    with pytest.raises(SuiteError, match="no set metrics"):
        with_real(suite, model)
    assert with_real(suite, model, ["fvd"]).set_metrics == ("fvd",)


def test_boards_show_sets_beside_the_totals_and_outside_them(swept: Path) -> None:
    board = build_board([Run(swept)])
    assert [column.name for column in board.set_columns] == list(MEASURED)
    document = json.loads(board.to_json())
    good = next(row for row in document["generators"] if row["generator"] == "good")
    cell = good["sets"]["t_kernel_distance"]
    assert {"value", "low", "high", "samples", "clips", "expected", "status", "reason", "ranks"} <= set(cell)
    assert cell["low"] <= cell["value"] <= cell["high"]
    assert document["sets"][0]["name"] == "t_frechet_distance"
    assert not set(board.families) & {"distribution", "diversity"}
    assert good["total"]["value"] is None, "the one metric weighs nothing, and sets are no part of a total"
    assert "t_precision low" in board.to_csv().splitlines()[0]
    assert "50 of 52 clips" in board.to_csv()
    page = board.to_html()
    assert GAPS not in page
    assert "t_coverage" in page
    assert f"{CLIPS}/{CLIPS} clips" in page
    assert "50 of 52 clips, and this measure depends on their number" in page


def test_a_run_that_was_not_measured_yet_says_so(swept: Path, tmp_path: Path) -> None:
    shutil.copytree(swept, tmp_path / "r")
    (tmp_path / "r" / FILE).unlink()
    cell = build_board([Run(tmp_path / "r")]).rows[0].sets["t_precision"]
    assert (cell.status, cell.value.value) == ("missing", None)
    assert "moviegen sweep --resume r" in cell.reason


def command(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_score_measures_a_folder_against_real_clips(clips: Path, tmp_path: Path) -> None:
    against = ("--real", clips / "real", "-m", "t_precision,sharpness", "-m", "t_frechet_distance", "--workers", 1)
    write_clips(tmp_path / "few", 3, seed=5)
    status, text, _ = command("score", tmp_path / "few", *against, "--json", "--no-cache")
    document = json.loads(text)
    assert status == 0
    assert [row["metric"] for row in document["clips"][0]["rows"]] == ["sharpness"]
    by_name = {row["metric"]: row for row in document["sets"]}
    assert list(by_name) == ["t_precision", "t_frechet_distance"]
    assert by_name["t_precision"]["status"] == "skipped"
    assert by_name["t_frechet_distance"]["reason"].startswith(NOT_RANKED)
    assert {"encoder", "version", "low", "high", "samples", "clips", "expected"} <= set(by_name["t_precision"])
    status, text, _ = command("score", tmp_path / "few", *against, "--cache", tmp_path / "cache")
    assert status == 0
    assert "t_frechet_distance" in text
    assert "not ranked: 3 samples" in text


def test_mistakes_about_real_clips_are_one_line(clips: Path, tmp_path: Path) -> None:
    for words, says in (
        (("score", clips / "good", "-m", "t_precision"), "--real FOLDER"),
        (("score", clips / "good", "--real", clips / "real"), "which set metrics?"),
        (("score", clips / "good", "-m", "t_precision", "--real", tmp_path / "no"), "no such folder"),
        (("score", clips / "good", "-m", "t_precison", "--real", clips / "real"), "precison"),
        (("sweep", "footage", "-g", f"a=folder:{clips / 'good'}", "--real", clips / "real"), "--set-metric"),
    ):
        status, _, error = command(*words)
        assert status == 2, (words, error)
        assert says in error
        assert len(error.strip().splitlines()) == 1
