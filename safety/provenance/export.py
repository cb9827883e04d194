"""An audit as files: the long table, all figures, and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.cache import write_atomically
from safety.provenance.audit import ChainSummary, ClipAudit, ProvenanceAudit
from safety.provenance.page import audit_page
from safety.provenance.sources import term

FORMAT = "moviegen-provenance-audit-1"
REPORT, TABLE, FIGURES = "report.html", "provenance.parquet", "figures.json"


def write_audit(audit: ProvenanceAudit, folder: Path) -> None:
    """Write report.html, provenance.parquet and figures.json, each whole or not at all."""
    import io

    import pandas as pd

    table = io.BytesIO()
    pd.DataFrame([row(clip) for clip in audit.clips]).to_parquet(table, index=False)
    write_atomically(folder / TABLE, table.getvalue())
    write_atomically(folder / FIGURES, figures_json(audit).encode())
    write_atomically(folder / REPORT, audit_page(audit).encode())


def row(clip: ClipAudit) -> dict[str, Any]:
    """One clip as a line of the table; what is not known is empty, the seed null."""
    report = clip.report
    made_of = report.generation
    return {
        "file": clip.file,
        "sha256": clip.sha256,
        "state": report.state,
        "reason": report.reason,
        "codes": "; ".join(report.codes),
        "where": report.where,
        "signer": report.signer,
        "algorithm": report.algorithm,
        "generator": report.generator,
        "model": report.model,
        "source_type": "; ".join(map(term, report.source_types)),
        "origin": report.origin,
        "actions": "; ".join(report.actions),
        "weights_sha256": str(made_of.get("weights_sha256", "")),
        "prompt_sha256": str(made_of.get("prompt_sha256", "")),
        "seed": str(made_of.get("seed", "")),
        "marks": "; ".join(f"{mark.mark} {mark.message_sha256}" for mark in report.marks),
        "parents": "; ".join(f"{parent.title} ({parent.state})" for parent in report.parents),
        "manifests": report.manifests,
        "mark": clip.picture.mark,
        "detector": clip.picture.detector,
        "verdict": clip.verdict.kind,
        "concluded_origin": clip.verdict.origin,
        "contradictions": "; ".join(clip.verdict.contradictions),
    }


def figures_json(audit: ProvenanceAudit) -> str:
    """Every figure of the report with its interval, as one JSON document."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "folder": audit.folder,
        "created": audit.created,
        "library": audit.library,
        "anchors": list(audit.anchors),
        "confidence": audit.confidence,
        "clips": [row(clip) for clip in audit.clips],
        "states": {state: asdict(share) for state, share in audit.states.items()},
        "verdicts": {kind: asdict(share) for kind, share in audit.verdicts.items()},
        "contradictions": dict(audit.contradictions),
        "laundering": None,
    }
    if audit.experiment is not None:
        document["laundering"] = {
            "seed": audit.experiment.seed,
            "drawn_of": audit.experiment.drawn_of,
            "skipped": dict(audit.experiment.skipped),
            "chains": [_chain(summary) for summary in audit.experiment.chains],
            "clips": list(_laundered(audit)),
        }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _chain(summary: ChainSummary) -> Mapping[str, Any]:
    plain = {name: getattr(summary, name) for name in ("measured", "changed", "states", "codes", "outcomes", "reasons")}
    return {
        "chain": summary.chain.name,
        "title": summary.chain.title,
        "honest": summary.chain.honest,
        **plain,
        "with_mark": summary.with_mark,
        "contradictions_with_mark": summary.contradictions,
        "alarm": asdict(summary.alarm),
        "alarm_with_mark": asdict(summary.alarm_with_mark),
    }


def _laundered(audit: ProvenanceAudit) -> Iterator[Mapping[str, Any]]:
    assert audit.experiment is not None
    for clip in audit.experiment.clips:
        for result in clip.results:
            yield {
                "file": clip.file,
                "own_credentials": clip.own,
                "chain": result.chain,
                "origin_before": result.before,
                "status": result.status,
                "reason": result.reason,
                "changed": result.changed,
                "state": result.after.state if result.after else None,
                "codes": list(result.after.codes) if result.after else [],
                "outcome": result.outcome,
                "outcome_with_mark": result.outcome_with_mark,
            }
