import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import shards
from benchmarks.clip_store import adopt_clip
from benchmarks.manifest import StoreError, read_manifest, write_manifest
from benchmarks.store import Run, RunWriter, Unit, list_runs, open_run
from eval.planner import Score

ROOT = Path(__file__).resolve().parents[2]
UNITS = 40


class Killed(BaseException):
    """Stands for SIGKILL: no handler of ours may catch it."""


@pytest.fixture
def folder(tmp_path, manifest):
    return RunWriter.create(tmp_path / "runs" / "r1", manifest(cases=UNITS)).folder


def fill(writer, unit, start=0, stop=UNITS, every=4):
    done = writer.done([("sharp", 1)])
    for number in range(start, stop):
        one = unit(case=f"c{number}", values={"sharp": number / UNITS, "noisy": "skipped"}, prompt=f"prompt {number}")
        if one.unit not in done:
            writer.add(one)
        if writer.pending >= every:
            writer.flush()
    writer.flush()


def same(left, right):
    for ours, theirs in ((left.rows(), right.rows()), (left.clips(), right.clips())):
        pd.testing.assert_frame_equal(ours, theirs)
    return True


@pytest.fixture
def whole(tmp_path, manifest, unit):
    """A run that nothing interrupted."""
    with RunWriter.create(tmp_path / "whole" / "r1", manifest(cases=UNITS)) as writer:
        fill(writer, unit)
    return Run(tmp_path / "whole" / "r1")


def test_a_unit_comes_back_as_it_was(folder, unit):
    prompt = "a 'dog'\nruns <b>📽</b> ../../etc"
    with RunWriter(folder) as writer:
        writer.add(
            unit(values={"sharp": 0.25, "noisy": "failed"}, prompt=prompt, tags=("x", "y"), width=64, notes=("late",))
        )
    run = Run(folder)
    rows, clips = run.rows(), run.clips()
    assert rows["metric"].tolist() == ["noisy", "sharp"]
    assert rows["status"].tolist() == ["failed", "ok"]
    assert np.isnan(rows["value"][0])
    assert rows["value"][1] == 0.25
    assert rows["reason"].tolist() == ["failed for a test", ""]
    assert set(rows["suite_hash"]) == {run.manifest.suite_hash}
    assert clips["prompt"].tolist() == [prompt]
    assert list(clips["tags"][0]) == ["x", "y"]
    assert list(clips["notes"][0]) == ["late"]
    assert clips["width"][0] == 64
    assert pd.isna(clips["fps"][0])


def test_an_empty_run_reads_as_empty_tables(folder):
    run = Run(folder)
    assert len(run.rows()) == 0
    assert len(run.clips(generator="a")) == 0
    assert list(run.rows().columns)[:3] == ["run", "suite", "suite_hash"]


def test_filters_are_values_not_sql(folder, unit):
    hostile = "x' OR 1=1 --"
    with RunWriter(folder) as writer:
        for generator in ("a", hostile):
            for seed in (0, 1):
                writer.add(unit(generator, seed=seed))
    run = Run(folder)
    assert run.rows(generator=hostile)["generator"].tolist() == [hostile, hostile]
    assert len(run.rows(generator="' OR ''='")) == 0
    assert len(run.rows(seed=1, metric="sharp", status="ok", case="c0")) == 2
    assert len(run.rows(limit=1, offset=3)) == 1
    assert len(run.clips(status="failed")) == 0


def test_a_folder_name_with_patterns_is_a_plain_name(tmp_path, manifest, unit):
    root = tmp_path / "a[1]*?{x}"
    for name in ("r1", "r2"):
        with RunWriter.create(root / name, manifest(run=name)) as writer:
            writer.add(unit(values={"sharp": 0.1 if name == "r1" else 0.9}))
    assert Run(root / "r1").rows()["value"].tolist() == [0.1]


@pytest.mark.parametrize("compact", [False, True])
def test_a_kill_at_any_step_loses_and_doubles_nothing(folder, unit, whole, monkeypatch, compact):
    """Crash at the first, second, … file operation, resume, crash later, until a pass gets through."""
    steps = {"left": 0}

    def fragile(operation, partial):
        def run(*arguments, **options):
            steps["left"] -= 1
            if steps["left"] == 0:
                partial(*arguments)
                raise Killed
            result = operation(*arguments, **options)
            steps["left"] -= 1
            if steps["left"] == 0:
                raise Killed
            return result

        return run

    def half_a_file(table, stream):
        stream.write(b"PAR1 and then the light went out")

    def half_a_folder(path):
        next(path.iterdir()).unlink()

    crashes = 0
    with monkeypatch.context() as patch:
        patch.setattr(shards.pq, "write_table", fragile(shards.pq.write_table, half_a_file))
        patch.setattr(Path, "rename", fragile(Path.rename, lambda *_: None))
        patch.setattr(shards.shutil, "rmtree", fragile(shards.shutil.rmtree, half_a_folder))
        while True:
            writer = RunWriter(folder)
            steps["left"] = 3 + 5 * crashes
            try:
                fill(writer, unit)
                if compact:
                    writer.compact()
            except Killed:
                crashes += 1
                writer._lock.close()  # what the operating system does for a dead process
                assert Run(folder).rows().duplicated(["generator", "case", "seed", "metric", "version"]).sum() == 0
                continue
            writer.close()
            break
    assert crashes >= 3
    assert same(Run(folder), whole)
    assert not list(folder.glob("**/.tmp-*"))


def test_compact_killed_at_each_step(tmp_path, manifest, unit, whole, monkeypatch):
    """Between merging and removing, both old and new shards are there: readers see each row once."""
    rename = Path.rename
    for step in range(1, 7):
        folder = RunWriter.create(tmp_path / f"runs{step}" / "r1", manifest(cases=UNITS)).folder
        writer = RunWriter(folder)
        fill(writer, unit, every=10)
        renames = []

        def fragile(path, target, renames=renames, step=step):
            renames.append(path)
            if len(renames) == step:
                raise Killed
            return rename(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", fragile)
            with contextlib.suppress(Killed):
                writer.compact()
        writer._lock.close()  # what the operating system does for a dead process
        assert same(Run(folder), whole)
        with RunWriter(folder) as again:
            again.compact()
        assert same(Run(folder), whole)
        assert len(shards.shard_folders(folder)) == 1
    assert len(renames) == 5, "one rename to commit, one per old shard"


_CHILD = """
import sys, time
from pathlib import Path
from benchmarks.records import UnitResult
from benchmarks.store import RunWriter
from eval.planner import Score
with RunWriter(Path(sys.argv[1])) as writer:
    done = writer.done([("sharp", 1)])
    print("ready", flush=True)
    for n in range(int(sys.argv[2])):
        scores = [Score("sharp", 1, n / 40, "ok"), Score("noisy", 1, None, "skipped", "skipped for a test")]
        one = UnitResult("a", f"c{n}", 0, scores, "0" * 64, prompt=f"prompt {n}")
        if one.unit not in done:
            writer.add(one)
            time.sleep(0.002)
        if writer.pending >= 2:
            writer.flush()
        if n % 10 == 9:
            writer.compact()
    if sys.argv[3] == "stay":
        time.sleep(60)
"""


def child(folder, then="leave", units=UNITS):
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(folder), str(units), then], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def kill_and_resume(folder, kills, seed):
    pauses_s = np.random.default_rng(seed).uniform(0.0, 0.12, kills)
    survived = []
    for pause_s in pauses_s:
        process = child(folder)
        time.sleep(pause_s)
        process.kill()
        process.wait()
        process.stdout.close()
        survived.append(len(Run(folder).clips()))
    process = child(folder)
    assert process.wait() == 0
    process.stdout.close()
    return survived


def test_sigkill_and_resume_equal_an_uninterrupted_run(folder, whole):
    survived = kill_and_resume(folder, kills=2, seed=1)
    assert survived == sorted(survived), "what was stored stays stored"
    assert same(Run(folder), whole)


@pytest.mark.slow
def test_sigkill_at_many_random_moments(folder, whole):
    survived = kill_and_resume(folder, kills=10, seed=2)
    assert survived == sorted(survived)
    assert same(Run(folder), whole)


def test_a_second_writer_is_refused_until_the_first_is_gone(folder, unit):
    process = child(folder, then="stay", units=2)
    with pytest.raises(StoreError, match=f"being written by another sweep .process {process.pid}.") as refusal:
        RunWriter(folder)
    assert "\n" not in str(refusal.value)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    RunWriter(folder).close()
    with RunWriter(folder), pytest.raises(StoreError, match="another sweep"):
        RunWriter(folder)


def test_one_more_metric_later(folder, unit):
    with RunWriter(folder) as writer:
        for case in ("c0", "c1"):
            writer.add(unit(case=case, values={"sharp": 0.5}))
    with RunWriter(folder) as writer:
        assert writer.done([("sharp", 1)]) == {Unit("a", "c0", 0), Unit("a", "c1", 0)}
        assert writer.done([("sharp", 2)]) == set()
        writer.add(unit(case="c0", values={"noisy": 0.1}))
        writer.flush()
        assert writer.done([("sharp", 1), ("noisy", 1)]) == {Unit("a", "c0", 0)}
        assert writer.recorded()["a", "c0", 0].metrics == {("sharp", 1): "ok", ("noisy", 1): "ok"}
        writer.compact()
    rows = Run(folder).rows()
    assert list(zip(rows["case"], rows["metric"], strict=True)) == [("c0", "noisy"), ("c0", "sharp"), ("c1", "sharp")]
    assert len(Run(folder).clips()) == 2


def test_the_same_unit_twice_between_flushes_keeps_both_sets_of_rows(folder, unit):
    with RunWriter(folder) as writer:
        writer.add(unit(values={"sharp": 0.5}))
        writer.add(unit(values={"noisy": 0.1}))
    assert Run(folder).rows()["metric"].tolist() == ["noisy", "sharp"]


def test_a_retry_replaces_what_failed(folder, unit):
    with RunWriter(folder) as writer:
        writer.add(unit(values={"sharp": "failed"}, status="failed", reason="no"))
        writer.add(unit(case="c1", values={"sharp": 0.5}))
        writer.flush()
        assert writer.done([("sharp", 1)], retry=["failed"]) == {Unit("a", "c1", 0)}
        writer.add(unit(values={"sharp": 0.7}))
    run = Run(folder)
    assert run.rows(case="c0")["value"].tolist() == [0.7]
    assert run.clips(case="c0")["status"].tolist() == ["ok"]


def test_rows_of_a_replaced_clip_no_longer_count(folder, unit):
    with RunWriter(folder) as writer:
        writer.add(unit(values={"sharp": 0.1, "noisy": 0.1}, sha="1" * 64))
        writer.add(unit(values={"sharp": 0.2}, sha="2" * 64))
    rows = Run(folder).rows()
    assert rows[["metric", "value"]].to_numpy().tolist() == [["sharp", 0.2]]


def test_a_later_pass_without_the_clip_does_not_hide_what_was_scored(folder, unit):
    lost = unit(values={"noisy": "failed"}, status="missing", reason="gone")
    lost = type(lost)(lost.generator, lost.case, lost.seed, lost.scores, "", status="missing", reason="gone")
    with RunWriter(folder) as writer:
        writer.add(unit(values={"sharp": 0.1}, sha="1" * 64))
        writer.add(lost)
    run = Run(folder)
    assert run.rows()["status"].tolist() == ["failed", "ok"]
    assert run.clips()["clip_sha256"].tolist() == ["1" * 64]


def test_a_full_disk_keeps_earlier_shards_and_what_is_pending(folder, unit, monkeypatch):
    writer = RunWriter(folder)
    writer.add(unit(case="c0"))
    writer.flush()
    writer.add(unit(case="c1"))

    def full(table, stream, **_):
        stream.write(b"some bytes, then no more")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shards.pq, "write_table", full)
        with pytest.raises(OSError, match="No space left"):
            writer.flush()
        assert not list(folder.glob("shards/.tmp-*")), "a full disk is not filled further"
        assert writer.pending == 1
        assert Run(folder).clips()["case"].tolist() == ["c0"]
    writer.close()
    assert Run(folder).clips()["case"].tolist() == ["c0", "c1"]


def test_leaving_with_an_error_names_that_error_first(folder, unit, monkeypatch):
    def full(table, stream, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shards.pq, "write_table", full)

    def sweep():
        with RunWriter(folder) as writer:
            writer.add(unit())
            raise RuntimeError("the sweep's own")

    with pytest.raises(RuntimeError, match="the sweep's own") as caught:
        sweep()
    assert "1 units could not be stored" in caught.value.__notes__[0]
    RunWriter(folder).close()  # the lock is free again


def test_a_bug_in_the_sweep_is_caught_before_it_is_stored(folder, unit):
    broken = [
        [Score("sharp", 1, 0.1, "ok"), Score("sharp", 1, 0.2, "ok")],
        [Score("sharp", 1, float("nan"), "ok")],
        [Score("sharp", 1, None, "ok")],
        [Score("sharp", 1, 0.3, "failed")],
    ]
    with RunWriter(folder) as writer:
        for scores in broken:
            one = unit()
            with pytest.raises(AssertionError):
                writer.add(type(one)(one.generator, one.case, one.seed, scores))


def test_clips_are_found_by_hash_and_nowhere_else(folder, tmp_path):
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(b"secret")
    (folder / "clips" / ("b" * 64 + ".mp4")).symlink_to(outside)
    with RunWriter(folder) as writer:
        name = adopt_clip(writer.folder, outside, "a" * 64)
        assert adopt_clip(writer.folder, outside, "a" * 64) == name
    run = Run(folder)
    assert run.clip_path(name).read_bytes() == b"secret"
    for bad in ("b" * 64 + ".mp4", "c" * 64 + ".mp4", "../manifest.json", str(outside), "", name + "\n", "a" * 64):
        assert run.clip_path(bad) is None, bad


def test_runs_are_opened_by_name_only(folder):
    root = folder.parent
    assert open_run(root, "r1").id == "r1"
    for bad in ("../runs/r1", "", ".", "..", "/etc", "r1/", "r1\n"):
        with pytest.raises(StoreError, match="is not a run"):
            open_run(root, bad)
    with pytest.raises(StoreError, match="did you mean 'r1'"):
        open_run(root, "r2")


def test_list_runs_is_newest_first_and_passes_over_what_is_broken(tmp_path, manifest, caplog):
    for name, day in {"old": 1, "new": 3, "middle": 2}.items():
        made = manifest(run=name)
        RunWriter.create(tmp_path / name, made.model_copy(update={"created": made.created.replace(day=day)})).close()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text('{"format": 2}')
    (tmp_path / "a file").write_text("")
    assert [run.id for run in list_runs(tmp_path)] == ["new", "middle", "old"]
    assert "broken" in caplog.text
    assert list_runs(tmp_path / "nowhere") == []


def test_creating_a_run_twice_is_refused(folder, manifest):
    with pytest.raises(StoreError, match="resume it, or choose another name"):
        RunWriter.create(folder, manifest())


def test_manifest_survives_and_notices_a_changed_suite(folder, manifest, facts):
    made = manifest(metrics=(facts("open", low=-float("inf"), high=float("inf")),))
    write_manifest(folder, made)
    back = read_manifest(folder)
    assert back == made
    assert back.metrics[0].high == float("inf")
    forged = made.model_copy(update={"suite": {**made.suite, "minimum_coverage": 0.0}})
    with pytest.raises(StoreError, match="changed after the run"):
        forged.parsed_suite()


def test_a_changed_suite_needs_a_new_run(folder, manifest, facts):
    with RunWriter(folder) as writer:
        more = writer.manifest.model_copy(update={"metrics": (*writer.manifest.metrics, facts("new"))})
        writer.update_manifest(more)
        with pytest.raises(StoreError, match="into a new run"):
            writer.update_manifest(manifest(cases=3))
    assert Run(folder).manifest == more


def test_a_broken_shard_is_one_line(folder, unit):
    with RunWriter(folder) as writer:
        writer.add(unit())
    (folder / "shards" / "000001" / "rows.parquet").write_bytes(b"not parquet")
    with pytest.raises(StoreError, match="cannot be read") as caught:
        Run(folder).rows()
    assert "\n" not in str(caught.value)


def test_reading_while_shards_are_merged(folder, unit, whole, monkeypatch):
    """The reader lists the shards, the writer merges them, the reader opens what is no more: it looks again."""
    with RunWriter(folder) as writer:
        fill(writer, unit)
        listed = shards.shard_folders
        merged = []

        def merge_after_listing(run_folder):
            found = listed(run_folder)
            if not merged:
                merged.append(True)
                writer.compact()
            return found

        monkeypatch.setattr(shards, "shard_folders", merge_after_listing)
        rows = Run(folder).rows()
    pd.testing.assert_frame_equal(rows, whole.rows())


def test_the_stamp_changes_with_the_run(folder, unit):
    before = Run(folder).stamp
    with RunWriter(folder) as writer:
        writer.add(unit())
    assert Run(folder).stamp != before
