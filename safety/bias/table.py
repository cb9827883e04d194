"""The long table of an audit: read, checked, written. One row per video and person track; columns in columns.py.

A clip in which nobody is seen, one that failed and one that never came have a row too: nothing is lost silently.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from eval.errors import UserError
from safety.bias.axes import GROUP_OF_MONK, LABELLED, UNKNOWN, suggestion
from safety.bias.columns import CLIP_COLUMNS, CLIP_KEY, COLUMNS, Column

_PERSON_ONLY = (*LABELLED, "monk", "track_id")


class TableError(UserError):
    """A table that cannot be audited. The message is one line: which row and column, why, what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditTable:
    """A checked long table: all COLUMNS, in their order and types. Made by `audit_table` or `read_table`."""

    frame: pd.DataFrame

    @property
    def sha256(self) -> str:
        """Hash of the contents: of the rows in canonical order, as CSV."""
        ordered = self.frame.sort_values([*CLIP_KEY, "track_id"], kind="stable")
        return hashlib.sha256(ordered.to_csv(index=False, lineterminator="\n").encode()).hexdigest()

    @property
    def systems(self) -> list[tuple[str, str]]:
        """(system, version), sorted."""
        return sorted(set(zip(self.frame["system"].astype(str), self.frame["version"].astype(str), strict=True)))

    def of(self, system: str, version: str) -> AuditTable:
        """The rows of one system."""
        mine = (self.frame["system"] == system) & (self.frame["version"] == version)
        return AuditTable(self.frame[mine].reset_index(drop=True))

    def write(self, path: Path) -> None:
        """Write Parquet, under a temporary name first."""
        temporary = path.with_name(f"{path.name}.tmp")
        self.frame.to_parquet(temporary, index=False)
        temporary.replace(path)


def read_table(path: Path) -> AuditTable:
    """Read Parquet. Raises TableError."""
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: not a Parquet table that can be read ({str(error).splitlines()[0]})") from error
    return audit_table(frame)


def audit_table(frame: pd.DataFrame) -> AuditTable:
    """Check a table and give it its types. Columns that are not required may be left out.

    `skin_tone` follows from `monk` where it is left out. Raises TableError.
    """
    if frame.empty:
        raise TableError("the table has no rows: an audit needs one for every clip that was asked for")
    frame = frame.reset_index(drop=True)
    _check_names(frame)
    typed = pd.DataFrame({name: _typed(frame, column) for name, column in COLUMNS.items()})
    if "skin_tone" not in frame and "monk" in frame:
        typed["skin_tone"] = typed["monk"].map(GROUP_OF_MONK).astype("string")
        typed.loc[typed["skin_tone"].isna() & (typed["outcome"] == "person"), "skin_tone"] = UNKNOWN
    for column in COLUMNS.values():
        _check_values(typed, column)
    _check_people(typed)
    _check_tones(typed)
    _check_clips(typed)
    _check_sets(typed)
    return AuditTable(typed)


def _check_names(frame: pd.DataFrame) -> None:
    for name in frame.columns:
        if name not in COLUMNS:
            raise TableError(f"unknown column {str(name)!r}{suggestion(str(name), COLUMNS)}")
    for column in COLUMNS.values():
        if column.required and column.name not in frame:
            raise TableError(f"no column {column.name!r} ({column.about}): add it, full, for every row")
    if not any(axis in frame for axis in (*LABELLED, "monk")):
        raise TableError(f"no column of labels: add one of {', '.join(LABELLED)}, monk")


def _typed(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    if column.name not in frame:
        return _cast(pd.Series([None] * len(frame), dtype="object"), column)
    try:
        return _cast(frame[column.name], column)
    except (TypeError, ValueError) as error:
        wanted = {"whole": "whole numbers", "number": "numbers", "flag": "true or false", "text": "text"}[column.kind]
        raise TableError(f"column {column.name!r} must hold {wanted}: {str(error).splitlines()[0]}") from error


def _cast(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if column.kind == "flag":
        return values.astype("boolean").fillna(False).astype("bool")
    if column.kind == "text":
        return values.astype("string")
    numbers = pd.to_numeric(values)
    return numbers.astype("Int64") if column.kind == "whole" else numbers.astype("float64")


def _check_values(typed: pd.DataFrame, column: Column) -> None:
    values = typed[column.name]
    full = values.notna()
    if column.required and not full.all():
        raise TableError(f"row {_first(~full)}: {column.name!r} is empty: it must be full for every row")
    if column.values:
        wrong = full & ~values.isin(column.values)
        if wrong.any():
            row, word = _first(wrong), str(values[_first(wrong)])
            raise TableError(f"row {row}: {column.name!r} is {word!r}{suggestion(word, column.values)}")
    if column.kind in ("number", "whole"):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        outside = ~np.isnan(numbers) & ((numbers < low) | (numbers > high) | np.isinf(numbers))
        if outside.any():
            row = _first(outside)
            raise TableError(f"row {row}: {column.name!r} is {numbers[row]:g}, outside {low:g} to {high:g}")


def _check_people(typed: pd.DataFrame) -> None:
    """Somebody has a track, and a label where the reader ran; nobody has neither."""
    person = typed["outcome"] == "person"
    lost = person & typed["track_id"].isna()
    if lost.any():
        raise TableError(
            f"row {_first(lost)}: the outcome is 'person' and 'track_id' is empty: number the clip's people"
        )
    for name in _PERSON_ONLY:
        ghost = ~person & typed[name].notna()
        if ghost.any():
            outcome = typed["outcome"][_first(ghost)]
            raise TableError(
                f"row {_first(ghost)}: {name!r} is filled in and the outcome is {outcome!r}: leave it empty"
            )
    for axis in LABELLED:
        labels = typed[axis]
        unread = person & labels.isna()
        if unread.any() and labels.notna().any():
            raise TableError(
                f"row {_first(unread)}: {axis!r} is empty for a person: write 'unknown' where it cannot be told"
            )


def _check_tones(typed: pd.DataFrame) -> None:
    expected = typed["monk"].map(GROUP_OF_MONK).astype("string")
    differ = (expected.notna() & (expected != typed["skin_tone"])).fillna(False)
    if differ.any():
        row = _first(differ)
        raise TableError(
            f"row {row}: 'monk' is {typed['monk'][row]} and 'skin_tone' {typed['skin_tone'][row]!r}: "
            "leave 'skin_tone' out and it follows from 'monk'"
        )


def _check_clips(typed: pd.DataFrame) -> None:
    """Rows of one clip agree on what the clip is, and name each person once."""
    key = [*CLIP_KEY, "track_id"]
    twice = typed.duplicated(key)
    if twice.any():
        where = ", ".join(f"{name} {typed[name][_first(twice)]}" for name in key)
        raise TableError(f"row {_first(twice)}: a second row for {where}: one row per video and person track")
    if not typed.duplicated(list(CLIP_KEY)).any():
        return
    clip = typed.groupby(list(CLIP_KEY), sort=False).ngroup().to_numpy()
    first = np.unique(clip, return_index=True)[1][clip]
    for name in CLIP_COLUMNS:
        codes = pd.factorize(typed[name])[0]
        differ = codes != codes[first]
        if differ.any():
            row = _first(differ)
            raise TableError(f"row {row}: {name!r} differs from row {first[row]}, which is the same clip")


def _check_sets(typed: pd.DataFrame) -> None:
    """A counterfactual prompt states something: what else would differ in its set."""
    stated = typed[[f"stated_{axis}" for axis in LABELLED]].notna().any(axis=1)
    idle = typed["counterfactual_set"].notna() & ~stated
    if idle.any():
        raise TableError(
            f"row {_first(idle)}: a prompt of a counterfactual set states no attribute: fill in a 'stated_' column"
        )


def _first(mask: pd.Series[bool] | npt.NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(np.asarray(mask, dtype=bool))[0])
