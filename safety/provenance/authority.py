"""A test authority made on the spot: a root certificate and one signer below it, as C2PA's certificate profile asks.

It proves nothing to strangers: whoever is to trust its signatures must be given its root. For credentials that others
trust, bring a certificate from an authority on their trust list.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safety.provenance.errors import SigningKeyError

Algorithm = Literal["es256", "ed25519"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
ORGANISATION = "moviegen-bench test authority"
ROOT_DAYS = 3650
LEAF_DAYS = 365
LONGEST_DAYS = ROOT_DAYS
_LONGEST_NAME = 64  # RFC 5280, ub-common-name


@dataclass(frozen=True, slots=True, eq=False)
class Issued:
    """A certificate and the private key that belongs to it."""

    key: PrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True, eq=False)
class Authority:
    """A root and a signer below it."""

    root: Issued
    leaf: Issued


def make_authority(
    algorithm: Algorithm = "es256",
    *,
    organisation: str = ORGANISATION,
    days: int = LEAF_DAYS,
    now: dt.datetime | None = None,
) -> Authority:
    """A new root and a signer whose certificate holds for `days` from now. Raises SigningKeyError for odd wishes."""
    if not 1 <= days <= LONGEST_DAYS:
        raise SigningKeyError(f"a certificate for {days} days cannot be made: 1 to {LONGEST_DAYS}")
    if not 0 < len(organisation) <= _LONGEST_NAME:
        raise SigningKeyError(f"the name of an authority has 1 to {_LONGEST_NAME} letters")
    now = dt.datetime.now(dt.UTC) if now is None else now
    root_key, leaf_key = _new_key("es256"), _new_key(algorithm)
    root_name, leaf_name = _name(organisation, "root"), _name(organisation, "signer")
    root = (
        _certificate(root_name, root_name, root_key, root_key, now, ROOT_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _certificate(leaf_name, root_name, leaf_key, root_key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return Authority(Issued(root_key, root), Issued(leaf_key, leaf))


def _new_key(algorithm: Algorithm) -> PrivateKey:
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"moviegen {role}"),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, issuer_key: PrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))  # clocks of readers run behind
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
