"""Which clips a folder holds, and the table that may lie beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.cache import write_atomically
from eval.case import PORTRAIT
from eval.errors import UserError

CLIP_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
TABLE_NAMES = ("clips.csv", "clips.jsonl", "clips.parquet")


class TableError(UserError):
    """A table beside the clips that cannot be used; one line."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """What the table says of one file. Empty: not said.

    portraits: name → picture of each person asked for, relative to the folder.
    """

    file: str
    case: str = ""
    prompt: str = ""
    seed: int | None = None
    portraits: Mapping[str, str] = field(default_factory=dict)


def find_clips(folder: Path) -> list[Path]:
    """Every clip below `folder`, sorted: clip files by suffix (any case), and folders of nothing but pictures."""
    clips: set[Path] = set()
    pictured: set[Path] = set()
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        suffix = path.suffix.lower()
        if path.is_file() and suffix in CLIP_SUFFIXES:
            clips.add(path)
        elif path.is_file() and suffix in PICTURE_SUFFIXES:
            pictured.add(path.parent)
    # A picture beside clips is a poster or a sheet, not a clip of one frame.
    return sorted(clips | (pictured - {path.parent for path in clips}))


def read_table(folder: Path) -> dict[str, TableRow]:
    """The table beside the clips, by file name relative to `folder`; empty when there is none.

    Columns: file, and any of case, prompt, seed, portrait (and further ones whose names begin with it, for several
    people). Raises TableError for a table without `file`, for a file named twice, and for files outside the folder.
    """
    path = next((folder / name for name in TABLE_NAMES if (folder / name).is_file()), None)
    if path is None:
        return {}
    rows: dict[str, TableRow] = {}
    for number, record in enumerate(_records(path), start=1):
        row = _row(record, f"{path.name}: row {number}")
        if row.file in rows:
            raise TableError(f"{path.name}: row {number}: {row.file!r} is named twice")
        rows[row.file] = row
    return rows


def add_to_table(folder: Path, rows: Sequence[TableRow]) -> Path:
    """Write the rows into clips.csv of the folder, in place of those of the same files; returns its path.

    All else that stands in the table stays. Raises TableError for a table that is not UTF-8 or has no column `file`.
    """
    path = folder / TABLE_NAMES[0]
    columns, kept = ["file", "prompt", "seed"], []
    if path.is_file():
        try:
            reader = csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True))
            kept = [row for row in reader if None not in row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise TableError(f"{path}: not readable as CSV: {error}; mend it or choose another folder") from error
        found = list(reader.fieldnames or columns)
        if "file" not in found:
            raise TableError(f"{path}: needs a column 'file'; it has {', '.join(found)}: choose another folder")
        columns = list(dict.fromkeys([*found, *columns]))
    new = {row.file: {"file": row.file, "prompt": row.prompt, "seed": row.seed} for row in rows}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([row for row in kept if row["file"] not in new])
    writer.writerows(new.values())
    write_atomically(path, text.getvalue().encode())
    return path


def _records(path: Path) -> list[Mapping[str, Any]]:
    import pandas as pd

    try:
        if path.suffix == ".csv":
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        elif path.suffix == ".jsonl":
            frame = pd.read_json(path, lines=True, dtype=False)
        else:
            frame = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise TableError(f"{path.name}: not readable: {' '.join(str(error).split())}") from error
    if "file" not in frame.columns:
        raise TableError(f"{path.name}: needs a column 'file'; it has {', '.join(map(str, frame.columns)) or 'none'}")
    return [{str(key): value for key, value in record.items()} for record in frame.to_dict("records")]


def _row(record: Mapping[str, Any], place: str) -> TableRow:
    file = _inside(str(record["file"]), place)
    seed = _text(record.get("seed"))
    try:
        # A column with gaps comes back as floats: "7.0" is 7.
        number = int(seed.removesuffix(".0")) if seed else None
    except ValueError as error:
        raise TableError(f"{place}: seed {seed!r} is not a whole number") from error
    told = {name: _text(value) for name, value in record.items() if name.startswith(PORTRAIT)}
    portraits = {name: _inside(path, place) for name, path in told.items() if path}
    return TableRow(file, _text(record.get("case")), _text(record.get("prompt")), number, portraits)


def _inside(path: str, place: str) -> str:
    """A path below the folder, with forward slashes. Raises TableError for others."""
    relative = Path(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise TableError(f"{place}: {path!r} points outside the folder")
    return relative.as_posix()


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN is an empty cell
