"""The audit from its command line: small clips under a shipped mark, resumed, stored, read back; bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.audits import report_path
from benchmarks.cli import app
from benchmarks.watermark.audit import run_trials, trial_count
from benchmarks.watermark.choose import Choice, check, make_setup
from benchmarks.watermark.clips import backlot_negatives, folder_subjects, load
from benchmarks.watermark.stored import StoredAudit, list_audits, read_audit
from benchmarks.watermark.trial_store import TrialStore
from eval.clip import Clip, ClipError
from eval.errors import UserError
from eval.video import write_clip
from safety.watermark.plan import Form, WatermarkError

QUIET = ["--executor", "serial", "--backlot", "2", "--no-tax"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small clips of moving texture, one with tags, and a file that is none."""
    folder = tmp_path_factory.mktemp("clips")
    generator = np.random.default_rng(0)
    for number in range(3):
        texture = generator.integers(40, 216, (3, 20, 28), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
        frames = np.stack([texture[:, :128, 2 * at : 2 * at + 128] for at in range(10)])
        write_clip(Clip(np.ascontiguousarray(frames), 8.0), folder / f"{number}.mp4")
    (folder / "broken.mp4").write_bytes(b"no clip")
    (folder / "clips.csv").write_text("file,prompt,tags\n0.mp4,A wall,indoor; static\n")
    return folder


def moviegen(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["audit", "watermark", *words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def done(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, object]]:
    runs, out = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("out")
    status, printed, said = moviegen(
        "--mark", "spread-dct", "--clips", str(clips), "--attacks", "grey,hflip,reshare=1", "--frames", "8", *QUIET,
        "--runs", str(runs), "-o", str(out), "--json",
    )  # fmt: skip
    assert status == 0, said
    return runs, out, json.loads(printed)


def test_one_command_gives_report_tables_and_figures(done: tuple[Path, Path, dict[str, object]]) -> None:
    _, out, document = done
    assert {path.name for path in out.iterdir()} == {"report.html", "figures.json", "trials.parquet", "clips.parquet"}
    assert json.loads((out / "figures.json").read_text()) == document
    trials = pd.read_parquet(out / "trials.parquet")
    # four files: 4 marked cells, 1 other key, 4 unmarked; two rendered negatives.
    assert len(trials) == 4 * 9 + 2 == document["figures"]["trials"]
    clean = trials[(trials["kind"] == "marked") & (trials["attack"] == "none") & (trials["status"] == "ok")]
    assert (clean["matches"] == clean["bits"]).all()
    broken = trials[trials["clip"] == "broken.mp4"]
    assert set(broken["status"]) == {"failed"}
    assert broken["reason"].str.len().gt(0).all()
    assert "broken.mp4" not in set(pd.read_parquet(out / "clips.parquet")["clip"])
    assert "moviegen" in document["about"]["rerun"]


def test_stored_audits_are_found_and_framed(done: tuple[Path, Path, dict[str, object]]) -> None:
    runs, _, _ = done
    (audit,) = list_audits(runs)
    assert isinstance(audit, StoredAudit)
    assert audit.marks() == ["spread-dct"]
    heat = audit.heat_frame()
    assert set(heat["attack"]) == {"none", "grey", "hflip", "reshare"}
    assert heat.loc[(heat["attack"] == "none") & (heat["measure"] == "bit accuracy"), "value"].tolist() == [1.0]
    assert set(heat["measure"]) == {"bit accuracy", "message accuracy"} | {
        f"detected at {rate}" for rate in ("1e-02", "1e-03", "1e-06")
    }
    roc = audit.roc_frame()
    assert roc[roc["exact"]]["rate"].between(0, 1).all()
    assert (roc.groupby(["mark", "curve"])["detected"].max() <= 1).all()
    life = audit.survival_frame()
    assert life["generation"].tolist()[0] == 0.0
    assert audit.ledger_frame()["count"].sum() == 9
    assert audit.tax_frame().empty
    assert set(audit.frontier_frame()["goal"]) <= {"removal", "forgery"}
    assert report_path(runs, audit.run, "watermark", audit.folder) is not None
    assert report_path(runs, audit.run, "watermark", "../..") is None


def test_files_that_are_no_audit_are_left_out(done: tuple[Path, Path, dict[str, object]], tmp_path: Path) -> None:
    runs, _, _ = done
    (audit,) = list_audits(runs)
    folder = tmp_path / audit.run / "audits" / "watermark" / "other"
    folder.mkdir(parents=True)
    for text in ("{}", "[1", '{"format": "x"}'):
        (folder / "figures.json").write_text(text)
        assert list_audits(tmp_path) == []
    from benchmarks.manifest import StoreError

    with pytest.raises(StoreError):
        read_audit(folder / "figures.json")


def test_a_killed_audit_goes_on_and_ends_the_same(clips: Path, tmp_path: Path) -> None:
    choice = Choice(("spread-dct",), clips, attacks="grey", frames=8, backlot=1, tax=False)
    setup, _ = make_setup(choice, None, tmp_path / "cache")

    class Killed(Exception):
        pass

    def kill(done: int, _: str) -> None:
        if done > 8:
            raise Killed

    with pytest.raises(Killed), TrialStore(tmp_path / "a", setup.plan) as store:
        run_trials(store, setup, "serial", 1, kill)
    with TrialStore(tmp_path / "a", setup.plan) as store:
        before = len(store.tables().trials)
        assert 8 < before < trial_count(setup)
        run_trials(store, setup, "serial", 1)
        resumed = store.tables().trials
    with TrialStore(tmp_path / "b", setup.plan) as store:
        run_trials(store, setup, "serial", 1)
        whole = store.tables().trials
    seconds = [name for name in whole if name.endswith("_seconds")]
    pd.testing.assert_frame_equal(resumed.drop(columns=seconds), whole.drop(columns=seconds))


def test_another_plan_or_writer_is_refused(clips: Path, tmp_path: Path) -> None:
    setup, _ = make_setup(Choice(("spread-dct",), clips, attacks="none", tax=False, backlot=0), None, tmp_path)
    with TrialStore(tmp_path / "a", setup.plan) as _, pytest.raises(WatermarkError, match="another audit"):
        TrialStore(tmp_path / "a", setup.plan)
    with pytest.raises(WatermarkError, match="another plan"):
        TrialStore(tmp_path / "a", replace(setup.plan, seed=1))


def test_stretches_follow_each_other_and_share_their_file(clips: Path) -> None:
    form = Form(frames=4, windows=2)
    found = folder_subjects(clips, form)
    pair = [subject for subject in found if subject.cluster == "0.mp4"]
    assert [(one.id, one.start) for one in pair] == [("0.mp4 #1", 0), ("0.mp4 #2", 4)]
    assert pair[0].tags == ("indoor", "static")
    assert pair[0].case is not None
    whole = load(replace(pair[0], start=0), Form(frames=10)).clip.frames_TCHW
    np.testing.assert_array_equal(load(pair[1], form).clip.frames_TCHW, whole[4:8])
    with pytest.raises(ClipError):
        load(replace(pair[0], start=50), form)


def test_rendered_negatives_are_the_same_each_time() -> None:
    (subject,) = backlot_negatives(1)
    form = Form(frames=2, side=64)
    first, second = load(subject, form).clip, load(subject, form).clip
    assert first.frames_TCHW.shape == (2, 3, 64, 64)
    np.testing.assert_array_equal(first.frames_TCHW, second.frames_TCHW)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "either --clips FOLDER or --generator"),
        (["--clips", "{clips}", "--generator", "oracle"], "either --clips FOLDER or --generator"),
        (["--clips", "{clips}/nowhere"], "there is no such folder"),
        (["--clips", "{empty}"], "no clips in this folder"),
        (["--clips", "{clips}", "--negatives", "{empty}"], "no clips in this folder"),
        (["--clips", "{clips}", "--mark", "spread-dtc"], "did you mean"),
        (["--clips", "{clips}", "--mark", "spread-dct,spread-dct"], "named twice"),
        (["--clips", "{clips}", "--mark", "latent"], "--generator reference"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--attacks", "blurr"], "did you mean"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--messages", "never"], "clip or trial"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--executor", "cloud"], "unknown executor"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--run", "a/b"], "run name"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--lpips", "{clips}/0.mp4"], "0.mp4 does not work"),
        (["--clips", "{clips}", "--mark", "spread-dct", "--vmaf"], "no program called vmaf"),
        (["--generator", "orcale", "--mark", "spread-dct"], "did you mean"),
        (["--generator", "oracle", "--mark", "spread-dct", "--suite", "smoky"], "smok"),
    ],
)
def test_mistakes_are_one_line(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.setattr("safety.watermark.borrowed_quality.VMAF_PROGRAM", "a-vmaf-that-nobody-has")
    (tmp_path / "empty").mkdir()
    filled = [word.format(clips=clips, empty=tmp_path / "empty") for word in words]
    status, printed, error = moviegen(*filled, "--runs", str(tmp_path / "runs"))
    assert (status, printed) == (2, "")
    assert said in error
    assert error.count("\n") == 1
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)


def test_marks_of_a_stream_that_no_clip_has_are_skipped(clips: Path, tmp_path: Path) -> None:
    """Silent clips and a sound mark: every trial says so, and the report is written all the same."""
    status, printed, said = moviegen(
        "--mark", "spread-sound", "--clips", str(clips), "--attacks", "none", "--runs", str(tmp_path), *QUIET, "--json"
    )
    assert status == 0, said
    losses = json.loads(printed)["figures"]["losses"]
    assert any("sound" in loss["reason"] and loss["status"] == "skipped" for loss in losses)


def test_the_choice_is_checked_before_the_work(clips: Path) -> None:
    check(Choice(("spread-dct",), clips))
    with pytest.raises(UserError, match="messages clip"):
        check(Choice(("latent",), generator="reference", messages="trial"))
