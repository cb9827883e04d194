"""Stored provenance audits: found in the runs folder, read as data, in a form that pages show. Nothing is read anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.audits import audit_folder, read_figures, stored_audits
from benchmarks.clip_store import CLIPS
from safety.provenance.export import FORMAT

KIND = "provenance"


@dataclass(frozen=True, slots=True)
class StoredProvenanceAudit:
    """An audit of a run's clips. run, folder: where its report lies. document: figures.json."""

    run: str
    folder: str
    document: Mapping[str, Any]

    @property
    def created(self) -> str:
        return str(self.document["created"])

    @property
    def label(self) -> str:
        made = self.document
        return f"{len(made['clips'])} clips of {made['folder']} · {self.created} · {self.run}"

    def clip_frame(self) -> pd.DataFrame:
        """One row per clip: file, credentials, verdict, mark, detector, origin, signer, source, why."""
        rows = [
            {
                "file": clip["file"],
                "credentials": clip["state"],
                "verdict": clip["verdict"],
                "mark": clip["mark"],
                "detector": clip["detector"],
                "origin": clip["concluded_origin"],
                "signer": clip["signer"],
                "source": clip["source_type"],
                "why": "; ".join(filter(None, (clip["reason"], clip["contradictions"]))),
            }
            for clip in self.document["clips"]
        ]
        return pd.DataFrame(rows)

    def share_frame(self) -> pd.DataFrame:
        """One row per state of credentials and per verdict: what, outcome, count, of, share, low, high."""
        rows = [
            {"what": what, "outcome": outcome, **dict(share)}
            for what, part in (("credentials", "states"), ("verdict", "verdicts"))
            for outcome, share in self.document[part].items()
        ]
        return pd.DataFrame(rows)

    def chain_frame(self) -> pd.DataFrame:
        """One row per chain of laundering: what is left of credentials, what a reader learns, also with a mark."""
        laundering = self.document["laundering"]
        chains = [] if laundering is None else laundering["chains"]
        rows = [
            {
                "chain": chain["title"],
                "honest": chain["honest"],
                "clips": chain["measured"],
                "credentials after": _counts(chain["states"]),
                "the reader learns": _counts(chain["outcomes"]),
                "with a surviving mark": _counts(chain["with_mark"]),
                "contradictions caught": chain["contradictions_with_mark"],
            }
            for chain in chains
        ]
        return pd.DataFrame(rows)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def home_of(clips: Path) -> Path | None:
    """Where the audit of a run's own clips goes: RUN/audits/provenance/clips; None for any other folder."""
    run_folder = clips.resolve().parent
    whole = clips.resolve().name == CLIPS and (run_folder / "manifest.json").is_file()
    return audit_folder(run_folder, KIND, CLIPS) if whole else None


def list_audits(root: Path) -> list[StoredProvenanceAudit]:
    """All audits below a runs folder that can be read, newest first; others are logged and left out."""
    return stored_audits(root, KIND, read_audit)


def read_audit(path: Path) -> StoredProvenanceAudit:
    """One figures.json. Raises StoreError for a file that is none."""
    return read_figures(path, FORMAT, _checked)


def _checked(run: str, folder: str, document: Mapping[str, Any]) -> StoredProvenanceAudit:
    audit = StoredProvenanceAudit(run, folder, document)
    assert audit.label
    for read in (audit.clip_frame, audit.share_frame, audit.chain_frame):
        read()
    return audit
