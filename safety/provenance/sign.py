"""Sign a clip: its credentials go into the file, or beside it. Nothing is fetched, not even a time stamp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import c2pa

from eval.cache import temporary_beside, write_atomically
from safety.provenance.claim import Claim, manifest
from safety.provenance.containers import mime_of
from safety.provenance.errors import ProvenanceError
from safety.provenance.keys import SigningKey
from safety.provenance.offline import Anchors, offline_context

SIDECAR = ".c2pa"


def sign_clip(
    path: Path,
    target: Path,
    claim: Claim,
    key: SigningKey,
    *,
    parent: Path | None = None,
    anchors: Anchors | None = None,
) -> None:
    """Write `path` with credentials to `target` (which may be `path` itself); it appears complete or not at all.

    parent: the clip that this one was made from; its own credentials are kept as history. anchors: whom the signer
    trusts while looking at the parent. Credentials that `path` carried before are replaced.
    Without a time stamp, the credentials die with the signer's certificate.
    Raises ProvenanceError for a container that cannot be signed (webm, mkv), and for what the library refuses.
    """
    if (parent is None) != (claim.action == "c2pa.created"):
        raise ValueError(f"{claim.action} and a parent do not go together: what has a parent was not created")
    mime = mime_of(target)
    with _scratch(target) as scratch:
        _sign(path, scratch, claim, key, mime, parent=parent, anchors=anchors or Anchors())
        scratch.replace(target)


def sign_beside(path: Path, claim: Claim, key: SigningKey) -> Path:
    """Write the credentials of `path` into a file beside it (clip.c2pa) and return its path; the clip stays.

    Raises ProvenanceError as sign_clip does.
    """
    mime = mime_of(path)
    with _scratch(path) as scratch:
        credentials = _sign(path, scratch, claim, key, mime, embed=False)
    sidecar = sidecar_of(path)
    write_atomically(sidecar, credentials)
    return sidecar


def sidecar_of(path: Path) -> Path:
    """Where credentials beside a clip are, by the convention of C2PA's own tools."""
    return path.with_suffix(SIDECAR)


def _sign(
    path: Path,
    target: Path,
    claim: Claim,
    key: SigningKey,
    mime: str,
    *,
    parent: Path | None = None,
    anchors: Anchors | None = None,
    embed: bool = True,
) -> bytes:
    """Write the signed clip to `target`; the credentials by themselves."""
    info = c2pa.C2paSignerInfo(
        alg=key.algorithm.encode(), sign_cert=key.chain_pem, private_key=key.key_pem, ta_url=None
    )
    try:
        with (
            offline_context(anchors or Anchors()) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest(claim, mime), context) as builder,
        ):
            if parent is not None:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                with parent.open("rb") as file:
                    builder.add_ingredient({"title": parent.name, "relationship": "parentOf"}, mime_of(parent), file)
            if not embed:
                builder.set_no_embed()
            with path.open("rb") as source, target.open("w+b") as signed:
                return bytes(builder.sign(signer, mime, source, signed))
    except c2pa.C2paError as error:
        raise ProvenanceError(f"{path.name}: could not be signed: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What the library says, on one line."""
    return " ".join(str(error).split())


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    scratch = temporary_beside(path)
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)
