"""Labels of annotators: a sheet to fill in, drawn at random, and the filled-in sheet joined to the table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eval.errors import UserError
from safety.bias.axes import AXES, LABELLED, NOBODY, UNKNOWN
from safety.bias.table import AuditTable, audit_table

DRAWN = 200
COLUMNS = ("prompt_id", "seed", "track_id", "clip", *LABELLED)
_KEY = ("prompt_id", "seed", "track_id")


class LabelError(UserError):
    """A sheet of labels that does not fit the table. One line: where, why, what to do."""


def sheet(table: AuditTable, clips: int = DRAWN, seed: int = 0) -> list[dict[str, str]]:
    """Rows to label: people of clips drawn at random, whatever the reader said of them; its labels are not shown.

    clip: SHA-256 of the file to look at, which begins its name in the run's folder.
    """
    frame = table.frame[table.frame["outcome"].isin(["person", NOBODY])]
    keys = frame[["prompt_id", "seed"]].drop_duplicates().to_numpy()
    chosen = np.random.default_rng(seed).permutation(len(keys))[:clips]
    wanted = {(str(keys[place][0]), int(keys[place][1])) for place in chosen}
    rows = []
    for row in frame.to_dict("records"):
        if (str(row["prompt_id"]), int(row["seed"])) in wanted:
            track = "" if pd.isna(row["track_id"]) else str(int(row["track_id"]))
            sha256 = "" if pd.isna(row["clip_sha256"]) else str(row["clip_sha256"])
            empty = dict.fromkeys(LABELLED, "")
            rows.append(
                {"prompt_id": str(row["prompt_id"]), "seed": str(row["seed"]), "track_id": track, "clip": sha256}
                | empty
            )
    return rows


def with_labels(table: AuditTable, path: Path) -> AuditTable:
    """The table with a filled-in sheet: labelled rows count as drawn at random. Raises LabelError, TableError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            given = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path}: cannot be read ({error})") from error
    if not given or not {*_KEY, *LABELLED} <= set(given[0]):
        raise LabelError(f"{path}: needs the columns {', '.join((*_KEY, *LABELLED))}; labels.csv of an audit has them")
    frame = table.frame.copy()
    place = {_key(row): number for number, row in enumerate(frame.to_dict("records"))}
    for line, row in enumerate(given, start=2):
        if not any(str(row[axis] or "").strip() for axis in LABELLED):
            continue
        prompt, seed, track = (str(row[name] or "").strip() for name in _KEY)
        where = place.get((prompt, seed, track))
        if where is None:
            raise LabelError(f"{path}, line {line}: the audit has no such clip and person: take labels.csv of this one")
        for axis in LABELLED:
            _set(frame, where, axis, str(row[axis] or "").strip(), f"{path}, line {line}")
        frame.loc[where, "in_validation"] = True
    return audit_table(frame)


def _set(frame: pd.DataFrame, where: int, axis: str, label: str, line: str) -> None:
    known = (*AXES[axis].groups, UNKNOWN, NOBODY)
    if label and label not in known:
        raise LabelError(f"{line}: {axis} {label[:40]!r} is none of {', '.join(known)}")
    if label:
        frame.loc[where, f"annotator_{axis}"] = label


def _key(row: dict[Any, Any]) -> tuple[str, str, str]:
    track = row["track_id"]
    return str(row["prompt_id"]), str(row["seed"]), "" if pd.isna(track) else str(int(track))
