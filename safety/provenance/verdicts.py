"""Credentials, a mark and a detector together: what they let one conclude, and where they contradict each other.

A signature says who vouches for a file; a mark and a detector look at its pictures. Laundering breaks one and leaves
the others, so the contradiction is what catches it. Each of the three may be missing: not asked is not absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from safety.provenance.credentials import STATES, CredentialReport, State
from safety.provenance.sources import Origin

Answer = Literal["present", "absent", "not asked"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

Kind = Literal["attested", "claimed", "contradicted", "tampered", "lost", "suspected", "unknown", "unreadable"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MEANING: dict[Kind, str] = {
    "attested": "a signer whom you trust vouches for it, and nothing contradicts that",
    "claimed": "somebody whom you do not know vouches for it, and nothing contradicts that",
    "contradicted": "the credentials and the pictures do not say the same",
    "tampered": "it carries credentials that do not hold",
    "lost": "it carries a generator's mark, but no credentials: they were lost, or never there",
    "suspected": "nothing but the detector says that it is generated",
    "unknown": "nothing says anything about it: no evidence of generation is no evidence of a camera",
    "unreadable": "the file cannot be looked into",
}

CONTRADICTIONS: dict[str, str] = {
    "mark-denied": "the credentials say it was captured, but it carries a generator's mark",
    "mark-missing": "the credentials promise a mark that is not there",
    "other-message": "the mark's message is not the one that the credentials promise",
    "detector-denied": "the credentials say it was captured, but the detector takes it for generated",
}
WEAK = frozenset({"detector-denied"})
"""Rest on a detector, which errs more often than a mark with a stated rate of false alarms."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the three witnesses say. origin: of credentials that hold. bound: they promise a mark.

    same_message: whether the mark's message is the promised one; None: not known.
    """

    state: State
    origin: Origin = "unknown"
    bound: bool = False
    mark: Answer = "not asked"
    detector: Answer = "not asked"
    same_message: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is concluded. origin: generated or captured where something says so."""

    kind: Kind
    origin: Origin
    contradictions: tuple[str, ...] = ()

    @property
    def alarm(self) -> bool:
        """Whether somebody who looks at the verdict is warned."""
        return self.kind in {"contradicted", "tampered", "lost", "suspected"}


@dataclass(frozen=True, slots=True)
class Picture:
    """What was found in a clip's pictures. message_sha256: of the message that the mark carries, where it was read."""

    mark: Answer = "not asked"
    detector: Answer = "not asked"
    message_sha256: str = ""


NOT_ASKED = Picture()


def evidence(report: CredentialReport, picture: Picture = NOT_ASKED) -> Evidence:
    """The credentials of a clip and what was found in its pictures, as one."""
    promised = {mark.message_sha256 for mark in report.marks} if report.usable else set[str]()
    known = bool(promised and picture.message_sha256)
    return Evidence(
        state=report.state,
        origin=report.origin,
        bound=bool(promised),
        mark=picture.mark,
        detector=picture.detector,
        same_message=picture.message_sha256 in promised if known else None,
    )


def conclude(found: Evidence) -> Verdict:
    """One verdict from the three witnesses. Credentials that do not hold say nothing of the origin."""
    if found.state == "unreadable":
        return Verdict("unreadable", "unknown")
    against = _contradictions(found)
    seen: Origin = "generated" if "present" in {found.mark, found.detector} else "unknown"
    if found.state == "invalid":
        return Verdict("tampered", seen)
    if against:
        return Verdict("contradicted", seen if seen == "generated" else found.origin, against)
    if found.state != "none":
        return Verdict("attested" if found.state == "trusted" else "claimed", _agreed(found.origin, seen))
    if found.mark == "present":
        return Verdict("lost", "generated")
    return Verdict("suspected", "generated") if found.detector == "present" else Verdict("unknown", "unknown")


def every_verdict() -> list[tuple[Evidence, Verdict]]:
    """The whole state machine: each state of credentials (and what they say) with each answer of mark and detector."""
    rows = []
    for state in STATES:
        origins: tuple[Origin, ...] = get_args(Origin) if state in {"trusted", "valid-untrusted"} else ("unknown",)
        for origin, mark, detector in product(origins, ANSWERS, ANSWERS):
            found = Evidence(state, origin, mark=mark, detector=detector)
            rows.append((found, conclude(found)))
    return rows


def _agreed(said: Origin, seen: Origin) -> Origin:
    return seen if said == "unknown" else said


def _contradictions(found: Evidence) -> tuple[str, ...]:
    if found.state not in {"trusted", "valid-untrusted"}:
        return ()
    captured = found.origin == "captured"
    checks = {
        "mark-denied": captured and found.mark == "present",
        "mark-missing": found.bound and found.mark == "absent",
        "other-message": found.bound and found.mark == "present" and found.same_message is False,
        "detector-denied": captured and found.detector == "present",
    }
    return tuple(name for name, holds in checks.items() if holds)
