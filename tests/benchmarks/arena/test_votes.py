"""The votes file: what was cast stays, once, whoever votes at the same time and whatever is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.arena.votes import COLUMNS, FILE, Vote, VoteBox, VotesError, new_vote_id, rater_name

VOTE = Vote(
    new_vote_id(), "a-run", "0" * 64, "case-1", 0, "realness", "brook", "aurora", "a" * 64, "b" * 64, "left", "ann",
    "2026-11-23T06:00:00.000+00:00",
)  # fmt: skip

VOTER = """
import sys
from dataclasses import replace
from pathlib import Path
from benchmarks.arena.votes import Vote, VoteBox, new_vote_id
box, me, votes = VoteBox(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for number in range(votes):
    vote = Vote(new_vote_id(), "a-run", "0" * 64, f"case-{number}", 0, "realness", "brook", "aurora", "a" * 64,
                "b" * 64, "tie", me, "2026-11-23T06:00:00.000+00:00")
    assert box.cast(vote)
    print(number, flush=True)
"""


@pytest.fixture
def box(tmp_path):
    return VoteBox(tmp_path / FILE)


def voter(box, name, votes):
    command = [sys.executable, "-c", VOTER, str(box.path), name, str(votes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_vote_comes_back_as_it_was_cast(box):
    assert box.cast(VOTE)
    kept = box.votes("a-run")
    assert list(kept.columns) == list(COLUMNS)
    assert Vote(**kept.to_dict("records")[0]) == VOTE
    assert box.votes("another-run").empty


def test_nothing_is_there_before_the_first_vote(box):
    assert box.votes("a-run").empty
    assert box.tallies("a-run", "0" * 64, "realness", "ann") == {}
    assert box.count("a-run") == 0
    assert not box.path.exists()


def test_the_same_question_twice_keeps_the_first_answer_whichever_side(box):
    assert box.cast(VOTE)
    again = replace(VOTE, id=new_vote_id(), choice="right")
    turned = replace(again, left_generator="aurora", right_generator="brook", left_clip="b" * 64, right_clip="a" * 64)
    assert not box.cast(VOTE)
    assert not box.cast(again)
    assert not box.cast(turned)
    assert box.votes("a-run")["choice"].tolist() == ["left"]


@pytest.mark.parametrize("other", [{"rater": "bob"}, {"axis": "aesthetics"}, {"seed": 1}, {"case": "case-2"}], ids=str)
def test_another_question_or_rater_is_another_vote(box, other):
    assert box.cast(VOTE)
    assert box.cast(replace(VOTE, id=new_vote_id(), **other))
    assert box.count("a-run") == 2


def test_two_processes_at_once_lose_and_double_nothing(box):
    voters = [voter(box, name, 15) for name in ("ann", "bob")]
    for process in voters:
        process.communicate(timeout=120)
        assert process.returncode == 0
    kept = box.votes("a-run")
    assert len(kept) == kept["id"].nunique() == 30
    assert kept.groupby("rater")["case"].nunique().to_dict() == {"ann": 15, "bob": 15}


def test_a_kill_in_the_middle_loses_nothing_that_was_stored(box):
    process = voter(box, "ann", 100_000)
    told = [int(process.stdout.readline()) for _ in range(10)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split()]
    process.wait(20)
    stored = box.votes("a-run")["case"].tolist()
    assert {f"case-{number}" for number in told} <= set(stored)
    assert len(stored) == len(set(stored)) <= len(told) + 1
    assert box.cast(replace(VOTE, case="after"))


def test_rows_can_be_neither_changed_nor_removed(box):
    box.cast(VOTE)
    with sqlite3.connect(box.path) as database:
        for sql in ("DELETE FROM votes", "UPDATE votes SET choice = 'tie'"):
            with pytest.raises(sqlite3.IntegrityError, match="votes are never"):
                database.execute(sql)
    assert box.votes("a-run")["choice"].tolist() == ["left"]


def test_tallies_count_all_raters_and_know_mine(box):
    box.cast(VOTE)
    box.cast(replace(VOTE, id=new_vote_id(), rater="bob", left_generator="aurora", right_generator="brook"))
    box.cast(replace(VOTE, id=new_vote_id(), rater="bob", case="case-2"))
    found = box.tallies("a-run", "0" * 64, "realness", "ann")
    assert {item: (tally.votes, tally.mine) for item, tally in found.items()} == {
        ("case-1", 0, "aurora", "brook"): (2, True),
        ("case-2", 0, "aurora", "brook"): (1, False),
    }
    assert box.by_axis("a-run", "0" * 64, "ann") == {"realness": (3, 1)}


def test_each_file_has_a_secret_of_its_own(box, tmp_path):
    other = VoteBox(tmp_path / "other.sqlite")
    box.open_for_votes()
    other.open_for_votes()
    assert box.secret() == box.secret() != other.secret()


def test_what_is_not_a_votes_file_is_refused_in_one_line(tmp_path):
    text = tmp_path / "text"
    text.write_text("no database at all, however long this text may be " * 40)
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (name TEXT)")
    newer = VoteBox(tmp_path / "newer")
    newer.cast(VOTE)
    with sqlite3.connect(newer.path) as database:
        database.execute("PRAGMA user_version = 9")
    (tmp_path / "folder").mkdir()
    cases = (
        (text, "cannot be"),
        (other, "not of votes"),
        (newer.path, "version 9"),
        (tmp_path / "folder", "cannot be"),
    )
    for path, said in cases:
        with pytest.raises(VotesError, match=said) as raised:
            VoteBox(path).cast(VOTE)
        assert "\n" not in str(raised.value)
    with sqlite3.connect(other) as database:
        assert database.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]


def test_votes_can_be_read_where_nothing_can_be_written(box, monkeypatch):
    box.cast(VOTE)
    connect = sqlite3.connect

    def read_only_disk(path, **options):
        if "immutable" not in str(path):
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return connect(path, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only_disk)
    with pytest.raises(VotesError, match="can be written"):
        box.open_for_votes()
    assert box.count("a-run") == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "=1+1", "<b>ann</b>", "a\x00b", "-ann", "ann🦊"])
def test_names_that_cannot_be(name):
    with pytest.raises(VotesError, match="1 to 40 letters"):
        rater_name(name)


def test_names_are_tidied():
    assert rater_name("  Zoë   K. ") == "Zoë K."
    assert rater_name("7") == "7"
