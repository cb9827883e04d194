"""Votes as CSV and Parquet, out and in: what comes in is checked against the run before any of it is stored."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.arena.axes import AXES
from benchmarks.arena.pairs import Slate, slate
from benchmarks.arena.votes import CHOICES, COLUMNS, FILE, Vote, VoteBox, VotesError, rater_name
from benchmarks.export import frame_csv, guarded
from benchmarks.store import StoreError, open_run
from eval.hashing import file_sha256

MOST_BYTES = 256 * 2**20
MOST_TOLD = 10
"""Mistakes named; the rest are counted."""
_HEX = frozenset("0123456789abcdef")
_CLOCK_SKEW = timedelta(hours=1)


def votes_csv(votes: pd.DataFrame) -> str:
    """As CSV; cells that a spreadsheet would run as a formula begin with ', which importing takes off again."""
    return frame_csv(votes)


def votes_parquet(votes: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    votes.to_parquet(out, index=False)
    return out.getvalue()


def import_votes(path: Path, runs: Path) -> tuple[int, int]:
    """Store the votes of a file beside the runs that they are about: (new, here already). All or none.

    Every vote must name a run of this folder with the same suite and the same clips, an axis that can be asked about
    them, and a choice, a rater, an id and a time that can be. Raises VotesError, one line per mistake.
    """
    source = f"file {file_sha256(path)[:16]}" if path.is_file() else ""
    rows = list(_read(path))
    offered = _slates(runs)
    votes: list[Vote] = []
    mistakes: list[str] = []
    for number, row in enumerate(rows, 1):
        try:
            votes.append(_vote(row, source))
            _fits(votes[-1], offered(votes[-1].run))
        except (VotesError, StoreError) as error:
            mistakes.append(f"{path}: vote {number}: {error}")
    if mistakes:
        more = len(mistakes) - MOST_TOLD
        told = mistakes[:MOST_TOLD] + ([f"{path}: and {more} more votes that do not fit"] if more > 0 else [])
        raise VotesError("\n".join([*told, "nothing was imported"]))
    if not votes:
        raise VotesError(f"{path}: no votes in it")
    added = VoteBox(runs / FILE).adopt(votes)
    return added, len(votes) - added


def _slates(runs: Path) -> Callable[[str], Slate]:
    @cache
    def of(run: str) -> Slate:
        return slate(open_run(runs, run))

    return of


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a CSV or Parquet file with the columns of Vote; `source` may be missing and is not read."""
    if not path.is_file():
        raise VotesError(f"{path}: no such file")
    if path.stat().st_size > MOST_BYTES:
        raise VotesError(f"{path}: larger than {MOST_BYTES // 2**20} MiB: split it")
    rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    needed = set(COLUMNS) - {"source"}
    for row in rows:
        missing = needed - set(row)
        if missing:
            raise VotesError(f"{path}: no column {', '.join(sorted(missing))}: is it from `moviegen arena export`?")
        yield row


def _read_parquet(path: Path) -> Sequence[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Mapping[str, Any]] = pq.ParquetFile(path).read().to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise VotesError(f"{path}: not a Parquet file that can be read ({error})") from error
    return rows


def _read_csv(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise VotesError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    return [{name: _unguarded(cell) for name, cell in row.items() if isinstance(name, str)} for row in rows]


def _unguarded(cell: str | None) -> str:
    """The text before benchmarks.export.guarded put a ' in front."""
    if cell is not None and cell.startswith("'") and guarded(cell[1:]) == cell:
        return cell[1:]
    return cell or ""


def _vote(row: Mapping[str, Any], source: str) -> Vote:
    """Raises VotesError for a value that cannot be."""
    text = {name: str(row[name]) if row[name] is not None else "" for name in COLUMNS if name != "source"}
    vote_id, choice = text["id"], text["choice"]
    if len(vote_id) != 32 or not set(vote_id) <= _HEX:
        raise VotesError(f"id {_short(vote_id)} is not 32 hexadecimal digits")
    if choice not in CHOICES:
        raise VotesError(f"choice {_short(choice)} is none of {', '.join(CHOICES)}")
    if not text["seed"].isascii() or not text["seed"].isdigit() or len(text["seed"]) > 16:
        raise VotesError(f"seed {_short(text['seed'])} is not a whole number")
    if rater_name(text["rater"]) != text["rater"]:
        raise VotesError(f"rater {_short(text['rater'])} has spaces that do not belong there")
    values: dict[str, Any] = {**text, "seed": int(text["seed"]), "time": _time(text["time"]), "source": source}
    return Vote(**values)


def _time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise VotesError(f"time {_short(text)} is not ISO 8601") from None
    if at.tzinfo is None:
        raise VotesError(f"time {_short(text)} has no time zone")
    if at > datetime.now(UTC) + _CLOCK_SKEW:
        raise VotesError(f"time {_short(text)} has not come yet")
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _fits(vote: Vote, offered: Slate) -> None:
    """Raises VotesError unless the vote is about two clips that the run holds and the axis can be asked about."""
    if vote.suite_hash != offered.suite_hash:
        raise VotesError(f"suite {vote.suite_hash[:12]} is not that of run {offered.run}, {offered.suite_hash[:12]}")
    if vote.axis not in AXES:
        raise VotesError(f"unknown axis {_short(vote.axis)}")
    clips = offered.shown(AXES[vote.axis], vote.case, vote.seed)
    for generator, sha256 in ((vote.left_generator, vote.left_clip), (vote.right_generator, vote.right_clip)):
        if generator not in clips:
            what = f"case {_short(vote.case)}, seed {vote.seed}"
            raise VotesError(
                f"run {offered.run} has no clip of {_short(generator)} for {what} to ask {vote.axis} about"
            )
        if clips[generator].sha256 != sha256:
            raise VotesError(f"the clip of {_short(generator)} is not the one that run {offered.run} holds")
    if vote.left_clip == vote.right_clip or vote.left_generator == vote.right_generator:
        raise VotesError("a clip against itself")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
