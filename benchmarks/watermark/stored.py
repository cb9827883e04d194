"""Stored watermark audits: found in the runs folder, read as data, in a form that pages show. Nothing is computed
anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.audits import read_figures, stored_audits
from benchmarks.watermark.audit import FORMAT, KIND


@dataclass(frozen=True, slots=True)
class StoredAudit:
    """One audit. run, folder: where its report lies. document: figures.json."""

    run: str
    folder: str
    document: Mapping[str, Any]

    @property
    def about(self) -> Mapping[str, Any]:
        return dict(self.document["about"])

    @property
    def plan(self) -> Mapping[str, Any]:
        return dict(self.document["plan"])

    @property
    def created(self) -> str:
        return str(self.about["created"])

    @property
    def label(self) -> str:
        marks = ", ".join(self.marks())
        return f"{marks} · {self.about['title']} · {self.created} · {self.run}"

    def marks(self) -> list[str]:
        return [mark["facts"]["name"] for mark in self._marks()]

    def heat_frame(self) -> pd.DataFrame:
        """One row per mark, attack, strength and measure (accuracy, message, and the share detected at each rate):
        value with low and high, trials, failed, skipped. strength is empty for the clip that was not attacked.
        """
        rows = []
        for mark in self._marks():
            for cell in mark["cells"]:
                shared = {
                    "mark": mark["facts"]["name"],
                    **{name: cell[name] for name in ("attack", "family", "unit", "strength")},
                    **{name: cell[name] for name in ("trials", "failed", "skipped", "attack_db", "attack_xpsnr")},
                }
                measures = [("bit accuracy", _interval(cell["accuracy"])), ("message accuracy", cell["message"])]
                measures += [(f"detected at {rate}", share) for rate, share in cell["detected"].items()]
                rows += [{**shared, "measure": name, **_ends(found)} for name, found in measures]
        return pd.DataFrame(rows)

    def roc_frame(self) -> pd.DataFrame:
        """One row per point of each curve: mark, curve, exact (or observed), rate of false alarms, share detected,
        floor (the smallest rate that is known of).
        """
        rows = [
            {
                "mark": mark["facts"]["name"],
                "curve": curve["name"],
                "exact": curve["exact"],
                "rate": rate,
                "detected": share,
                "floor": curve["floor"],
            }
            for mark in self._marks()
            for curve in mark["curves"]
            for rate, share in zip(curve["rates"], curve["detected"], strict=True)
        ]
        return pd.DataFrame(rows, columns=["mark", "curve", "exact", "rate", "detected", "floor"])

    def survival_frame(self) -> pd.DataFrame:
        """One row per mark, chain of reshares and generation: share still detected with low and high, clips at risk,
        and the half-life with its interval (empty: longer than was looked at). Generation 0 is the marked clip.
        """
        rows = []
        for mark in self._marks():
            for chain, curve in mark["survival"].items():
                half = {"half_life": curve["half_life"], "half_low": curve["low"], "half_high": curve["high"]}
                shared = {"mark": mark["facts"]["name"], "chain": chain, "last": curve["last"], **half}
                start = {"generation": 0.0, "share": 1.0, "low": 1.0, "high": 1.0, "risk": curve["clips"]}
                rows.append({**shared, **start})
                rows += [
                    {
                        **shared,
                        "generation": step["at"],
                        **{name: step[name] for name in ("share", "low", "high", "risk")},
                    }
                    for step in curve["steps"]
                ]
        return pd.DataFrame(rows)

    def tax_frame(self) -> pd.DataFrame:
        """One row per mark and metric, and one for diversity: unmarked, marked, difference with low and high, p
        adjusted.
        """
        rows = []
        for mark in self._marks():
            for one in mark["tax"]:
                value, low, high = one["difference"]
                rows.append(
                    {
                        "mark": mark["facts"]["name"],
                        **{name: one[name] for name in ("metric", "better", "unmarked", "marked")},
                        "difference": value,
                        "low": low,
                        "high": high,
                        **{name: one[name] for name in ("q", "scored", "expected", "reason")},
                    }
                )
            if mark["diversity"] is not None:
                one = mark["diversity"]
                value, low, high = one["difference"]
                rows.append(
                    {
                        "mark": mark["facts"]["name"],
                        "metric": f"diversity ({one['encoder']})",
                        "better": "band",
                        "unmarked": one["unmarked"],
                        "marked": one["marked"],
                        "difference": value,
                        "low": low,
                        "high": high,
                        "q": None,
                        "scored": one["clips"],
                        "expected": one["clips"],
                        "reason": one["reason"],
                    }
                )
        return pd.DataFrame(rows)

    def ledger_frame(self) -> pd.DataFrame:
        """One row per mark, kind, attack, status and reason of trials without a number, with their count."""
        columns = ["mark", "kind", "attack", "status", "reason", "count"]
        return pd.DataFrame(self.document["figures"]["losses"], columns=columns)

    def frontier_frame(self) -> pd.DataFrame:
        """One row per mark, goal and quality: the most that is won at that quality or better, and by which attack."""
        rows = [
            {"mark": mark["facts"]["name"], "goal": goal, "measure": mark["frontier"]["measure"], **best}
            for mark in self._marks()
            for goal in ("removal", "forgery")
            for best in mark["frontier"][goal]
        ]
        return pd.DataFrame(rows, columns=["mark", "goal", "measure", "quality", "gained", "attack"])

    def _marks(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.document["figures"]["marks"])


def _interval(found: list[float | None]) -> Mapping[str, float | None]:
    return dict(zip(("value", "low", "high"), found, strict=True))


def _ends(found: Mapping[str, Any]) -> Mapping[str, float | None]:
    return {name: found[name] for name in ("value", "low", "high")}


def list_audits(root: Path) -> list[StoredAudit]:
    """All audits below a runs folder that can be read, newest first; others are logged and left out."""
    return stored_audits(root, KIND, read_audit)


def read_audit(path: Path) -> StoredAudit:
    """One figures.json. Raises StoreError for a file that is none."""
    return read_figures(path, FORMAT, _checked)


def _checked(run: str, folder: str, document: Mapping[str, Any]) -> StoredAudit:
    audit = StoredAudit(run, folder, document)
    assert audit.label
    for read in (audit.heat_frame, audit.roc_frame, audit.survival_frame, audit.tax_frame, audit.frontier_frame):
        read()
    audit.ledger_frame()
    return audit
