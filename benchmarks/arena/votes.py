"""The votes file: one row per vote, never lost, never doubled, whoever votes at the same time.

SQLite with a write-ahead log: a vote is on the disk (synchronous=FULL) when `cast` returns, readers never wait, and
writers of any number of processes take turns. Rows can be neither changed nor removed; a unique index keeps a rater
from answering the same question about the same two clips twice, whichever side they stood on.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from eval.errors import UserError

FILE = "votes.sqlite"
Choice = Literal["left", "tie", "right"]
CHOICES: tuple[Choice, ...] = ("left", "tie", "right")
HERE = "arena"
"""The source of votes cast in this file; others say which file they came from."""

_APPLICATION = 0x4D474152
_VERSION = 1
_PATIENCE_S = 30.0
_RATER = re.compile(r"[^\W_](?:[\w .'-]{0,38}[\w.])?")


class VotesError(UserError):
    """Votes that cannot be read or stored. One line: what, where, what to do next."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer.

    id: 32 hexadecimal digits, its own for ever. run, suite_hash: where the clips came from.
    case, seed: which clips. left_*, right_*: what stood where; clips are SHA-256 of the files.
    rater: a pseudonym. time: UTC, ISO 8601. source: `arena`, or the file it was imported from.
    """

    id: str
    run: str
    suite_hash: str
    case: str
    seed: int
    axis: str
    left_generator: str
    right_generator: str
    left_clip: str
    right_clip: str
    choice: Choice
    rater: str
    time: str
    source: str = HERE


COLUMNS = tuple(field.name for field in fields(Vote))
Item = tuple[str, int, str, str]
"""Case, seed, and the two generators in alphabetical order: what raters can agree about."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often an item was voted on, and whether a given rater is among those who did."""

    votes: int
    mine: bool


def new_vote_id() -> str:
    return secrets.token_hex(16)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def rater_name(text: str) -> str:
    """A pseudonym as it is stored: NFC, single spaces. Raises VotesError for what cannot be one."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not _RATER.fullmatch(name):
        raise VotesError(
            "a rater's name has 1 to 40 letters, digits, spaces, '.', '-', and begins with a letter or digit"
        )
    return name


class VoteBox:
    """The votes file of a runs folder. Holds no connection: it may be used from any thread and process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_for_votes(self) -> None:
        """Make the file where there is none. Raises VotesError where votes cannot be stored."""
        with self._writing():
            pass

    def cast(self, vote: Vote) -> bool:
        """Store a vote. False where this rater answered this question already: the first answer stands."""
        with self._writing() as database:
            return self._insert(database, vote)

    def adopt(self, votes: Sequence[Vote]) -> int:
        """Store votes from elsewhere, all or none; those that are here already are passed over. How many were new.

        Raises VotesError where one answers a question that its rater answered otherwise.
        """
        added = 0
        with self._writing() as database:
            for vote in votes:
                if self._insert(database, vote):
                    added += 1
                elif not self._same(database, vote):
                    raise VotesError(
                        f"{self.path}: rater {vote.rater!r} has answered about case {vote.case}, seed {vote.seed}, "
                        f"{vote.axis} in another vote: another person of that name? Rename one; nothing was imported"
                    )
        return added

    def votes(self, run: str) -> pd.DataFrame:
        """The votes of a run, COLUMNS, in the order in which they were stored; empty where there is no file yet."""
        rows = self._read(f"SELECT {_NAMES} FROM votes WHERE run = ? ORDER BY rowid", run)  # noqa: S608 - our columns
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def tallies(self, run: str, suite_hash: str, axis: str, rater: str) -> dict[Item, Tally]:
        """How often each item of a run was voted on along an axis."""
        rows = self._read(_TALLIES, rater, run, suite_hash, axis)
        return {(case, int(seed), a, b): Tally(int(votes), bool(mine)) for case, seed, a, b, votes, mine in rows}

    def by_axis(self, run: str, suite_hash: str, rater: str) -> dict[str, tuple[int, int]]:
        """Axis → (votes of all, votes of a rater) in a run; axes without votes are not in it."""
        rows = self._read(_BY_AXIS, rater, run, suite_hash)
        return {axis: (int(votes), int(mine)) for axis, votes, mine in rows}

    def count(self, run: str) -> int:
        """How many votes a run has: changes whenever one is added."""
        rows = self._read("SELECT count(*) FROM votes WHERE run = ?", run)
        return int(rows[0][0]) if rows else 0

    def secret(self) -> str:
        """Drawn when the file was made: decides order and sides, so that raters cannot work them out."""
        rows = self._read("SELECT value FROM facts WHERE name = 'secret'")
        if not rows:
            raise VotesError(f"{self.path}: no such file yet: open_for_votes makes it")
        return str(rows[0][0])

    def _insert(self, database: sqlite3.Connection, vote: Vote) -> bool:
        try:
            database.execute(_INSERT, astuple(vote))
        except sqlite3.IntegrityError as error:
            if "UNIQUE" in str(error):
                return False
            raise VotesError(f"{self.path}: not a vote that can be stored ({error})") from error
        return True

    def _same(self, database: sqlite3.Connection, vote: Vote) -> bool:
        """Whether the very vote is here, wherever it came from."""
        row = database.execute(f"SELECT {_NAMES} FROM votes WHERE id = ?", (vote.id,)).fetchone()  # noqa: S608
        return row is not None and tuple(row[:-1]) == astuple(vote)[:-1]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that takes its turn; undone where something goes wrong in it."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)) as database:
                _prepare(database)
                database.execute("BEGIN IMMEDIATE")
                try:
                    _require_ours(database, self.path)
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._refusal(error, "stored") from error

    def _read(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        if not self.path.exists():
            return []
        try:
            with closing(self._reader()) as database:
                _require_ours(database, self.path, may_be_new=True)
                return list(database.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            if "no such table" in str(error):  # made a moment ago by somebody who is about to fill it
                return []
            raise self._refusal(error, "read") from error

    def _reader(self) -> sqlite3.Connection:
        """In a folder that cannot be written a file with a log can only be read as one that nobody changes."""
        for mode in ("mode=ro", "mode=ro&immutable=1"):
            try:
                database = sqlite3.connect(f"{self.path.resolve().as_uri()}?{mode}", uri=True, timeout=_PATIENCE_S)
                try:
                    database.execute("SELECT count(*) FROM sqlite_schema")
                except sqlite3.Error:
                    database.close()
                    raise
            except sqlite3.OperationalError:
                if mode != "mode=ro":
                    raise
            else:
                return database
        raise AssertionError("the loop returns or raises")

    def _refusal(self, error: sqlite3.Error, what: str) -> VotesError:
        advice = "choose a runs folder that can be written" if what == "stored" else "is it a votes file?"
        return VotesError(f"{self.path}: votes cannot be {what} ({error}): {advice}")


def _prepare(database: sqlite3.Connection) -> None:
    """Log, durability and tables. Turning the log on does not wait for others by itself, so it is tried again."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    database.execute("PRAGMA synchronous = FULL")
    if _mark(database) == (0, 0):
        _make_tables(database)


def _make_tables(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        if _mark(database) == (0, 0) and not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            for statement in _TABLES:
                database.execute(statement)
            database.execute("INSERT INTO facts VALUES ('secret', ?)", (secrets.token_hex(16),))
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _mark(database: sqlite3.Connection) -> tuple[int, int]:
    application, version = (
        int(database.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
    )
    return application, version


def _require_ours(database: sqlite3.Connection, path: Path, *, may_be_new: bool = False) -> None:
    application, version = _mark(database)
    if may_be_new and (application, version) == (0, 0):
        return
    if application != _APPLICATION:
        raise VotesError(f"{path}: a database, but not of votes: move it away")
    if version != _VERSION:
        raise VotesError(f"{path}: votes of version {version}, and this program knows {_VERSION}: update the program")


_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_INSERT = f"INSERT INTO votes ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our columns
_TALLIES = """
    SELECT "case", seed, min(left_generator, right_generator), max(left_generator, right_generator),
        count(*), max(rater = ?)
    FROM votes WHERE run = ? AND suite_hash = ? AND axis = ? GROUP BY 1, 2, 3, 4"""
_BY_AXIS = "SELECT axis, count(*), sum(rater = ?) FROM votes WHERE run = ? AND suite_hash = ? GROUP BY axis"
_TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE votes (
        id TEXT NOT NULL UNIQUE CHECK (length(id) = 32), run TEXT NOT NULL, suite_hash TEXT NOT NULL,
        "case" TEXT NOT NULL, seed INTEGER NOT NULL, axis TEXT NOT NULL,
        left_generator TEXT NOT NULL, right_generator TEXT NOT NULL CHECK (right_generator <> left_generator),
        left_clip TEXT NOT NULL, right_clip TEXT NOT NULL CHECK (right_clip <> left_clip),
        choice TEXT NOT NULL CHECK (choice IN ('left', 'tie', 'right')),
        rater TEXT NOT NULL CHECK (length(rater) BETWEEN 1 AND 40), time TEXT NOT NULL, source TEXT NOT NULL
    ) STRICT""",
    """CREATE UNIQUE INDEX once ON votes (run, suite_hash, axis, "case", seed,
        min(left_generator, right_generator), max(left_generator, right_generator), rater)""",
    "CREATE TRIGGER votes_stay BEFORE DELETE ON votes BEGIN SELECT raise(ABORT, 'votes are never removed'); END",
    "CREATE TRIGGER votes_stand BEFORE UPDATE ON votes BEGIN SELECT raise(ABORT, 'votes are never changed'); END",
)
