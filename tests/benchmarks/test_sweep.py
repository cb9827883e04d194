"""The sweep: whole, resumable, the same whatever happens to it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import benchmarks.unit
from benchmarks.generator import GeneratorError, parse_generators
from benchmarks.store import Run, RunWriter, StoreError
from benchmarks.suite import CaseModel, MetricModel, Suite, load_suite
from benchmarks.sweep import DiskFullError, Options, run_sweep, start, with_cases
from eval.clip import Clip

SERIAL = Options(executor="serial")
METRICS = ("temporal_flickering", "motion_magnitude", "loudness", "asked_fps")
HOME = Path(__file__).resolve().parents[2]
KEYS = ["generator", "case", "seed", "metric"]


def small_suite(cases: int = 4) -> Suite:
    smoke = load_suite("smoke")
    metrics = tuple(MetricModel(name=name) for name in METRICS)
    return smoke.model_copy(update={"cases": smoke.cases[:cases], "metrics": metrics})


def rows_of(folder: Path) -> pd.DataFrame:
    """Rows without what may differ from attempt to attempt."""
    rows = Run(folder).rows().drop(columns=["seconds", "run"])
    return rows.sort_values(KEYS, ignore_index=True)


def sweep(suite: Suite, generators: str, root: Path, name: str, options: Options = SERIAL) -> Path:
    return run_sweep(start(suite, parse_generators([generators]), root, options, name), options).folder


def test_every_unit_has_a_row_for_every_metric(tmp_path: Path) -> None:
    folder = sweep(small_suite(), "oracle,still,noise", tmp_path, "r")
    rows, run = rows_of(folder), Run(folder)
    assert len(rows) == 3 * 4 * len(METRICS)
    assert not rows.duplicated(KEYS).any()
    assert set(rows["status"]) == {"ok"}
    assert run.manifest.status == "complete"
    assert (run.clips()["decodes"] <= 1).all()
    for file in run.clips()["file"]:
        path = run.clip_path(file)
        assert path is not None
        assert path.is_file()
    assert not [path for path in folder.iterdir() if path.name.startswith(".tmp-")]


def test_processes_give_the_rows_that_one_process_gives(tmp_path: Path) -> None:
    alone = sweep(small_suite(2), "oracle,shuffled", tmp_path / "a", "r")
    options = Options(executor="processes", workers=2)
    together = sweep(small_suite(2), "oracle,shuffled", tmp_path / "b", "r", options)
    pd.testing.assert_frame_equal(rows_of(alone), rows_of(together))


CHILD = """
import sys
from pathlib import Path
from benchmarks.store import RunWriter
from benchmarks.sweep import Options, run_sweep
if __name__ == "__main__":
    run_sweep(RunWriter(Path(sys.argv[1])), Options(executor=sys.argv[2], workers=2, flush_units=2))
"""


def _attempt(script: Path, folder: Path, executor: str, kill_after_shards: int | None, wait_s: float) -> int:
    """Go on with a run in another process; with a number, SIGKILL it a moment after so many more shards are there."""
    shards = folder / "shards"
    begun = len(list(shards.iterdir()))
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    command = [sys.executable, str(script), str(folder), executor]
    process = subprocess.Popen(command, start_new_session=True, env=environment)
    if kill_after_shards is not None:
        while process.poll() is None and len(list(shards.iterdir())) < begun + kill_after_shards:
            time.sleep(0.002)
        time.sleep(wait_s)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait(timeout=120)


def _killed_and_resumed(tmp_path: Path, executor: str, kills: int, seed: int) -> int:
    """Kill a sweep at random moments, resume it each time; returns how often it was really killed."""
    suite, chance, killed = small_suite(4), random.Random(seed), 0
    generators = parse_generators(["oracle,shuffled,noise"])
    whole = sweep(suite, "oracle,shuffled,noise", tmp_path / "whole", "r")
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    start(suite, generators, tmp_path / "broken", SERIAL, "r").close()
    folder = tmp_path / "broken" / "r"
    for _ in range(kills):
        killed += (
            _attempt(script, folder, executor, chance.choice([0, 1, 1, 2]), chance.uniform(0, 0.15)) == -signal.SIGKILL
        )
    assert _attempt(script, folder, executor, None, 0) == 0
    broken = rows_of(folder)
    assert not broken.duplicated(KEYS).any()
    pd.testing.assert_frame_equal(broken, rows_of(whole))
    assert Run(folder).manifest.status == "complete"
    assert not list(folder.glob(".tmp-*")), "what a killed attempt left is cleared away"
    return killed


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    assert _killed_and_resumed(tmp_path, "serial", kills=3, seed=1) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_killed_and_resumed_equals_uninterrupted_many_times(tmp_path: Path, executor: str, seed: int) -> None:
    assert _killed_and_resumed(tmp_path, executor, kills=5, seed=seed) >= 1


def test_two_sweeps_on_one_run_folder_are_one_too_many(tmp_path: Path) -> None:
    writer = start(small_suite(1), parse_generators(["oracle"]), tmp_path, SERIAL, "r")
    with pytest.raises(StoreError) as caught:
        RunWriter(tmp_path / "r")
    assert "\n" not in str(caught.value)
    assert run_sweep(writer, SERIAL).rows["ok"] == len(METRICS)


def test_a_full_disk_stops_the_sweep_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = small_suite(3)
    real, written = benchmarks.unit.write_clip, []

    def full_after_three(clip: Clip, path: Path) -> None:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        real(clip, path)

    monkeypatch.setattr(benchmarks.unit, "write_clip", full_after_three)
    with pytest.raises(DiskFullError, match="3 of 6 units are done; free some space, then resume run r"):
        sweep(suite, "oracle,noise", tmp_path, "r")
    assert len(Run(tmp_path / "r").clips()) == 3
    monkeypatch.setattr(benchmarks.unit, "write_clip", real)
    summary = run_sweep(RunWriter(tmp_path / "r"), SERIAL)
    assert (summary.resumed, sum(summary.statuses.values())) == (3, 3)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "r"), rows_of(sweep(suite, "oracle,noise", tmp_path / "b", "r")))


def test_bad_answers_are_rows_with_reasons(tmp_path: Path) -> None:
    body = """
import json, pathlib, sys
case = json.load(sys.stdin)
kind = int(case["id"][1:]) % 3
if kind == 0:
    sys.exit("no GPU")
if kind == 1:
    pathlib.Path(case["output"]).write_bytes(b"this is no clip")
"""
    script = tmp_path / "bad.py"
    script.write_text(body)
    cases = tuple(CaseModel(id=f"c{i}", prompt="<img src=x onerror=alert(1)>\n../x 🎬") for i in range(3))
    suite = small_suite().model_copy(update={"cases": cases})
    folder = sweep(suite, f"bad=program:{sys.executable} {script}", tmp_path, "r")
    clips = Run(folder).clips().set_index("case")
    assert list(clips["status"]) == ["failed", "failed", "missing"]
    assert "no GPU" in clips.loc["c0", "reason"]
    assert "clip.mp4" in clips.loc["c1", "reason"]
    assert "wrote no clip" in clips.loc["c2", "reason"]
    rows = rows_of(folder)
    assert len(rows) == 3 * len(METRICS)
    assert rows["value"].isna().all()
    assert (rows["reason"].str.len() > 0).all()
    assert set(clips["prompt"]) == {cases[0].prompt}


def test_one_more_metric_decodes_nothing_when_its_feature_is_there(tmp_path: Path) -> None:
    suite = small_suite(2)
    first = sweep(suite, "oracle,noise", tmp_path, "first")
    more = suite.model_copy(update={"metrics": (*suite.metrics, MetricModel(name="motion_smoothness"))})
    options = Options(executor="serial", reuse=Run(first))
    summary = run_sweep(start(more, parse_generators(["oracle,noise"]), tmp_path, options, "second"), options)
    assert (summary.decodes, summary.features) == (0, 0)
    both = rows_of(tmp_path / "second")
    shared = both[both["metric"] != "motion_smoothness"].drop(columns="suite_hash").reset_index(drop=True)
    pd.testing.assert_frame_equal(shared, rows_of(first).drop(columns="suite_hash"))


def test_clips_of_a_program_that_was_edited_are_not_used_again(tmp_path: Path) -> None:
    script = tmp_path / "grey.py"
    body = """
import json, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {home!r})
from eval.clip import Clip
from eval.video import write_clip
case = json.load(sys.stdin)
write_clip(Clip(np.full((8, 3, 64, 64), {grey}, np.uint8), 8.0), Path(case["output"]))
"""
    suite = small_suite(1).model_copy(update={"metrics": (MetricModel(name="exposure"),)})
    generators, found = f"grey=program:{sys.executable} {script}", []
    for name, grey in (("one", 51), ("two", 204)):
        script.write_text(body.format(home=str(HOME), grey=grey))
        reuse = Run(tmp_path / "one") if name == "two" else None
        folder = sweep(suite, generators, tmp_path, name, Options(executor="serial", reuse=reuse))
        found.append(rows_of(folder)["value"][0])
    assert found == pytest.approx([0.2, 0.8], abs=0.02)


def test_footage_takes_its_cases_from_folders_and_pairs_them_by_name(tmp_path: Path) -> None:
    made = Run(sweep(small_suite(2), "oracle,noise", tmp_path, "r"))
    for generator in ("oracle", "noise"):
        (tmp_path / generator).mkdir()
        for number, file in enumerate(made.clips(generator=generator)["file"]):
            path = made.clip_path(file)
            assert path is not None
            (tmp_path / generator / f"scene {number}.mp4").write_bytes(path.read_bytes())
    (tmp_path / "noise" / "scene 1.mp4").unlink()
    specs = parse_generators([f"a=folder:{tmp_path / 'oracle'},b=folder:{tmp_path / 'noise'}"])
    suite = with_cases(load_suite("footage"), specs)
    clips = Run(run_sweep(start(suite, specs, tmp_path, SERIAL, "f"), SERIAL).folder).clips()
    assert [tuple(x) for x in clips[["generator", "case", "status"]].to_numpy()] == [
        ("a", "scene-0", "ok"),
        ("a", "scene-1", "ok"),
        ("b", "scene-0", "ok"),
        ("b", "scene-1", "missing"),
    ]
    with pytest.raises(GeneratorError, match="no cases of its own"):
        with_cases(load_suite("footage"), parse_generators(["oracle"]))
