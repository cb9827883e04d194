"""Votes out and in, and the command: what does not fit the run is refused, all of it, with a line each."""

import json
import shutil
from dataclasses import astuple

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.arena.axes import AXES
from benchmarks.arena.files import import_votes, votes_csv, votes_parquet
from benchmarks.arena.pairs import next_question, slate
from benchmarks.arena.votes import FILE, VoteBox, VotesError
from benchmarks.cli import app
from benchmarks.store import open_run


@pytest.fixture(scope="module")
def voted(small_runs, tmp_path_factory):
    """A copy of the small runs with 24 votes of two raters, the hostile generator among them."""
    root = tmp_path_factory.mktemp("voted") / "runs"
    shutil.copytree(small_runs, root)
    box, offered = VoteBox(root / FILE), slate(open_run(root, "tiny-run"))
    box.open_for_votes()
    for number in range(24):
        rater, axis = ("ann", "bob")[number % 2], AXES["realness"]
        tallies = box.tallies("tiny-run", offered.suite_hash, axis.name, rater)
        question = next_question(offered, tallies, axis, rater, box.secret())
        assert box.cast(question.answered(("left", "tie", "right")[number % 3], rater))
    return root


@pytest.fixture
def elsewhere(small_runs, tmp_path):
    root = tmp_path / "runs"
    shutil.copytree(small_runs, root)
    return root


def written(path, votes):
    if path.suffix == ".csv":
        path.write_text(votes_csv(votes), encoding="utf-8")
    else:
        path.write_bytes(votes_parquet(votes))
    return path


@pytest.mark.parametrize("name", ["votes.csv", "votes.parquet"])
def test_votes_go_out_and_in_and_in_again(voted, elsewhere, tmp_path, name, hostile):
    votes = VoteBox(voted / FILE).votes("tiny-run")
    assert hostile[1] in set(votes["left_generator"]) | set(votes["right_generator"])
    path = written(tmp_path / name, votes)
    assert import_votes(path, elsewhere) == (24, 0)
    assert import_votes(path, elsewhere) == (0, 24)
    kept = VoteBox(elsewhere / FILE).votes("tiny-run")
    pd.testing.assert_frame_equal(kept.drop(columns="source"), votes.drop(columns="source"))
    assert kept["source"].str.startswith("file ").all()


def test_a_spreadsheet_runs_no_cell(voted, hostile):
    text = votes_csv(VoteBox(voted / FILE).votes("tiny-run"))
    assert f"'{hostile[1]}" in text
    assert f",{hostile[1]}" not in text


BAD = {
    "choice": ("both", "none of left, tie, right"),
    "axis": ("charm", "unknown axis"),
    "case": ("case-99", "no clip of"),
    "seed": ("-1", "whole number"),
    "left_clip": ("f" * 64, "is not the one"),
    "left_generator": ("nobody", "no clip of 'nobody'"),
    "suite_hash": ("1" * 64, "is not that of run"),
    "run": ("../outside", "is not a run"),
    "rater": ("<b>", "1 to 40 letters"),
    "time": ("2026-11-23T06:00:00", "no time zone"),
    "id": ("7", "32 hexadecimal"),
}


@pytest.mark.parametrize("column", BAD)
def test_one_vote_that_does_not_fit_keeps_all_out(voted, elsewhere, tmp_path, column):
    value, said = BAD[column]
    votes = VoteBox(voted / FILE).votes("tiny-run").astype(object)
    votes.loc[3, column] = value
    with pytest.raises(VotesError, match=said) as raised:
        import_votes(written(tmp_path / "votes.csv", votes), elsewhere)
    first, last = str(raised.value).splitlines()
    assert "vote 4" in first
    assert last == "nothing was imported"
    assert VoteBox(elsewhere / FILE).count("tiny-run") == 0


def test_another_person_of_the_same_name_is_noticed_and_nothing_imported(voted, elsewhere, tmp_path):
    votes = VoteBox(voted / FILE).votes("tiny-run")
    import_votes(written(tmp_path / "votes.csv", votes[:20]), elsewhere)
    other = votes[10:].assign(id=[f"{number:032x}" for number in range(len(votes) - 10)])
    with pytest.raises(VotesError, match="another person of that name"):
        import_votes(written(tmp_path / "other.csv", other), elsewhere)
    assert VoteBox(elsewhere / FILE).count("tiny-run") == 20


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b'id,run\n"open'])
def test_what_is_no_votes_file_is_refused(elsewhere, tmp_path, content):
    path = tmp_path / "votes.csv"
    path.write_bytes(content)
    with pytest.raises(VotesError) as raised:
        import_votes(path, elsewhere)
    assert "\n" not in str(raised.value)
    assert not (elsewhere / FILE).exists()


def test_no_parquet_and_no_file(elsewhere, tmp_path):
    path = tmp_path / "votes.parquet"
    path.write_bytes(b"not parquet")
    for missing in (path, tmp_path / "gone.csv"):
        with pytest.raises(VotesError, match=r"not a Parquet|no such file"):
            import_votes(missing, elsewhere)


def test_the_command_says_all_of_it(voted, tmp_path):
    runner = CliRunner()
    told = runner.invoke(app, ["arena", "results", "tiny-run", "--runs", str(voted)])
    assert told.exit_code == 0, told.output
    assert "Realness: Which clip looks more like real footage?" in told.output
    assert "24 votes" in told.output
    document = json.loads(runner.invoke(app, ["arena", "results", "tiny-run", "--runs", str(voted), "--json"]).stdout)
    assert document["axes"][0]["votes"] == 24
    assert {row["metric"] for row in document["axes"][0]["predictions"]} >= {"total", "steadiness"}
    path = tmp_path / "votes.csv"
    assert runner.invoke(app, ["arena", "export", "tiny-run", "--csv", str(path), "--runs", str(voted)]).exit_code == 0
    assert len(pd.read_csv(path)) == 24


def test_mistakes_end_with_one_line_and_status_2(voted, small_runs):
    runner = CliRunner()
    for arguments, said in (
        (["results", "no-run"], "unknown run"),
        (["results", "tiny-run", "--axis", "charm"], "unknown axis"),
        (["export", "tiny-run"], "--csv FILE"),
        (["import", "gone.csv"], "no such file"),
    ):
        outcome = runner.invoke(app, ["arena", *arguments, "--runs", str(voted)])
        assert (outcome.exit_code, said in outcome.stderr) == (2, True), outcome.output
    empty = runner.invoke(app, ["arena", "results", "tiny-run", "--runs", str(small_runs)])
    assert empty.exit_code == 0
    assert "no votes on tiny-run yet" in empty.output


def test_votes_on_clips_that_are_gone_are_left_out_and_counted(voted, elsewhere):
    from benchmarks.arena.results import arena_results

    votes = VoteBox(voted / FILE).votes("tiny-run")
    box = VoteBox(elsewhere / FILE)
    from benchmarks.arena.votes import Vote

    stored = [Vote(**record) for record in votes.to_dict("records")]
    other = [Vote(*[*astuple(vote)[:8], "e" * 64, *astuple(vote)[9:]]) for vote in stored[:5]]
    box.adopt([*other, *stored[5:]])
    found = arena_results(open_run(elsewhere, "tiny-run"))
    assert found.axes[0].votes == 19
    assert found.notes == ("5 votes on clips that the run no longer holds are left out.",)
