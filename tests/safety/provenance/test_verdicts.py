"""The state machine: known answers, and properties that hold for every combination."""

from __future__ import annotations

import pytest

from safety.provenance.claim import MarkBinding
from safety.provenance.credentials import CredentialReport
from safety.provenance.sources import CAPTURED, TRAINED, VOCABULARY, origin_of
from safety.provenance.verdicts import Evidence, Picture, Verdict, conclude, every_verdict, evidence


@pytest.mark.parametrize(
    ("found", "kind", "origin", "contradictions"),
    [
        (Evidence("trusted", "generated"), "attested", "generated", ()),
        (Evidence("trusted", "generated", mark="present", detector="present"), "attested", "generated", ()),
        (Evidence("trusted", "generated", detector="absent"), "attested", "generated", ()),
        (Evidence("trusted", "captured"), "attested", "captured", ()),
        (Evidence("trusted", "captured", mark="absent", detector="absent"), "attested", "captured", ()),
        (Evidence("trusted", "captured", mark="present"), "contradicted", "generated", ("mark-denied",)),
        (Evidence("trusted", "captured", detector="present"), "contradicted", "generated", ("detector-denied",)),
        (Evidence("valid-untrusted", "captured"), "claimed", "captured", ()),
        (Evidence("valid-untrusted", "captured", mark="present"), "contradicted", "generated", ("mark-denied",)),
        (Evidence("trusted", "unknown", mark="present"), "attested", "generated", ()),
        (Evidence("trusted", "generated", bound=True, mark="absent"), "contradicted", "generated", ("mark-missing",)),
        (Evidence("trusted", "generated", bound=True), "attested", "generated", ()),
        (
            Evidence("trusted", "generated", bound=True, mark="present", same_message=False),
            "contradicted",
            "generated",
            ("other-message",),
        ),
        (Evidence("trusted", "generated", bound=True, mark="present", same_message=True), "attested", "generated", ()),
        (Evidence("invalid"), "tampered", "unknown", ()),
        (Evidence("invalid", mark="present"), "tampered", "generated", ()),
        (Evidence("none", mark="present", detector="absent"), "lost", "generated", ()),
        (Evidence("none", detector="present"), "suspected", "generated", ()),
        (Evidence("none", mark="absent", detector="present"), "suspected", "generated", ()),
        (Evidence("none", mark="absent", detector="absent"), "unknown", "unknown", ()),
        (Evidence("none"), "unknown", "unknown", ()),
        (Evidence("unreadable", mark="present"), "unreadable", "unknown", ()),
    ],
)
def test_known_verdicts(found: Evidence, kind: str, origin: str, contradictions: tuple[str, ...]) -> None:
    assert conclude(found) == Verdict(kind, origin, contradictions)  # type: ignore[arg-type]


def test_the_table_is_whole_and_never_takes_silence_for_an_answer() -> None:
    table = every_verdict()
    assert len(table) == len({found for found, _ in table}) == (2 * 3 + 3) * 9
    by_evidence = dict(table)
    for found, verdict in table:
        assert verdict.alarm == (verdict.kind in {"contradicted", "tampered", "lost", "suspected"})
        if found.mark == found.detector == "not asked":
            assert not verdict.contradictions
        if found.state in {"none", "invalid", "unreadable"}:
            assert verdict.origin != "captured", "nothing shows that a clip is a camera's but a word that holds"
        if "present" not in {found.mark, found.detector}:
            asked_nothing = Evidence(found.state, found.origin)
            assert verdict == by_evidence[asked_nothing], "absence of evidence changes nothing without a promise"


def test_promises_come_from_credentials_that_hold() -> None:
    marks = (MarkBinding("spread", "aa"), MarkBinding("latent", "bb"))
    whole = CredentialReport("trusted", source_types=(TRAINED,), marks=marks)
    assert evidence(whole) == Evidence("trusted", "generated", bound=True)
    assert evidence(whole, Picture("present", message_sha256="bb")).same_message is True
    assert evidence(whole, Picture("present", message_sha256="cc")).same_message is False
    assert evidence(whole, Picture("present")).same_message is None
    broken = CredentialReport("invalid", source_types=(CAPTURED,), marks=marks)
    assert evidence(broken, Picture("absent")) == Evidence("invalid", "unknown", mark="absent")


def test_origins() -> None:
    assert origin_of([TRAINED]) == origin_of(["trainedAlgorithmicMedia"]) == "generated"
    assert origin_of([CAPTURED]) == "captured"
    assert origin_of([CAPTURED, VOCABULARY + "compositeWithTrainedAlgorithmicMedia"]) == "generated"
    assert origin_of([]) == origin_of(["http://example.org/digitalcapture"]) == "unknown"
