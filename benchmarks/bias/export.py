"""The audit's table for other tools: aequitas, and impact ratios in the form of New York City's Local Law 144."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.bias.audit import Outcome
from eval.cache import write_atomically
from eval.feature import NotMeasurable
from safety.bias.axes import LABELLED, find_axis
from safety.bias.clips import clips_of
from safety.bias.exports import impact_ratios, write_aequitas

AEQUITAS, IMPACT = "aequitas.csv", "impact-ratios.json"
SERVICE = "alignment"


def other_tools(outcome: Outcome, folder: Path) -> Mapping[str, Any] | None:
    """Write the tables for other tools; the impact ratios, or None where there are too few clips for them.

    What cannot be had is not written: a file with nothing in it would be read as a finding.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = clips_of(outcome.table)
    try:
        # Above the median of the clips, as the law counts a score.
        views = [impact_ratios(clips, (find_axis(axis),), SERVICE) for axis in LABELLED]
        views.append(impact_ratios(clips, (find_axis("presentation"), find_axis("skin_tone")), SERVICE))
        write_aequitas(outcome.table, SERVICE, views[0].median, LABELLED, folder / AEQUITAS)
    except NotMeasurable:
        for name in (AEQUITAS, IMPACT):
            (folder / name).unlink(missing_ok=True)
        return None
    view = {"label": views[0].label, "service": SERVICE, "views": [asdict(one) for one in views]}
    write_atomically(folder / IMPACT, (json.dumps(view, indent=1) + "\n").encode())
    return view
