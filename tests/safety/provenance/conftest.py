"""Tiny clips, an authority made on the spot, and certificates with one fault each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from eval.clip import Clip
from eval.video import write_clip
from safety.provenance.authority import Authority, Issued, PrivateKey, make_authority
from safety.provenance.claim import Claim
from safety.provenance.keys import SigningKey, root_anchor, signing_key
from safety.provenance.offline import Anchors
from safety.provenance.sign import sign_clip


def tiny_clip(seed: int = 0) -> Clip:
    """8 frames of 64 x 64 noise: every picture byte counts, and nothing compresses away."""
    frames = np.random.default_rng(seed).integers(0, 256, (8, 3, 8, 8), dtype=np.uint8)
    return Clip(frames.repeat(8, axis=2).repeat(8, axis=3), 8.0)


@pytest.fixture(scope="session")
def tiny() -> Callable[[int], Clip]:
    return tiny_clip


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    write_clip(tiny_clip(), path)
    return path


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return make_authority(organisation="somebody else")


@pytest.fixture(scope="session")
def key(authority: Authority) -> SigningKey:
    return signing_key(authority)


@pytest.fixture(scope="session")
def anchors(authority: Authority) -> Anchors:
    return root_anchor(authority)


@pytest.fixture(scope="session")
def signed(plain: Path, key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny clip, signed as generated. Read it; change copies only."""
    path = tmp_path_factory.mktemp("signed") / "signed.mp4"
    sign_clip(plain, path, Claim("signed.mp4", model="toy"), key)
    return path


LeafMaker = Callable[..., Issued]


@pytest.fixture
def make_leaf(authority: Authority) -> LeafMaker:
    """Leaves of the authority that differ from a good one in what the test says."""

    def make(
        purposes: tuple[str, ...] | None = (ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,),
        *,
        ca: bool = False,
        authority_key: bool = True,
        signs: bool = True,
        start: dt.timedelta = dt.timedelta(days=-1),
        lasts: dt.timedelta = dt.timedelta(days=30),
        key: PrivateKey | None = None,
        issuer: Authority = authority,
        self_signed: bool = False,
    ) -> Issued:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
        above = Issued(key, issuer.root.certificate) if self_signed else issuer.root
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else above.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + start)
            .not_valid_after(now + start + lasts)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=signs,
                    content_commitment=False,
                    key_encipherment=not signs,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=False,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if purposes is not None:
            usages = [x509.ObjectIdentifier(purpose) for purpose in purposes]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if authority_key:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        return Issued(key, builder.sign(above.key, hashes.SHA256()))

    return make
