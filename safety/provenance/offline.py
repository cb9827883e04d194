"""What C2PA is told before anything is signed or read: nothing is fetched, and the caller's anchors alone count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safety.provenance.errors import AnchorError

if TYPE_CHECKING:
    import c2pa
    from cryptography import x509

EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
"""c2pa-kp-claimSigning, which the C2PA conformance programme issues. The library refuses it unless it is listed."""

PURPOSES = (EMAIL_PROTECTION, DOCUMENT_SIGNING, CLAIM_SIGNING)
"""Extended key usages with which a certificate may sign a claim (C2PA 2.2, section 14.5.1)."""

_TRUSTED_PURPOSES = (*PURPOSES, "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9")  # and time stamps, OCSP answers
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Anchors:
    """Root certificates that the reader trusts, in PEM, and what they are called. None at all is a choice, too."""

    pem: str = ""
    names: tuple[str, ...] = ()

    def __add__(self, other: Anchors) -> Anchors:
        return Anchors("\n".join(filter(None, (self.pem, other.pem))), self.names + other.names)


def read_anchors(path: Path) -> Anchors:
    """The certificates of a PEM file. Raises AnchorError for a file without any, or with a private key in it."""
    from cryptography import x509

    path = path.expanduser()
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise AnchorError(
            f"{path}: {(error.strerror or str(error)).lower()}; name a PEM file of certificates"
        ) from error
    if len(data) > _MOST_BYTES:
        raise AnchorError(f"{path}: over 4 MB: no list of trust anchors; name a PEM file of certificates")
    if b"PRIVATE KEY-----" in data:
        raise AnchorError(f"{path}: holds a private key; name the file of root certificates (root.pem)")
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise AnchorError(f"{path}: no certificates in PEM form; name the file of root certificates") from error
    return anchors_of(certificates)


def anchors_of(certificates: Iterable[x509.Certificate]) -> Anchors:
    """Certificates as anchors."""
    from cryptography.hazmat.primitives.serialization import Encoding

    listed = tuple(certificates)
    pem = "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in listed)
    return Anchors(pem, tuple(certificate.subject.rfc4514_string() for certificate in listed))


def offline_context(anchors: Anchors) -> c2pa.Context:
    """A C2PA context that fetches nothing (no remote manifests, no OCSP, no time stamps) and trusts `anchors` alone."""
    import c2pa

    trust = {"trust_config": "\n".join(_TRUSTED_PURPOSES)}
    if anchors.pem:
        trust["user_anchors"] = anchors.pem
    return c2pa.Context.from_dict(
        {
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {"allowed_network_hosts": []},
            "builder": {"thumbnail": {"enabled": False}},
            "trust": trust,
        }
    )
