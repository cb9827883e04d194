"""Keys: who may read them, where they may lie, and one line for every key or certificate that cannot sign."""

from __future__ import annotations

import datetime as dt
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from safety.provenance.authority import Authority, Issued, make_authority
from safety.provenance.claim import Claim
from safety.provenance.credentials import credentials
from safety.provenance.errors import AnchorError, SigningKeyError
from safety.provenance.keys import load_signing_key, root_anchor, save_authority, signing_key
from safety.provenance.offline import read_anchors
from safety.provenance.sign import sign_clip

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def folder(authority: Authority, tmp_path: Path) -> Path:
    save_authority(authority, tmp_path / "keys")
    return tmp_path / "keys"


def test_no_key_or_certificate_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    header = b"-----BEGIN" + b" "
    for name in listed.decode().split("\0"):
        path = REPOSITORY / name
        if name and path.is_file():
            data = path.read_bytes()
            assert header not in data, f"{name} holds PEM data"
            assert path.suffix not in {".pem", ".key", ".p12", ".pfx", ".c2pa"}, f"{name} looks like a key"


def test_keys_are_for_their_owner_alone_and_sign(folder: Path, plain: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("key.pem", "chain.pem", "root.pem"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    key = load_signing_key(folder)
    assert (key.algorithm, key.warnings) == ("es256", ())
    assert load_signing_key(folder / "key.pem") == key
    assert "PRIVATE" not in repr(key)
    sign_clip(plain, tmp_path / "clip.mp4", Claim("clip"), key)
    assert credentials(tmp_path / "clip.mp4", read_anchors(folder / "root.pem")).state == "trusted"


def test_the_roots_private_key_is_not_kept(folder: Path, authority: Authority) -> None:
    stored = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None).public_key()
    assert stored == authority.leaf.certificate.public_key()
    assert (folder / "root.pem").read_text().count("BEGIN") == 1
    assert "PRIVATE" not in (folder / "root.pem").read_text() + (folder / "chain.pem").read_text()


def test_keys_that_others_can_read_are_a_warning(folder: Path) -> None:
    (folder / "key.pem").chmod(0o644)
    (warning,) = load_signing_key(folder).warnings
    assert "others can read or change this key: chmod 600" in warning


def test_a_key_is_never_overwritten_nor_put_into_a_repository(folder: Path, tmp_path: Path) -> None:
    before = (folder / "key.pem").read_bytes()
    with pytest.raises(SigningKeyError, match="there is a key already"):
        save_authority(make_authority(), folder)
    assert (folder / "key.pem").read_bytes() == before
    (tmp_path / "work" / ".git").mkdir(parents=True)
    with pytest.raises(SigningKeyError, match="lies in a Git working tree"):
        save_authority(make_authority(), tmp_path / "work" / "deep" / "keys")
    assert not (tmp_path / "work" / "deep").exists()


def write(folder: Path, issued: Issued, *above: x509.Certificate) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "key.pem").write_bytes(
        issued.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (issued.certificate, *above))
    (folder / "chain.pem").write_bytes(chain)
    return folder


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"start": -40 * DAY, "lasts": 30 * DAY}, "the certificate expired on "),
        ({"start": 10 * DAY}, "the certificate is not valid before "),
        ({"purposes": ("1.3.6.1.5.5.7.3.1",)}, "for another purpose (1.3.6.1.5.5.7.3.1)"),
        ({"purposes": ("2.5.29.37.0",)}, "for another purpose (2.5.29.37.0)"),
        ({"purposes": None}, "the certificate has no extendedKeyUsage"),
        ({"authority_key": False}, "the certificate has no authorityKeyIdentifier"),
        ({"ca": True}, "is an authority's, which signs no clips"),
        ({"signs": False}, "key usage allows no signatures"),
        ({"self_signed": True}, "the certificate is self-signed"),
    ],
)
def test_wrong_certificates_are_refused_in_one_line(
    fault: dict[str, object], said: str, make_leaf: Callable[..., Issued], authority: Authority, tmp_path: Path
) -> None:
    folder = write(tmp_path / "keys", make_leaf(**fault), authority.root.certificate)
    with pytest.raises(SigningKeyError) as caught:
        load_signing_key(folder)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(folder / "chain.pem"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=["es384", "es512"])
def test_other_curves_sign_as_well(
    curve: ec.EllipticCurve, make_leaf: Callable[..., Issued], authority: Authority, plain: Path, tmp_path: Path
) -> None:
    leaf = make_leaf(key=ec.generate_private_key(curve))
    sign_clip(plain, tmp_path / "clip.mp4", Claim("clip"), signing_key(replace(authority, leaf=leaf)))
    assert credentials(tmp_path / "clip.mp4", root_anchor(authority)).state == "trusted"


def test_a_curve_c2pa_does_not_know(make_leaf: Callable[..., Issued], authority: Authority, tmp_path: Path) -> None:
    leaf = make_leaf(key=ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(SigningKeyError, match="does not sign with secp256k1"):
        load_signing_key(write(tmp_path / "keys", leaf, authority.root.certificate))


def test_files_that_are_no_key(folder: Path, tmp_path: Path, authority: Authority, stranger: Authority) -> None:
    with pytest.raises(SigningKeyError, match="there is no such folder of keys; moviegen keys make"):
        load_signing_key(tmp_path / "nowhere")
    key, chain = (folder / "key.pem").read_bytes(), (folder / "chain.pem").read_bytes()
    stored = serialization.load_pem_private_key(key, None)
    locked = stored.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    large = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for data, said in [(b"junk", "no private key"), (locked, "under a passphrase"), (large, "neither an elliptic")]:
        (folder / "key.pem").write_bytes(data)
        with pytest.raises(SigningKeyError, match=said):
            load_signing_key(folder)
    (folder / "key.pem").write_bytes(key)
    root, leaf, other = (
        one.public_bytes(serialization.Encoding.PEM)
        for one in (authority.root.certificate, authority.leaf.certificate, stranger.root.certificate)
    )
    for data, said in [
        (b"junk", "no certificates"),
        (root + leaf, "belongs to another key"),
        (leaf + other, "certificate 2 did not issue the one before it"),
    ]:
        (folder / "chain.pem").write_bytes(data)
        with pytest.raises(SigningKeyError, match=said):
            load_signing_key(folder)
    (folder / "chain.pem").write_bytes(chain)
    assert load_signing_key(folder).algorithm == "es256"
    (folder / "chain.pem").unlink()
    with pytest.raises(SigningKeyError, match=r"chain\.pem: no such file"):
        load_signing_key(folder)


@pytest.mark.parametrize(
    ("wish", "said"), [({"days": 0}, "1 to 3650"), ({"organisation": "x" * 65}, "1 to 64 letters")]
)
def test_odd_wishes(wish: dict[str, object], said: str) -> None:
    with pytest.raises(SigningKeyError, match=said):
        make_authority(**wish)  # type: ignore[arg-type]


def test_an_authority_is_new_each_time_and_lasts_as_asked() -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    one, other = make_authority(days=7, now=now), make_authority()
    assert one.leaf.certificate.not_valid_after_utc == now + timedelta(days=7)
    assert one.root.certificate.serial_number != other.root.certificate.serial_number
    assert root_anchor(one) != root_anchor(other)


def test_files_that_are_no_anchors(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no certificates here")
    (tmp_path / "large").write_bytes(bytes((4 << 20) + 1))
    for path, said in [
        (tmp_path / "nowhere.pem", "no such file"),
        (tmp_path, "is a directory"),
        (tmp_path / "text", "no certificates in PEM form"),
        (tmp_path / "large", "over 4 MB"),
        (folder / "key.pem", "holds a private key"),
    ]:
        with pytest.raises(AnchorError, match=said):
            read_anchors(path)
    assert read_anchors(folder / "root.pem").names == ("CN=moviegen root,O=moviegen-bench test authority",)
