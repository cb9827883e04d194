"""C2PA's failure codes in plain words."""

from __future__ import annotations

from collections.abc import Iterable

PARENT = "parent: "

_REASONS = {
    "assertion.bmffHash.mismatch": "the file is not the one that was signed",
    "assertion.dataHash.mismatch": "the file is not the one that was signed",
    "assertion.boxesHash.mismatch": "the file is not the one that was signed",
    "assertion.hashedURI.mismatch": "the credentials were changed after signing",
    "claimSignature.mismatch": "the signature does not fit the claim",
    "claimSignature.outsideValidity": "signed when the certificate was not valid",
    "signingCredential.untrusted": "the signer is under none of the trust anchors",
    "signingCredential.invalid": "the signer's certificate is not one for signing claims",
    "signingCredential.expired": "the signer's certificate has expired, and no time stamp says the signature is older",
}


def explain(codes: Iterable[str]) -> str:
    """The codes as one line; codes without words of ours speak for themselves. Empty where nothing failed."""
    found = []
    for code in codes:
        plain = code.removeprefix(PARENT)
        said = _REASONS.get(plain, plain)
        found.append(f"of a parent: {said}" if code.startswith(PARENT) else said)
    return "; ".join(dict.fromkeys(found))
