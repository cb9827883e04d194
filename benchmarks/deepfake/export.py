"""An audit as files: all figures as one JSON document, and the long table of windows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.deepfake.study import Outcome
from benchmarks.export import to_json
from eval.cache import write_atomically
from safety.deepfake.audit import DeepfakeAudit
from safety.deepfake.nuisance import GATE
from safety.deepfake.observe import AFTER, BEFORE

FORMAT = "moviegen-deepfake-audit-1"
FIGURES, REPORT, TABLE = "figures.json", "report.html", "windows.parquet"


def figures(outcome: Outcome) -> dict[str, Any]:
    """Every figure of the report with its interval. What is not known is null."""
    audit = outcome.audit
    return {
        "format": FORMAT,
        "facts": {**asdict(outcome.facts), "created": audit.created, "fakes": audit.fakes, "reals": audit.reals},
        "form": {**asdict(audit.form), "seconds": audit.form.seconds},
        "settings": {**asdict(audit.settings), "gate": GATE},
        "verdict": {**asdict(audit.verdict), "meaning": audit.verdict.meaning},
        "ledger": [asdict(count) for count in audit.ledger],
        "nuisances": {
            name: None if found is None else asdict(found)
            for name, found in (("before", audit.before), ("after", audit.after))
        },
        "measured": None if audit.measured is None else _measured(audit),
        "floors": [asdict(control) for control in audit.floors],
        "ceilings": [asdict(control) for control in audit.ceilings],
        "margin": None if audit.margin is None else asdict(audit.margin),
        "left_out": [asdict(control) for control in audit.left_out],
        "marks": [asdict(control) for control in audit.marks],
        "detectors": [asdict(result) for result in outcome.detectors],
    }


def _measured(audit: DeepfakeAudit) -> dict[str, Any]:
    assert audit.measured is not None
    found = asdict(audit.measured)
    found["operating"]["tpr"] = {f"{rate:g}": figure for rate, figure in found["operating"]["tpr"].items()}
    return found


def figures_json(outcome: Outcome) -> str:
    return to_json(figures(outcome))


def window_frame(audit: DeepfakeAudit) -> pd.DataFrame:
    """One row per window, with its out-of-fold score, nuisances and traces; one for each clip without any, and why."""
    table = audit.table
    rows: list[Mapping[str, Any]] = []
    names, values_ND = table.names(), table.values() if len(table.clip_N) else None
    seen: dict[int, int] = {}
    for place, number in enumerate(table.clip_N.tolist()):
        clip = table.clips[number]
        seen[number] = seen.get(number, -1) + 1
        assert values_ND is not None
        rows.append(
            {
                "set": clip.set,
                "side": clip.side,
                "file": clip.name,
                "group": clip.group,
                "seed": clip.seed,
                "window": seen[number],
                "score": None if audit.scores_N is None else float(audit.scores_N[place]),
                "reason": "",
                **{
                    f"before.{name}": value for name, value in zip(BEFORE, table.before_ND[place].tolist(), strict=True)
                },
                **{f"after.{name}": value for name, value in zip(AFTER, table.after_ND[place].tolist(), strict=True)},
                **dict(zip(names, values_ND[place].tolist(), strict=True)),
            }
        )
    for one in audit.observed:
        if not one.windows:
            clip = one.clip
            rows.append(
                {"set": clip.set, "side": clip.side, "file": clip.name, "group": clip.group, "seed": clip.seed,
                 "reason": one.reason}
            )  # fmt: skip
    return pd.DataFrame(rows)


def write_files(outcome: Outcome, folder: Path, page: str) -> None:
    """Write all files of an audit; each whole, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    table = io.BytesIO()
    window_frame(outcome.audit).to_parquet(table, index=False)
    write_atomically(folder / TABLE, table.getvalue())
    write_atomically(folder / FIGURES, (figures_json(outcome) + "\n").encode())
    write_atomically(folder / REPORT, page.encode())
