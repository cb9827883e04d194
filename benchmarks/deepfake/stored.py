"""Stored audits: found in the runs folder, read as data, in a form that pages show. Nothing is computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.audits import read_figures, stored_audits
from benchmarks.deepfake.export import FORMAT

KIND = "deepfake"

_AUC = ("value", "low", "high", "p", "fakes", "reals")


@dataclass(frozen=True, slots=True)
class StoredDeepfakeAudit:
    """One audit. run, folder: where its report lies. document: figures.json."""

    run: str
    folder: str
    document: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        return dict(self.document["facts"])

    @property
    def created(self) -> str:
        return str(self.facts["created"])

    @property
    def verdict(self) -> Mapping[str, Any]:
        """state, headline, meaning, reasons, cautions; auc is null where there is no verdict."""
        return dict(self.document["verdict"])

    @property
    def label(self) -> str:
        facts = self.facts
        return f"{facts['name']} against {', '.join(facts['reals'])} · {self.created} · {self.run}"

    @property
    def confounded(self) -> bool:
        """Whether the figures of traces are no measure of separability."""
        return bool(self.verdict["state"] == "refused")

    def block_frame(self) -> pd.DataFrame:
        """One row per block of traces, all together last: block, value, low, high, p, fakes, reals."""
        measured = self.document["measured"]
        blocks = {} if measured is None else measured["blocks"]
        rows = [{"block": name, **{key: auc[key] for key in _AUC}} for name, auc in blocks.items()]
        return pd.DataFrame(rows, columns=["block", *_AUC])

    def control_frame(self) -> pd.DataFrame:
        """One row per floor, ceiling, left-out generator and mark: kind, name, value, low, high, reason, about."""
        rows = []
        for kind, part in (("floor", "floors"), ("ceiling", "ceilings"), ("unseen", "left_out"), ("mark", "marks")):
            for control in self.document[part]:
                auc = control["auc"] or {"value": None, "low": None, "high": None}
                known = {name: auc[name] for name in ("value", "low", "high")}
                rows.append({"kind": kind, "name": control["name"], **known, "reason": control["reason"],
                             "about": control["about"]})  # fmt: skip
        return pd.DataFrame(rows, columns=["kind", "name", "value", "low", "high", "reason", "about"])

    def nuisance_frame(self) -> pd.DataFrame:
        """One row per nuisance, before and after canonicalising, `together` first: when, nuisance, value, low, high."""
        rows: list[dict[str, Any]] = []
        for when in ("before", "after"):
            found = self.document["nuisances"][when]
            if found is None:
                continue
            auc = found["together"]
            rows.append(
                {"when": when, "nuisance": "together", **{name: auc[name] for name in ("value", "low", "high")}}
            )
            rows += [{"when": when, "nuisance": name, "value": value} for name, value in found["single"].items()]
        return pd.DataFrame(rows, columns=["when", "nuisance", "value", "low", "high"])

    def curve_frame(self) -> pd.DataFrame:
        """The learning curve: clips, auc, low, high."""
        rows = [
            {"clips": point["groups"], "auc": point["auc"], "low": point["low"], "high": point["high"]}
            for point in self._measured("curve")
        ]
        return pd.DataFrame(rows, columns=["clips", "auc", "low", "high"])

    def roc_frame(self) -> pd.DataFrame:
        """The ROC of out-of-fold scores: fpr, tpr."""
        return pd.DataFrame(self._measured("roc"), columns=["fpr", "tpr"])

    def operating_frame(self) -> pd.DataFrame:
        """One row per figure at a threshold: figure, value, low, high, reason (why there is none)."""
        measured = self.document["measured"]
        if measured is None:
            return pd.DataFrame(columns=["figure", "value", "low", "high", "reason"])
        found = measured["operating"]
        named = {"equal error rate": found["eer"]}
        named |= {f"TPR at FPR {rate}": figure for rate, figure in found["tpr"].items()}
        named |= {"Brier score": found["brier"], "calibration error": found["ece"]}
        return pd.DataFrame(
            [
                {"figure": name, **{key: figure[key] for key in ("value", "low", "high", "reason")}}
                for name, figure in named.items()
            ]
        )

    def ledger_frame(self) -> pd.DataFrame:
        """One row per set: set, side, clips, measured, windows, independent, not measured."""
        rows = [
            {
                "set": count["set"],
                "side": "generated" if count["side"] == "fake" else "real",
                "clips": count["clips"],
                "measured": count["measured"],
                "windows": count["windows"],
                "independent": count["groups"],
                "not measured": "; ".join(f"{clips}: {reason}" for reason, clips in count["reasons"].items()),
            }
            for count in self.document["ledger"]
        ]
        return pd.DataFrame(rows)

    def detector_frame(self) -> pd.DataFrame:
        """One row per detector and strength of an attack, `clean` first: the figures at the frozen threshold."""
        rows = [
            {
                "detector": result["name"],
                "attack": rung["attack"] or "clean",
                "strength": rung["strength"],
                "unit": rung["unit"],
                "auc": None if rung["auc"] is None else rung["auc"]["value"],
                "ece": rung["ece"],
                **{name: rung[name]["value"] for name in ("tpr", "fpr", "tpr_shift", "fpr_shift")},
            }
            for result in self.document["detectors"]
            for rung in result["rungs"]
        ]
        columns = ["detector", "attack", "strength", "unit", "auc", "ece", "tpr", "fpr", "tpr_shift", "fpr_shift"]
        return pd.DataFrame(rows, columns=columns)

    def frames(self) -> Iterator[pd.DataFrame]:
        """All of the above."""
        yield from (self.block_frame(), self.control_frame(), self.nuisance_frame(), self.curve_frame())
        yield from (self.roc_frame(), self.operating_frame(), self.ledger_frame(), self.detector_frame())

    def _measured(self, part: str) -> Sequence[Any]:
        measured = self.document["measured"]
        return [] if measured is None else list(measured[part])


def list_audits(root: Path) -> list[StoredDeepfakeAudit]:
    """All audits below a runs folder that can be read, newest first; others are logged and left out."""
    return stored_audits(root, KIND, read_audit)


def read_audit(path: Path) -> StoredDeepfakeAudit:
    """One figures.json. Raises StoreError for a file that is none."""
    return read_figures(path, FORMAT, _checked)


def _checked(run: str, folder: str, document: Mapping[str, Any]) -> StoredDeepfakeAudit:
    audit = StoredDeepfakeAudit(run, folder, document)
    assert audit.label
    assert all(str(audit.verdict[name]) is not None for name in ("state", "headline", "meaning", "reasons"))
    assert all(frame is not None for frame in audit.frames())
    return audit
