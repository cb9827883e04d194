"""Signing keys on disk: a folder with key.pem, chain.pem (the signer first) and root.pem, for its owner's eyes only."""

from __future__ import annotations

import datetime as dt
import os
import stat
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import ExtensionNotFound

from safety.provenance.authority import Authority, PrivateKey
from safety.provenance.errors import SigningKeyError
from safety.provenance.offline import PURPOSES, Anchors, anchors_of

KEY, CHAIN, ROOT = "key.pem", "chain.pem", "root.pem"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_MAKE = "moviegen keys make FOLDER makes a test authority"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its certificates, checked: what a claim is signed with.

    chain_pem: the signer's certificate, then those above it. algorithm: as C2PA calls it. warnings: plain sentences.
    """

    algorithm: str
    signer: str
    expires: dt.datetime
    key_pem: bytes = field(repr=False)
    chain_pem: bytes = field(repr=False)
    warnings: tuple[str, ...] = ()


def default_folder() -> Path:
    """Where keys go if nobody says."""
    return Path.home() / ".moviegen" / "keys"


def save_authority(authority: Authority, folder: Path) -> None:
    """Write key.pem, chain.pem and root.pem, the folder and the key readable by their owner alone.

    The root's private key is not written: nobody can issue further signers in its name.
    Raises SigningKeyError where a key is already, or inside a Git working tree, where keys get committed.
    """
    folder = folder.expanduser()
    refuse_repository(folder)
    if (folder / KEY).exists():
        raise SigningKeyError(f"{folder / KEY}: there is a key already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_owned(folder / KEY, _key_pem(authority.leaf.key))
    write_owned(folder / CHAIN, _pem(authority.leaf.certificate) + _pem(authority.root.certificate))
    write_owned(folder / ROOT, _pem(authority.root.certificate))


def signing_key(authority: Authority) -> SigningKey:
    """The signer of an authority that lives in memory alone."""
    chain = [authority.leaf.certificate, authority.root.certificate]
    return _checked(authority.leaf.key, chain, "the authority", dt.datetime.now(dt.UTC), ())


def root_anchor(authority: Authority) -> Anchors:
    """What a reader must trust to trust this authority."""
    return anchors_of([authority.root.certificate])


def load_signing_key(folder: Path, now: dt.datetime | None = None) -> SigningKey:
    """The key in a folder, checked as far as can be before anything is signed.

    Raises SigningKeyError in one line for files that are missing or no PEM, a key under a passphrase or of another
    certificate, a certificate that is expired, not yet valid, self-signed, an authority's, or not for signing claims,
    and a chain that does not hold together. Others who can read the key are a warning.
    """
    now = dt.datetime.now(dt.UTC) if now is None else now
    folder = folder.expanduser()
    if folder.is_file():
        folder = folder.parent
    if not folder.is_dir():
        raise SigningKeyError(f"{folder}: there is no such folder of keys; {_MAKE}")
    key = _load_key(folder / KEY)
    chain = _load_chain(folder / CHAIN)
    return _checked(key, chain, str(folder / CHAIN), now, _permission_warnings(folder / KEY))


def _checked(
    key: PrivateKey, chain: list[x509.Certificate], place: str, now: dt.datetime, warnings: tuple[str, ...]
) -> SigningKey:
    leaf = chain[0]
    if _public(key) != _public(leaf):
        raise SigningKeyError(
            f"{place}: the first certificate belongs to another key than {KEY}; put the signer's first"
        )
    _check_dates(leaf, place, now)
    _check_profile(leaf, place)
    _check_links(chain, place)
    return SigningKey(
        algorithm=_algorithm(key, place),
        signer=leaf.subject.rfc4514_string(),
        expires=leaf.not_valid_after_utc,
        key_pem=_key_pem(key),
        chain_pem=b"".join(map(_pem, chain)),
        warnings=warnings,
    )


def _load_key(path: Path) -> PrivateKey:
    data = _read(path)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError as error:
        raise SigningKeyError(
            f"{path}: is under a passphrase; keep a copy without in a folder only you can read"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{path}: no private key in PEM form; {_MAKE}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise SigningKeyError(f"{path}: neither an elliptic-curve nor an Ed25519 key; {_MAKE}")
    return key


def _load_chain(path: Path) -> list[x509.Certificate]:
    data = _read(path)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise SigningKeyError(
            f"{path}: no certificates in PEM form; put the signer's first, then those above it"
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SigningKeyError(f"{path}: {(error.strerror or str(error)).lower()}; {_MAKE}") from error


def _check_dates(leaf: x509.Certificate, place: str, now: dt.datetime) -> None:
    if now > leaf.not_valid_after_utc:
        raise SigningKeyError(
            f"{place}: the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}; make or get a new one"
        )
    if now < leaf.not_valid_before_utc:
        raise SigningKeyError(
            f"{place}: the certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}; wait, or use another"
        )


def _check_profile(leaf: x509.Certificate, place: str) -> None:
    """C2PA's certificate profile, as far as the library enforces it, in words that say which rule is broken."""
    if leaf.subject == leaf.issuer:
        raise SigningKeyError(f"{place}: the certificate is self-signed; claims need one from an authority: {_MAKE}")
    try:
        purposes = {oid.dotted_string for oid in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except ExtensionNotFound as error:
        missing = getattr(error.oid, "_name", error.oid.dotted_string)
        raise SigningKeyError(f"{place}: the certificate has no {missing}, which C2PA asks for; {_MAKE}") from error
    try:
        authority = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except ExtensionNotFound:
        authority = False
    if authority:
        raise SigningKeyError(
            f"{place}: the first certificate is an authority's, which signs no clips; put the signer's first"
        )
    if not (usage.digital_signature or usage.content_commitment):
        raise SigningKeyError(f"{place}: the certificate's key usage allows no signatures; {_MAKE}")
    if not purposes & set(PURPOSES):
        raise SigningKeyError(
            f"{place}: the certificate is for another purpose ({', '.join(sorted(purposes))}); C2PA asks for e-mail "
            "protection, document signing or claim signing"
        )


def _check_links(chain: list[x509.Certificate], place: str) -> None:
    for number, (below, above) in enumerate(pairwise(chain), start=2):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise SigningKeyError(
                f"{place}: certificate {number} did not issue the one before it; put them in order"
            ) from error


def _algorithm(key: PrivateKey, place: str) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if key.curve.name not in _CURVES:
        raise SigningKeyError(f"{place}: C2PA does not sign with {key.curve.name}; use {', '.join(_CURVES)} or Ed25519")
    return _CURVES[key.curve.name]


def _permission_warnings(path: Path) -> tuple[str, ...]:
    if os.name != "posix" or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return ()
    return (f"{path}: others can read or change this key: chmod 600 {path}",)


def refuse_repository(folder: Path) -> None:
    """Raises SigningKeyError for a folder in a Git working tree."""
    absolute = folder.absolute()
    for above in (absolute, *absolute.parents):
        if (above / ".git").exists():
            raise SigningKeyError(
                f"{folder}: lies in a Git working tree ({above}), where keys get committed; choose another"
            )


def write_owned(path: Path, data: bytes) -> None:
    """A new file for its owner's eyes only.

    Created with its permissions, not given them afterwards: there is no moment at which others could read it.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _public(owner: PrivateKey | x509.Certificate) -> bytes:
    return owner.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
