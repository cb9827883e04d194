"""What is claimed of a clip when it is signed: where it comes from, which model made it of what, and its marks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from safety.provenance.sources import TRAINED

Action = Literal["c2pa.created", "c2pa.edited", "c2pa.transcoded"]

GENERATION = "local.moviegen.generation"
"""Label of our own assertion. `.local` is nobody's domain (RFC 6762), as the label's owner is nobody in particular."""
SOFT_BINDING = "c2pa.soft-binding"


@dataclass(frozen=True, slots=True)
class MarkBinding:
    """The promise that the clip carries a mark: its name, and the SHA-256 of the message (never the message itself)."""

    mark: str
    message_sha256: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim. Empty or None: not claimed.

    action: what was done; anything but `created` needs a parent to do it to. source_type: IPTC's digital source type;
    for an edit only where the edit itself put something in. prompt: only where its author wants it public;
    prompt_sha256 says which prompt it was to those who know it, and to those who guess it, as a short one can be.
    """

    title: str
    action: Action = "c2pa.created"
    source_type: str = TRAINED
    software: str = "moviegen-bench"
    version: str = ""
    model: str = ""
    weights_sha256: str = ""
    prompt_sha256: str = ""
    prompt: str = ""
    seed: int | None = None
    marks: tuple[MarkBinding, ...] = ()


def text_sha256(text: str) -> str:
    """SHA-256 of a prompt or a message, UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(claim: Claim, mime: str) -> dict[str, Any]:
    """The claim in the form that the C2PA library takes."""
    made_by = {"name": claim.software, **({"version": claim.version} if claim.version else {})}
    action: dict[str, Any] = {"action": claim.action}
    if claim.source_type:
        action["digitalSourceType"] = claim.source_type
    if claim.model:
        action["softwareAgent"] = {"name": claim.model}
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]
    if made_of := _made_of(claim):
        assertions.append({"label": GENERATION, "data": made_of})
    assertions += [{"label": SOFT_BINDING, "data": _soft_binding(mark)} for mark in claim.marks]
    return {"claim_generator_info": [made_by], "format": mime, "title": claim.title, "assertions": assertions}


def _made_of(claim: Claim) -> dict[str, Any]:
    facts = {
        "model": claim.model,
        "weights_sha256": claim.weights_sha256,
        "prompt_sha256": claim.prompt_sha256,
        "prompt": claim.prompt,
        "seed": claim.seed,
    }
    return {name: value for name, value in facts.items() if value not in {"", None}}


def _soft_binding(mark: MarkBinding) -> dict[str, Any]:
    return {"alg": mark.mark, "pad": "", "blocks": [{"scope": {}, "value": mark.message_sha256}]}
