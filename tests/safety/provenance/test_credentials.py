"""The table of cases: what becomes of a signed clip's credentials, those included that stay trusted as bytes change."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eval.clip import Clip
from eval.video import write_clip
from eval.video.remux import repeat_clip
from safety.provenance.authority import Authority, make_authority
from safety.provenance.boxes import credentials_box, hidden, top_boxes, transplanted, with_flipped_bit, with_free_box
from safety.provenance.claim import Claim, MarkBinding, text_sha256
from safety.provenance.credentials import DAMAGED, CredentialReport, credentials
from safety.provenance.errors import ProvenanceError
from safety.provenance.keys import SigningKey, root_anchor, signing_key
from safety.provenance.offline import CLAIM_SIGNING, DOCUMENT_SIGNING, Anchors
from safety.provenance.sign import sidecar_of, sign_beside, sign_clip
from safety.provenance.sources import CAPTURED, TRAINED

MISMATCH = ("assertion.bmffHash.mismatch",)
CHANGED_CLAIM = ("assertion.hashedURI.mismatch",)


def appended(kind: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + (24).to_bytes(4) + kind + b"\xab" * 16


def flipped_text(text: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = data.index(text)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return change


def without_box(data: bytes) -> bytes:
    box = credentials_box(data)
    return data[: box.start] + data[box.stop :]


CASES: dict[str, tuple[Callable[[bytes], bytes], str, tuple[str, ...]]] = {
    "nothing": (lambda data: data, "trusted", ()),
    "a bit of the pictures": (lambda data: with_flipped_bit(data, b"mdat"), "invalid", MISMATCH),
    "a bit of the index": (lambda data: with_flipped_bit(data, b"moov", 0.9), "invalid", MISMATCH),
    "an mdat box appended": (appended(b"mdat"), "invalid", MISMATCH),
    "a private uuid box appended": (appended(b"uuid"), "invalid", MISMATCH),
    "a bit of the source type": (flipped_text(b"trainedAlgo"), "invalid", CHANGED_CLAIM),
    "a bit of the model's name": (flipped_text(b"toy"), "invalid", CHANGED_CLAIM),
    "a bit of the brand": (lambda data: with_flipped_bit(data, b"ftyp"), "trusted", ()),
    "a free box appended": (lambda data: with_free_box(data, b"a payload"), "trusted", ()),
    "credentials overwritten": (hidden, "none", ()),
    "credentials cut out": (without_box, "none", ()),
    "cut off in the pictures": (lambda data: data[:-500], "invalid", MISMATCH),
    "cut off in the index": (lambda data: data[: top_boxes(data)[-2].stop - 100], "unreadable", ()),
    "nothing left": (lambda _: b"", "unreadable", ()),
    "no clip at all": (lambda _: b"a text, not a clip\n" * 40, "unreadable", ()),
    "zeros": (lambda _: bytes(4096), "unreadable", ()),
}


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_a_changed_file(case: str, signed: Path, anchors: Anchors, tmp_path: Path) -> None:
    change, state, codes = CASES[case]
    before = signed.read_bytes()
    path = tmp_path / "clip.mp4"
    path.write_bytes(change(before))
    assert case == "nothing" or path.read_bytes() != before
    found = credentials(path, anchors)
    assert (found.state, found.codes) == (state, codes), found.reason
    assert bool(found.reason) == (state != "trusted")


def test_the_readers_anchors_decide_whom_to_trust(signed: Path, anchors: Anchors, stranger: Authority) -> None:
    assert credentials(signed, anchors).state == "trusted"
    for unhelpful in (None, Anchors(), root_anchor(stranger)):
        found = credentials(signed, unhelpful)
        assert (found.state, found.codes) == ("valid-untrusted", ("signingCredential.untrusted",))
        assert found.origin == "generated", "what they say is readable, whoever says it"
    assert credentials(signed, root_anchor(stranger) + anchors).state == "trusted"


def test_repacking_and_encoding_anew_lose_credentials_without_a_trace(
    signed: Path, anchors: Anchors, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    repeat_clip(signed, tmp_path / "remux.mp4", 1)
    write_clip(tiny(0), tmp_path / "encoded.mp4", crf=28)
    for name in ("remux.mp4", "encoded.mp4"):
        assert credentials(tmp_path / name, anchors) == CredentialReport("none", "the file carries no credentials")


def test_credentials_moved_to_another_clip_do_not_hold(
    signed: Path, key: SigningKey, anchors: Anchors, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    other = tmp_path / "other.mp4"
    write_clip(tiny(1), other)
    sign_clip(other, other, Claim("other"), key)
    other.write_bytes(transplanted(signed.read_bytes(), other.read_bytes()))
    found = credentials(other, anchors)
    assert (found.state, found.codes, found.origin) == ("invalid", MISMATCH, "unknown")


def test_a_trusted_signer_can_lie(plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path) -> None:
    lie = tmp_path / "lie.mp4"
    sign_clip(plain, lie, Claim("lie", source_type=CAPTURED), key)
    found = credentials(lie, anchors)
    assert (found.state, found.origin) == ("trusted", "captured")
    sign_clip(plain, lie, Claim("lie", source_type="http://example.org/trustMe"), key)
    assert credentials(lie, anchors).state == "trusted", "the value is not checked against the vocabulary"
    assert credentials(lie, anchors).origin == "unknown"


def test_a_stranger_signs_anew(signed: Path, anchors: Anchors, stranger: Authority, tmp_path: Path) -> None:
    stripped, again = tmp_path / "stripped.mp4", tmp_path / "again.mp4"
    repeat_clip(signed, stripped, 1)
    sign_clip(stripped, again, Claim("mine", source_type=CAPTURED), signing_key(stranger))
    assert credentials(again, anchors).state == "valid-untrusted"
    theirs = credentials(again, root_anchor(stranger))
    assert (theirs.state, theirs.signer) == ("trusted", "moviegen signer (somebody else)")


def test_everything_claimed_is_read_back_and_the_prompt_only_if_asked(
    plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path
) -> None:
    prompt = "A dog runs through a park"
    marks = (MarkBinding("spread", text_sha256("one")), MarkBinding("latent", text_sha256("two")))
    claim = Claim(
        "dog.mp4",
        version="0.1",
        model="reference",
        weights_sha256="ab" * 32,
        prompt_sha256=text_sha256(prompt),
        seed=0,
        marks=marks,
    )
    path = tmp_path / "dog.mp4"
    sign_clip(plain, path, claim, key)
    found = credentials(path, anchors)
    assert found.generation == {
        "model": "reference",
        "weights_sha256": "ab" * 32,
        "prompt_sha256": text_sha256(prompt),
        "seed": 0,
    }
    assert found.marks == marks
    assert found.source_types == (TRAINED,)
    assert (found.title, found.generator, found.model) == ("dog.mp4", "moviegen-bench 0.1", "reference")
    assert (found.actions, found.algorithm, found.manifests) == (("c2pa.created",), "Es256", 1)
    assert prompt.encode() not in path.read_bytes()
    sign_clip(plain, path, replace(claim, prompt=prompt), key)
    assert credentials(path, anchors).generation["prompt"] == prompt


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".gif"])
def test_containers_that_can_be_signed(
    suffix: str, key: SigningKey, anchors: Anchors, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    path = tmp_path / f"clip{suffix.upper()}"
    made = tmp_path / f"made{suffix if suffix != '.m4v' else '.mp4'}"
    write_clip(tiny(0), made)
    sign_clip(made, path, Claim("clip"), key)
    assert credentials(path, anchors).state == "trusted"
    renamed = shutil.copyfile(path, tmp_path / "renamed.avi")
    assert credentials(renamed, anchors).state == "trusted", "the content decides, not the name"


def test_avi_can_be_signed(key: SigningKey, anchors: Anchors, tmp_path: Path, plain: Path) -> None:
    import av

    path = tmp_path / "clip.avi"
    with av.open(str(plain)) as source, av.open(str(path), "w", format="avi") as target:
        stream = target.add_stream("mpeg4", rate=8)
        stream.width = stream.height = 64
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    sign_clip(path, path, Claim("clip"), key)
    assert credentials(path, anchors).state == "trusted"
    data = bytearray(path.read_bytes())
    data[data.index(b"movi") + 200] ^= 1
    path.write_bytes(data)
    assert credentials(path, anchors).codes == ("assertion.dataHash.mismatch",)


@pytest.mark.parametrize(("suffix", "kind"), [(".webm", "WebM"), (".mkv", "Matroska")])
def test_containers_that_cannot_are_said_so(
    suffix: str, kind: str, key: SigningKey, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    path = tmp_path / f"clip{suffix}"
    write_clip(tiny(0), path)
    before = path.read_bytes()
    with pytest.raises(ProvenanceError, match=rf"clip\{suffix}: {kind} cannot be signed: C2PA has no place"):
        sign_clip(path, path, Claim("clip"), key)
    assert path.read_bytes() == before
    assert credentials(path) == CredentialReport("none", f"{kind} has no place for credentials")


def test_a_failed_signature_leaves_nothing_behind(key: SigningKey, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no clip")
    with pytest.raises(ProvenanceError, match=r"^clip\.mp4: could not be signed: [^\n]+$"):
        sign_clip(path, path, Claim("clip"), key)
    assert [one.name for one in tmp_path.iterdir()] == ["clip.mp4"]
    assert path.read_bytes() == b"no clip"


def test_credentials_beside_the_clip(plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path) -> None:
    clip = shutil.copyfile(plain, tmp_path / "clip.mp4")
    sidecar = sign_beside(clip, Claim("clip"), key)
    assert sidecar == sidecar_of(clip) == tmp_path / "clip.c2pa"
    assert clip.read_bytes() == plain.read_bytes()
    assert (credentials(clip, anchors).state, credentials(clip, anchors).where) == ("trusted", "sidecar")
    repeat_clip(plain, clip, 1)
    assert credentials(clip, anchors).codes == MISMATCH, "a repacked file is not the one that was signed"
    sidecar.write_bytes(b"junk" * 100)
    assert credentials(clip, anchors).codes == (DAMAGED,)


def test_an_edit_keeps_its_history(
    signed: Path, anchors: Anchors, key: SigningKey, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    edited, twice = tmp_path / "edited.mp4", tmp_path / "twice.mp4"
    write_clip(tiny(0), edited, crf=28)
    sign_clip(edited, edited, Claim("e", "c2pa.transcoded", source_type=""), key, parent=signed, anchors=anchors)
    found = credentials(edited, anchors)
    assert (found.state, found.manifests, found.actions) == ("trusted", 2, ("c2pa.opened", "c2pa.transcoded"))
    assert (found.source_types, found.origin) == ((), "generated"), "an edit of a generated clip remains generated"
    (parent,) = found.parents
    assert (parent.title, parent.state, parent.source_types) == ("signed.mp4", "trusted", (TRAINED,))
    claim = Claim("t", "c2pa.edited", source_type=CAPTURED)
    sign_clip(edited, twice, claim, key, parent=edited, anchors=anchors)
    later = credentials(twice, anchors)
    assert (later.manifests, later.origin) == (3, "generated"), "even if the edit calls itself a camera's"


def test_parents_are_judged_by_the_readers_anchors(
    plain: Path, key: SigningKey, anchors: Anchors, stranger: Authority, tmp_path: Path
) -> None:
    theirs, edited = tmp_path / "theirs.mp4", tmp_path / "edited.mp4"
    both = anchors + root_anchor(stranger)
    sign_clip(plain, theirs, Claim("theirs"), signing_key(stranger))
    for signer_trusts in (both, Anchors()):
        edit = Claim("edit", "c2pa.edited", source_type="")
        sign_clip(plain, edited, edit, key, parent=theirs, anchors=signer_trusts)
        assert credentials(edited, both).parents[0].state == "trusted"
        assert credentials(edited, anchors).parents[0].state == "valid-untrusted"


def test_a_trusted_edit_of_a_broken_parent_says_so(
    signed: Path, plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path
) -> None:
    broken, edited = tmp_path / "broken.mp4", tmp_path / "edited.mp4"
    broken.write_bytes(with_flipped_bit(signed.read_bytes(), b"mdat"))
    sign_clip(plain, edited, Claim("e", "c2pa.edited", source_type=""), key, parent=broken, anchors=anchors)
    found = credentials(edited, anchors)
    assert found.state == "trusted", "C2PA judges the edit alone"
    assert (found.parents[0].state, found.parents[0].codes) == ("invalid", MISMATCH)
    sign_clip(plain, edited, Claim("e", "c2pa.edited", source_type=""), key, parent=plain, anchors=anchors)
    assert credentials(edited, anchors).parents[0].state == "none"


def test_parents_belong_to_edits_and_to_edits_only(plain: Path, signed: Path, key: SigningKey, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not go together"):
        sign_clip(plain, tmp_path / "x.mp4", Claim("x"), key, parent=signed)
    with pytest.raises(ValueError, match="do not go together"):
        sign_clip(plain, tmp_path / "x.mp4", Claim("x", "c2pa.edited"), key)


def test_credentials_elsewhere_are_named_and_not_fetched(
    plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import c2pa

    from safety.provenance.claim import manifest
    from safety.provenance.offline import offline_context

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/clip.c2pa"
        info = c2pa.C2paSignerInfo(b"es256", key.chain_pem, key.key_pem, None)
        path = tmp_path / "remote.mp4"
        with (
            offline_context(anchors) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest(Claim("r"), "video/mp4"), context) as builder,
            plain.open("rb") as source,
            path.open("w+b") as target,
        ):
            builder.set_no_embed()
            builder.set_remote_url(address)
            builder.sign(signer, "video/mp4", source, target)
        found = credentials(path, anchors)
        assert found.state == "none"
        assert "not fetched" in found.reason
        assert address in found.reason
        with pytest.raises(TimeoutError):
            server.accept()


def test_credentials_without_a_time_stamp_end_with_the_certificate(
    plain: Path, authority: Authority, anchors: Anchors, make_leaf: Callable[..., object], tmp_path: Path
) -> None:
    lasts = timedelta(seconds=3)
    leaf = make_leaf(start=timedelta(seconds=-1), lasts=lasts)
    path = tmp_path / "short.mp4"
    sign_clip(plain, path, Claim("short"), signing_key(replace(authority, leaf=leaf)))
    assert credentials(path, anchors).state == "trusted"
    time.sleep(3.5)
    found = credentials(path, anchors)
    assert found.state == "invalid"
    assert "signingCredential.expired" in found.codes


@pytest.mark.parametrize("purpose", [CLAIM_SIGNING, DOCUMENT_SIGNING])
def test_certificates_of_the_conformance_programme_are_read(
    purpose: str, plain: Path, authority: Authority, anchors: Anchors, make_leaf: Callable[..., object], tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    sign_clip(plain, path, Claim("clip"), signing_key(replace(authority, leaf=make_leaf((purpose,)))))
    assert credentials(path, anchors).state == "trusted"


def test_damaged_credentials_never_raise_and_are_never_trusted(signed: Path, anchors: Anchors, tmp_path: Path) -> None:
    """Bytes of the credentials overwritten all over, some at a time: a state with a reason each time."""
    data, path = signed.read_bytes(), tmp_path / "clip.mp4"
    box = credentials_box(data)
    states = set()
    for at in range(box.start + 8, box.stop - 8, 97):
        path.write_bytes(data[:at] + bytes(255 - byte for byte in data[at : at + 8]) + data[at + 8 :])
        found = credentials(path, anchors)
        assert found.state == "trusted" or found.reason, f"at {at}"
        states.add(found.state)
    assert {"invalid"} < states
    assert top_boxes(data)[0].kind == b"ftyp"


def test_a_folder_of_pictures_has_none(tmp_path: Path, tiny: Callable[[int], Clip]) -> None:
    write_clip(tiny(0), tmp_path / "frames")
    assert credentials(tmp_path / "frames").state == "none"


@pytest.mark.parametrize("algorithm", ["es256", "ed25519"])
def test_both_algorithms_sign(algorithm: str, plain: Path, tmp_path: Path) -> None:
    authority = make_authority(algorithm)
    path = tmp_path / "clip.mp4"
    sign_clip(plain, path, Claim("clip"), signing_key(authority))
    found = credentials(path, root_anchor(authority))
    assert (found.state, found.algorithm.lower()) == ("trusted", algorithm)
