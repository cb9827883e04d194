"""A run packed, checked and imported; and everything that must be refused, with one line each."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.leaderboard import build_board
from benchmarks.store import list_runs, open_run
from benchmarks.submission.submit import check, pack
from benchmarks.submission.unpack import Limits, SubmitError


@pytest.fixture
def run(small_runs, tmp_path):
    """A copy of the small run, to be spoilt."""
    shutil.copytree(small_runs / "tiny-run", tmp_path / "made" / "tiny-run")
    return open_run(tmp_path / "made", "tiny-run")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


def refused(source, root, **options):
    """The lines of the refusal; nothing may stay behind."""
    with pytest.raises(SubmitError) as caught:
        check(Path(source), root, who="us", **options)
    assert list_runs(root) == []
    assert not root.exists() or list(root.iterdir()) == []
    return str(caught.value).splitlines()


def rewrite(path, change):
    """Change a Parquet table through pandas, its columns kept."""
    table = pq.read_table(path)
    frame = table.to_pandas()
    pq.write_table(pa.Table.from_pandas(change(frame), schema=table.schema, preserve_index=False), path)


def rows_of(run):
    return next(run.folder.glob("shards/*/rows.parquet"))


def clips_of(run):
    return next(run.folder.glob("shards/*/clips.parquet"))


def edit(run, **changes):
    path = run.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_packed_run_is_imported_whole_and_marked(run, root, tmp_path, small_runs):
    file = tmp_path / "ours.zip"
    assert pack(run, file, "The Cedar team") == len(list((run.folder / "clips").iterdir())) + 3
    found = check(file, root)
    assert (found.run, found.who, found.folder) == ("tiny-run", "The Cedar team", root / "tiny-run")
    kept = open_run(root, "tiny-run")
    assert kept.manifest.imported.who == "The Cedar team"
    assert kept.manifest.imported.packed is not None
    assert len(kept.manifest.imported.file_sha256) == 64
    here = build_board([open_run(small_runs, "tiny-run")])
    assert build_board([kept]).rows == here.rows
    assert not (kept.folder / "submission.json").exists()
    assert "370 of 384 rows hold a number" in " ".join(found.remarks) or "rows hold a number" in found.remarks[-1]


def test_a_dry_run_keeps_nothing(run, root, tmp_path):
    pack(run, tmp_path / "a.zip", "us")
    assert check(tmp_path / "a.zip", root, keep=False).folder is None
    assert list(root.iterdir()) == []


def test_another_name_is_carried_by_every_row(run, root, tmp_path):
    pack(run, tmp_path / "a.zip", "us")
    check(tmp_path / "a.zip", root)
    with pytest.raises(SubmitError, match="import it under another name"):
        check(tmp_path / "a.zip", root)
    check(tmp_path / "a.zip", root, name="second")
    kept = open_run(root, "second")
    assert set(kept.rows()["run"]) == {"second"}
    pack(kept, tmp_path / "again.zip", "us")
    assert check(tmp_path / "again.zip", root, name="third").run == "third"


def test_a_folder_and_a_tar_of_one_are_taken_too(run, root, tmp_path):
    (run.folder / "lock").write_text("7")
    check(run.folder, root, who="us")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(run.folder, arcname="tiny-run")
    assert check(tmp_path / "b.tar.gz", root, who="them", name="b").who == "them"
    assert not (root / "b" / "lock").exists()


def test_who_must_be_known(run, root):
    with pytest.raises(SubmitError, match="--who"):
        check(run.folder, root)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "clips/../../evil", "a\\b", "tiny/notes.txt", "evil.exe"])
def test_paths_that_are_no_runs_are_refused(run, root, tmp_path, name):
    pack(run, tmp_path / "a.zip", "us")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr(name, "x")
    (line,) = refused(tmp_path / "a.zip", root)
    assert "leads out" in line or "no file of a run" in line
    assert not (tmp_path / "evil").exists()


def test_links_are_refused_everywhere(run, root, tmp_path):
    clip = next((run.folder / "clips").iterdir())
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(run.folder, arcname=".")
        member = tarfile.TarInfo("clips/" + "0" * 64 + ".mp4")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    assert "link" in refused(tmp_path / "a.tar", root)[0]
    pack(run, tmp_path / "a.zip", "us")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        info = zipfile.ZipInfo("clips/" + "0" * 64 + ".mp4")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "link" in refused(tmp_path / "a.zip", root)[0]
    (run.folder / "clips" / ("0" * 64 + ".mp4")).symlink_to(clip)
    assert "link" in refused(run.folder, root)[0]


def test_sizes_are_bounded_and_lies_about_them_found(run, root, tmp_path):
    pack(run, tmp_path / "a.zip", "us")
    assert "GiB in all" in refused(tmp_path / "a.zip", root, limits=Limits(total_bytes=1000))[0]
    assert "files" in refused(tmp_path / "a.zip", root, limits=Limits(files=2))[0]
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * 1_000_000)
    data = bomb.read_bytes()
    size = (1_000_000).to_bytes(4, "little")
    bomb.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))
    assert len(refused(bomb, root)) == 1


def test_what_is_no_archive_is_said(root, tmp_path):
    (tmp_path / "x.zip").write_text("hello")
    assert "neither a zip" in refused(tmp_path / "x.zip", root)[0]
    (tmp_path / "empty").mkdir()
    assert "no manifest.json" in refused(tmp_path / "empty", root)[0]


def test_a_changed_file_is_found_by_its_hash(run, root, tmp_path):
    pack(run, tmp_path / "a.zip", "us")
    with zipfile.ZipFile(tmp_path / "a.zip") as old, zipfile.ZipFile(tmp_path / "b.zip", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == "manifest.json" else b""))
    assert refused(tmp_path / "b.zip", root) == ["manifest.json: changed since it was packed"]


def test_a_swapped_clip_is_found_without_a_record(run, root):
    first, second = sorted((run.folder / "clips").iterdir())[:2]
    first.write_bytes(second.read_bytes())
    assert "does not have the hash" in refused(run.folder, root)[0]


def test_a_missing_clip_and_a_stray_one(run, root):
    first = min((run.folder / "clips").iterdir())
    first.rename(first.with_name("0" * 64 + ".mp4"))
    lines = refused(run.folder, root)
    assert any("not in clips/" in line for line in lines)
    assert any("belong to no record" in line for line in lines)


def better(frame):
    frame.loc[0, "value"] = 1.5
    return frame


def status(frame):
    frame.loc[0, "status"] = "ok" if frame.loc[0, "status"] != "ok" else "skipped"
    return frame


SPOILT = [
    (better, "outside their metric's range"),
    (status, "a number and no status ok"),
    (lambda frame: frame.assign(suite_hash="0" * 64), "another run, suite or suite hash"),
    (lambda frame: frame.assign(run="x"), "another run, suite or suite hash"),
    (lambda frame: frame.assign(version=2), "does not name"),
    (lambda frame: frame.iloc[:-1], "lack the row of some metric"),
    (lambda frame: frame.assign(encoder=["x"] + ["y"] * (len(frame) - 1)), "more than one encoder"),
    (lambda frame: frame.assign(case="nobody"), "rows of"),
]


@pytest.mark.parametrize(("change", "line"), SPOILT, ids=[line for _, line in SPOILT])
def test_spoilt_rows_are_refused(run, root, change, line):
    rewrite(rows_of(run), change)
    lines = refused(run.folder, root)
    assert any(line in each for each in lines), lines
    assert all(len(each) < 500 for each in lines)


def test_columns_of_another_kind_are_refused(run, root):
    table = pq.read_table(rows_of(run))
    pq.write_table(table.append_column("html", pa.array(["<b>"] * len(table))), rows_of(run))
    assert any("columns differ" in line and "html" in line for line in refused(run.folder, root))
    rows_of(run).write_bytes(b"PAR1 no")
    assert any("not readable as Parquet" in line for line in refused(run.folder, root))


def test_an_unfinished_run_is_sent_back(run, root):
    edit(run, status="partial")
    assert any("not complete" in line for line in refused(run.folder, root))


def test_units_that_are_not_recorded_are_counted(run, root):
    rewrite(clips_of(run), lambda frame: frame.iloc[3:])
    assert any("3 of 96 planned clips are not recorded" in line for line in refused(run.folder, root))


def test_another_suite_under_a_shipped_name_is_refused(run, root):
    document = json.loads((run.folder / "manifest.json").read_text())
    from eval.hashing import json_sha256

    suite = {**document["suite"], "name": "backlot", "version": 3}
    edit(run, suite=suite, suite_name="backlot", suite_version=3, suite_hash=json_sha256(suite))
    rewrite(rows_of(run), lambda frame: frame.assign(suite="backlot", suite_hash=json_sha256(suite)))
    lines = refused(run.folder, root)
    assert any("--any-suite" in line or "sweep it again" in line for line in lines)
    assert check(run.folder, root, who="us", any_suite=True).folder is not None


def test_a_changed_suite_is_found_by_its_own_hash(run, root):
    path = run.folder / "manifest.json"
    path.write_text(path.read_text().replace('"minimum_coverage": 0.9', '"minimum_coverage": 0.1'))
    assert "changed after the run" in refused(run.folder, root)[0]


def test_a_metric_that_means_something_else_here_is_refused(run, root):
    document = json.loads((run.folder / "manifest.json").read_text())
    document["metrics"][2]["direction"] = "higher"
    edit(run, metrics=document["metrics"])
    lines = refused(run.folder, root)
    assert any("'blockiness' version 1: its direction is lower here and higher in the run" in line for line in lines)


def test_the_command_line(run, root, tmp_path):
    runner = CliRunner()
    file = tmp_path / "a.zip"
    packed = runner.invoke(
        app, ["submit", "pack", "tiny-run", "--who", "us", "-o", str(file), "--runs", str(run.folder.parent)]
    )
    assert packed.exit_code == 0, packed.output
    done = runner.invoke(app, ["submit", "check", str(file), "--runs", str(root), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["run"] == "tiny-run"
    again = runner.invoke(app, ["submit", "check", str(file), "--runs", str(root)])
    assert again.exit_code == 2
    assert again.stderr.splitlines() == [
        f"error: run 'tiny-run' is in {root} already: import it under another name with --name"
    ]


def test_a_stream_that_ends_early_is_refused(run, root, tmp_path):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        archive.add(run.folder, arcname="r")
    (tmp_path / "cut.tgz").write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
    assert len(refused(tmp_path / "cut.tgz", root)) == 1
