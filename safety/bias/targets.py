"""What shares are held against: an even split, a declared table of the user's, and what the prompts stated.

The three answer different questions and are never mixed. A declared table is the user's claim about the world, or about
a training mixture; the audit only checks that it is a table of shares.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.errors import UserError
from safety.bias.axes import AXES, GROUP_OF_MONK, Axis, UnknownAxis, check_group, find_axis, suggestion

Floats = npt.NDArray[np.float64]

EVERYBODY = ""
"""The role under which shares of all roles together are declared."""

_SLACK = 0.005
"""Shares are typed with two or three digits: they add up to 1 within this."""


class TargetError(UserError):
    """A declared table that is no table of shares. The message is one line: where, why, what to do."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Shares, {role: {axis: {group: share}}}, EVERYBODY for all roles together. name: the file, or who says so."""

    name: str
    shares: Mapping[str, Mapping[str, Mapping[str, float]]]

    def of(self, axis: Axis, role: str = EVERYBODY) -> Floats | None:
        """Shares of the axis's groups for a role, shares_K; those of everybody where the role has none; None: neither.

        Shares of Monk steps also give those of `skin_tone`.
        """
        for who in (role, EVERYBODY):
            table = self.shares.get(who, {})
            if axis.name in table:
                return np.array([table[axis.name][group] for group in axis.groups])
            if axis.name == "skin_tone" and "monk" in table:
                return _grouped(table["monk"], axis)
        return None

    def check_roles(self, roles: Iterable[str]) -> None:
        """Raises TargetError for a role that no prompt is about: a misspelt one would never be compared."""
        known = list(roles)
        for role in self.shares:
            if role != EVERYBODY and role not in known:
                raise TargetError(f"{self.name}: no prompt is about role {role!r}{suggestion(role, known)}")


def even(axis: Axis) -> Floats:
    """The uniform target, shares_K."""
    return np.full(len(axis.groups), 1 / len(axis.groups))


def declared(name: str, shares: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Declared:
    """Check a table: known axes and groups, every group there, none negative, sums of 1. Raises TargetError."""
    for role, axes in shares.items():
        for axis_name, groups in axes.items():
            where = f"{name}, {role or 'everybody'}, {axis_name}"
            _check(where, axis_name, groups)
    return Declared(name, shares)


def read_declared(path: Path) -> Declared:
    """Read a CSV with columns role (may be empty or left out: everybody), axis, group, share. Raises TargetError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TargetError(f"{path}: cannot be read ({error})") from error
    if not rows or not {"axis", "group", "share"} <= set(rows[0]):
        raise TargetError(f"{path}: needs the columns axis, group, share, and role where shares differ by role")
    table: dict[str, dict[str, dict[str, float]]] = {}
    for number, row in enumerate(rows, start=2):
        role, axis, group = (str(row.get(name) or "").strip() for name in ("role", "axis", "group"))
        groups = table.setdefault(role, {}).setdefault(axis, {})
        if group in groups:
            raise TargetError(f"{path}, line {number}: {axis} {group!r} of {role or 'everybody'} came before")
        try:
            groups[group] = float(str(row["share"]))
        except ValueError as error:
            raise TargetError(f"{path}, line {number}: share {row['share']!r} is no number") from error
    return declared(path.name, table)


def _check(where: str, axis_name: str, groups: Mapping[str, float]) -> None:
    try:
        axis = find_axis(axis_name)
        for group in groups:
            check_group(axis, group, where)
    except UnknownAxis as error:
        raise TargetError(str(error) if str(error).startswith(where) else f"{where}: {error}") from error
    lacking = [group for group in axis.groups if group not in groups]
    if lacking:
        raise TargetError(f"{where}: no share for {', '.join(map(repr, lacking))}: write 0 where there is none")
    for group, share in groups.items():
        if not 0 <= share <= 1:
            raise TargetError(f"{where}: share of {group!r} is {share:g}; shares lie between 0 and 1")
    total = sum(groups.values())
    if abs(total - 1) > _SLACK:
        raise TargetError(f"{where}: shares add up to {total:.4g}, not to 1")


def _grouped(steps: Mapping[str, float], axis: Axis) -> Floats:
    monk = AXES["monk"].groups
    return np.array([sum(steps[step] for step in monk if GROUP_OF_MONK[int(step)] == group) for group in axis.groups])
