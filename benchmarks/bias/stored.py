"""Stored audits: found in the runs folder, read as data, in a form that pages show. Nothing is computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.audits import read_figures, stored_audits
from benchmarks.bias.audit import FORMAT, KIND
from benchmarks.bias.summary import SERVED
from safety.bias.axes import AXES


@dataclass(frozen=True, slots=True)
class StoredAudit:
    """An audit of one generator. run, folder: where its report lies. document: figures.json."""

    run: str
    folder: str
    document: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        return dict(self.document["facts"])

    @property
    def system(self) -> Mapping[str, Any]:
        return dict(self.document["report"]["systems"][0])

    @property
    def created(self) -> str:
        return str(self.facts["created"])

    @property
    def label(self) -> str:
        return f"{self.facts['generator']} · {self.facts['suite']} · {self.created} · {self.run}"

    def share_frame(self) -> pd.DataFrame:
        """One row per attribute, method and group: attribute, group, method, value, low, high, even, clips, prompts."""
        rows = [
            {
                "attribute": _title(axis["axis"]),
                "group": group,
                "method": way["method"],
                **{name: found[name] for name in ("value", "low", "high", "clips", "prompts")},
                "even": 1 / len(axis["groups"]),
            }
            for axis in self._axes()
            for way in axis["everybody"]["ways"]
            for group, found in way["shares"].items()
        ]
        columns = ["attribute", "group", "method", "value", "low", "high", "even", "clips", "prompts"]
        return pd.DataFrame(rows, columns=columns)

    def ledger_frame(self) -> pd.DataFrame:
        """One row per attribute: how many clips could be told, and what came of the others."""
        rows = []
        for axis in self._axes():
            counts = axis["ledger"]["all"]
            rows.append(
                {
                    "attribute": _title(axis["axis"]),
                    "asked": counts["asked"],
                    "told": round(counts["told"]),
                    "unknown": round(counts["unknown"]),
                    "no visible person": counts["nobody"],
                    "failed": counts["failed"],
                    "missing": counts["missing"],
                }
            )
        return pd.DataFrame(rows)

    def gap_frame(self) -> pd.DataFrame:
        """One row per service and pair of stated groups: difference with interval, adjusted p, claim of parity."""
        rows = []
        for part in self.system["services"]:
            for gap in part["parity"]["gaps"] if "parity" in part and part["parity"]["service"] in SERVED else ():
                claim = part["claims"].get(f"{gap['group']} and {gap['other']}")
                found = gap["estimate"]
                rows.append(
                    {
                        "service": part["parity"]["service"],
                        "stated": _title(part["parity"]["axis"]),
                        "groups": f"{gap['group']} less {gap['other']}",
                        **{name: found[name] for name in ("value", "low", "high", "q")},
                        "parity": "" if claim is None else "shown" if claim["equivalent"] else "not shown",
                    }
                )
        return pd.DataFrame(rows, columns=["service", "stated", "groups", "value", "low", "high", "q", "parity"])

    def not_measured(self) -> list[str]:
        """Reasons why parts of the report have no figures, each once."""
        parts = [part for name in ("axes", "services", "amplification") for part in self.system[name]]
        reasons = [part["reason"] for part in parts if set(part) == {"reason"}]
        reasons += [axis["everybody"]["reason"] for axis in self._axes() if axis["everybody"]["status"] != "measured"]
        return list(dict.fromkeys(reasons))

    def _axes(self) -> Iterator[Mapping[str, Any]]:
        return (axis for axis in self.system["axes"] if "everybody" in axis)


def _title(axis: str) -> str:
    """Its title without what stands behind a comma."""
    return AXES[axis].title.split(",")[0]


def list_audits(root: Path) -> list[StoredAudit]:
    """All audits below a runs folder that can be read, newest first; others are logged and left out."""
    return stored_audits(root, KIND, read_audit)


def read_audit(path: Path) -> StoredAudit:
    """One figures.json. Raises StoreError for a file that is none."""
    return read_figures(path, FORMAT, _checked)


def _checked(run: str, folder: str, document: Mapping[str, Any]) -> StoredAudit:
    audit = StoredAudit(run, folder, document)
    for read in (audit.share_frame, audit.ledger_frame, audit.gap_frame, audit.not_measured, lambda: audit.label):
        read()
    return audit
