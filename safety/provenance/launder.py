"""Chains of laundering, applied to copies of clips: what of their credentials comes out at the other end.

Every chain starts from a clip whose credentials are trusted. Nothing but copies in a scratch folder is touched, and the
keys of the experiment's editor and stranger live in memory alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from eval.clip import Clip, ClipError, Limits, Window
from eval.hashing import file_sha256
from eval.video import open_clip, write_clip
from eval.video.remux import repeat_clip
from safety.provenance.authority import make_authority
from safety.provenance.boxes import hidden, transplanted, with_flipped_bit, with_free_box
from safety.provenance.claim import Claim
from safety.provenance.containers import mime_of
from safety.provenance.credentials import CredentialReport, credentials
from safety.provenance.errors import ProvenanceError
from safety.provenance.keys import SigningKey, root_anchor, signing_key
from safety.provenance.offline import Anchors
from safety.provenance.sign import sidecar_of, sign_beside, sign_clip
from safety.provenance.sources import CAPTURED, TRAINED, Origin
from safety.provenance.verdicts import Evidence, Verdict, conclude

LIMITS = Limits(max_bytes=256 << 20, max_frames=1800, max_pixels=1920 * 1088)
"""Clips beyond are skipped with a reason: chains hold a file, and re-encoding a clip's frames, in memory."""
_MOST_FRAME_BYTES = 1 << 30
REENCODE_CRF = 28.0


class NotApplicable(ProvenanceError):
    """A chain that this clip cannot go through; the message says why."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who signs in the experiment. The reader trusts the generator and the editor, never the stranger."""

    generator: SigningKey
    editor: SigningKey
    stranger: SigningKey
    anchors: Anchors


@dataclass(frozen=True, slots=True)
class Subject:
    """A copy of a clip with trusted credentials, and an empty folder for what is made of it."""

    path: Path
    folder: Path
    parties: Parties
    origin: Origin

    def place(self, suffix: str) -> Path:
        """The file that a chain makes; no suffix: the clip's own."""
        return self.folder / f"out{suffix or self.path.suffix}"


@dataclass(frozen=True, slots=True)
class Chain:
    """One way of laundering. apply: makes the laundered file and returns its path. honest: no deceit is meant.

    erases: whether the pictures are encoded anew, so that only a mark that survives coding would still be there.
    """

    name: str
    title: str
    apply: Callable[[Subject], Path]
    honest: bool = False
    erases: bool = False


@dataclass(frozen=True, slots=True)
class Laundered:
    """What came of one clip in one chain. status: measured, or skipped with a reason. changed: whether its bytes are.

    alone: the verdict of somebody who has the credentials and nothing else. with_mark: the same person's if the clip
    carried a mark that survives the chain (a calculation, not a measurement). before: the origin that the clip's
    credentials named at first.
    """

    chain: str
    before: Origin
    status: Literal["measured", "skipped"]
    reason: str = ""
    changed: bool = False
    after: CredentialReport | None = None
    alone: Verdict | None = None
    with_mark: Verdict | None = None

    @property
    def outcome(self) -> str:
        """What somebody with the credentials alone learns of the clip's origin."""
        return "" if self.alone is None else outcome_of(self.before, self.alone)

    @property
    def outcome_with_mark(self) -> str:
        return "" if self.with_mark is None else outcome_of(self.before, self.with_mark)


OUTCOMES: Mapping[str, str] = {
    "vouched": "a trusted signer still names the right origin",
    "claimed": "a signer who is not trusted names the right origin",
    "alarm": "the reader is warned",
    "silent": "nothing is left, and nothing warns",
    "misclaimed": "a signer who is not trusted names a wrong origin, and nothing contradicts that",
    "deceived": "a trusted signer names a wrong origin, and nothing contradicts that",
}


def outcome_of(origin: Origin, verdict: Verdict) -> str:
    """The verdict against what is known: one of OUTCOMES."""
    if verdict.alarm:
        return "alarm"
    if verdict.kind in {"unknown", "unreadable"}:
        return "silent"
    right, trusted = verdict.origin == origin, verdict.kind == "attested"
    if trusted:
        return "vouched" if right else "deceived"
    return "claimed" if right else "misclaimed"


def make_parties(anchors: Anchors) -> Parties:
    """Keys made on the spot, and the user's anchors with the roots that the experiment's reader trusts as well."""
    generator = make_authority(organisation="laundering experiment: generator")
    editor = make_authority(organisation="laundering experiment: editor")
    stranger = make_authority(organisation="laundering experiment: stranger")
    trusted = anchors + root_anchor(generator) + root_anchor(editor)
    return Parties(signing_key(generator), signing_key(editor), signing_key(stranger), trusted)


def prepare(clip: Path, folder: Path, parties: Parties) -> tuple[Subject, bool]:
    """A copy of the clip with trusted credentials, and whether they are its own; otherwise it is signed as generated.

    Raises NotApplicable for a clip that cannot be signed or is beyond LIMITS.
    """
    if clip.is_dir() or clip.stat().st_size > LIMITS.max_bytes:
        raise NotApplicable("a folder of pictures" if clip.is_dir() else f"over {LIMITS.max_bytes >> 20} MB")
    copy = folder / f"subject{clip.suffix.lower()}"
    shutil.copyfile(clip, copy)
    own = credentials(copy, parties.anchors)
    if own.state == "trusted":
        return Subject(copy, folder, parties, own.origin), True
    try:
        mime_of(copy)
        sign_clip(
            copy, copy, Claim(clip.name, source_type=TRAINED, model="signed for the experiment"), parties.generator
        )
    except ProvenanceError as error:
        raise NotApplicable(str(error)) from error
    return Subject(copy, folder, parties, "generated"), False


def launder(subject: Subject, chain: Chain) -> Laundered:
    """One clip through one chain."""
    before = subject.origin
    folder = subject.folder / chain.name  # of its own: what one chain leaves beside its clip is not another's
    folder.mkdir()
    try:
        out = chain.apply(replace(subject, folder=folder))
    except (NotApplicable, ClipError, ProvenanceError) as error:
        return Laundered(chain.name, before, "skipped", " ".join(str(error).split()))
    after = credentials(out, subject.parties.anchors)
    alone = Evidence(after.state, after.origin)
    return Laundered(
        chain.name,
        before,
        "measured",
        changed=file_sha256(out) != file_sha256(subject.path),
        after=after,
        alone=conclude(alone),
        with_mark=conclude(replace(alone, mark="present" if before == "generated" else "absent")),
    )


def _copy(path: Path, target: Path) -> None:
    shutil.copyfile(path, target)


def _remux(path: Path, target: Path) -> None:
    """Packets copied into a new mp4; open_clip first, because it refuses what is no clip."""
    open_clip(path, LIMITS)
    try:
        repeat_clip(path, target, 1)
    except ValueError as error:
        raise NotApplicable(f"cannot be repacked as mp4: {error}") from error


def _reencode(subject: Subject, target: Path) -> None:
    """Pictures decoded and encoded anew, as platforms do; the sound plays no part in who vouches for a clip.

    Done once for all chains of a clip: it takes most of the experiment's time.
    """
    made = subject.path.with_name("reencoded.mp4")
    if not made.is_file():
        write_clip(_pictures(subject.path), made, crf=REENCODE_CRF)
    shutil.copyfile(made, target)


def _pictures(path: Path) -> Clip:
    source = open_clip(path, LIMITS)
    info = source.info
    if info.duration_s * info.fps * info.width * info.height * 3 > _MOST_FRAME_BYTES:
        raise NotApplicable(f"{path.name}: over {_MOST_FRAME_BYTES >> 30} GB of pictures")
    windows = [item.frames_TCHW for item in source.stream(sound=False) if isinstance(item, Window)]
    return Clip(np.concatenate(windows), info.fps)


def _rewrite(path: Path, target: Path, change: Callable[[bytes], bytes]) -> None:
    """Bytes of an ISO media file changed."""
    try:
        target.write_bytes(change(path.read_bytes()))
    except ValueError as error:
        raise NotApplicable(f"{path.suffix}: {error}") from error


def _through(step: Callable[[Path, Path], None], suffix: str = ".mp4") -> Callable[[Subject], Path]:
    """A chain of one step."""

    def apply(subject: Subject) -> Path:
        out = subject.place(suffix)
        step(subject.path, out)
        return out

    return apply


def _changed(change: Callable[[bytes], bytes]) -> Callable[[Subject], Path]:
    return _through(lambda path, target: _rewrite(path, target, change), suffix="")


def _resigned(*, insider: bool) -> Callable[[Subject], Path]:
    """Credentials replaced by others that name the opposite origin: by a stranger, or by somebody the reader trusts."""

    def apply(subject: Subject) -> Path:
        key = subject.parties.editor if insider else subject.parties.stranger
        out = subject.place(".mp4")
        _remux(subject.path, out)
        lie = CAPTURED if subject.origin == "generated" else TRAINED
        sign_clip(out, out, Claim("original", source_type=lie), key)
        return out

    return apply


def _reencoded(subject: Subject) -> Path:
    out = subject.place(".mp4")
    _reencode(subject, out)
    return out


def _beside(step: Callable[[Path, Path], None] | None) -> Callable[[Subject], Path]:
    """Credentials kept in a file beside the clip while the clip goes through a step; None: is encoded anew."""

    def apply(subject: Subject) -> Path:
        bare, out = subject.folder / "bare.mp4", subject.place(".mp4")
        _rewrite(subject.path, bare, hidden)
        sidecar = sign_beside(bare, Claim("bare.mp4", source_type=_same(subject.origin)), subject.parties.editor)
        if step is None:
            _reencode(subject, out)
        else:
            step(bare, out)
        sidecar.replace(sidecar_of(out))
        return out

    return apply


def _transplanted(subject: Subject) -> Path:
    """Credentials of the clip put onto another one, which has some of its own."""
    other, out = subject.folder / "other.mp4", subject.place(".mp4")
    _reencode(subject, other)
    sign_clip(other, other, Claim("other", source_type=CAPTURED), subject.parties.stranger)
    _rewrite(subject.path, out, lambda donor: transplanted(donor, other.read_bytes()))
    return out


def _edited(subject: Subject) -> Path:
    """Encoded anew by an honest editor, who names the clip as the parent and signs."""
    out = _reencoded(subject)
    claim = Claim("edit", action="c2pa.transcoded", source_type="")
    sign_clip(out, out, claim, subject.parties.editor, parent=subject.path, anchors=subject.parties.anchors)
    return out


def _same(origin: Origin) -> str:
    return {"generated": TRAINED, "captured": CAPTURED, "unknown": ""}[origin]


CHAINS: tuple[Chain, ...] = (
    Chain("copy", "copied, byte for byte", _through(_copy, ""), honest=True),
    Chain("edit-with-parent", "encoded anew by an editor who names it as parent and signs", _edited, True, True),
    Chain("remux", "repacked without decoding, as upload tools do", _through(_remux), honest=True),
    Chain("re-encode", f"encoded anew (H.264, CRF {REENCODE_CRF:g}), as platforms do", _reencoded, True, True),
    Chain("strip", "credentials overwritten by empty space", _changed(hidden)),
    Chain("sidecar", "credentials moved into a file beside it, its pictures untouched", _beside(_copy), honest=True),
    Chain("sidecar-remux", "credentials in a file beside it, the clip repacked", _beside(_remux), honest=True),
    Chain("sidecar-re-encode", "credentials in a file beside it, the clip encoded anew", _beside(None), True, True),
    Chain("picture-bit", "one bit of the pictures changed", _changed(lambda data: with_flipped_bit(data, b"mdat"))),
    Chain(
        "brand-byte", "a bit of the file's brand (ftyp) changed", _changed(lambda data: with_flipped_bit(data, b"ftyp"))
    ),
    Chain("hidden-payload", "data appended in a free box", _changed(lambda data: with_free_box(data, b"anything"))),
    Chain("transplant", "its credentials put onto another clip", _transplanted, erases=True),
    Chain("re-sign-stranger", "stripped, then signed with another origin by a stranger", _resigned(insider=False)),
    Chain("re-sign-insider", "stripped, then signed with another origin by a trusted signer", _resigned(insider=True)),
)
