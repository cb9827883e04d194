"""Read a clip's content credentials: their state, what they say, and who says it. Nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import c2pa

from safety.provenance.claim import GENERATION, SOFT_BINDING, MarkBinding
from safety.provenance.containers import CANNOT, MIME
from safety.provenance.offline import Anchors, offline_context
from safety.provenance.reasons import explain
from safety.provenance.sign import one_line, sidecar_of
from safety.provenance.sources import Origin, origin_of

State = Literal["trusted", "valid-untrusted", "invalid", "none", "unreadable"]
"""trusted: whole, by a signer under one of the reader's anchors. valid-untrusted: whole, by a signer that the reader
does not know. invalid: they do not hold. none: the clip carries none. unreadable: the file cannot be looked into."""

STATES: tuple[State, ...] = get_args(State)

UNTRUSTED = "signingCredential.untrusted"
DAMAGED = "credentials.damaged"
"""Ours, where the library gives an error instead of a code: the clip can be read, its credentials cannot."""

_STATES: Mapping[str, State] = {"Trusted": "trusted", "Valid": "valid-untrusted", "Invalid": "invalid"}
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Parent:
    """A clip that this one says it was made from, as far as its credentials still hold today.

    none: it had no credentials when the edit was signed.
    """

    title: str
    state: State
    codes: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """What is known of a clip's credentials. Texts are a stranger's: escape them.

    codes: C2PA's codes of what failed, those of parents behind `parent:`. reason: the same in a sentence, also why
    there are none. where: embedded, or sidecar. signer: the certificate's common name and organisation; a mere
    name unless the state is trusted. generator: the program that made the claim; model: the one that made the pictures.
    source_types: IPTC's addresses that the clip's own actions name. actions: what was done to it. generation: our own
    assertion (model, weights, prompt's hash, seed). marks: the marks that the clip is said to carry. manifests: links
    of the history.
    """

    state: State
    reason: str = ""
    codes: tuple[str, ...] = ()
    where: Literal["", "embedded", "sidecar"] = ""
    title: str = ""
    signer: str = ""
    algorithm: str = ""
    generator: str = ""
    model: str = ""
    source_types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    generation: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[MarkBinding, ...] = ()
    parents: tuple[Parent, ...] = ()
    manifests: int = 0

    @property
    def usable(self) -> bool:
        """Whether what they say was said by somebody and of this file."""
        return self.state in {"trusted", "valid-untrusted"}

    @property
    def origin(self) -> Origin:
        """Where they say the pictures come from, parents included; unknown where they do not hold."""
        if not self.usable:
            return "unknown"
        return origin_of([*self.source_types, *(name for parent in self.parents for name in parent.source_types)])


def credentials(path: Path, anchors: Anchors | None = None) -> CredentialReport:
    """The credentials in a clip or, where it has none, beside it (clip.c2pa), judged by the reader's own anchors.

    It never raises for what lies in a file: damage is a state with a reason. What is signed is not what is true: a
    trusted signer can lie, and bytes outside the signed ranges (`ftyp`, `free`) can change without a trace.
    Raises OSError where the disk fails.
    """
    path = Path(path)
    if path.is_dir():
        return CredentialReport("none", "a folder of pictures holds no credentials of a clip")
    suffix = path.suffix.lower()
    if suffix in CANNOT:
        return CredentialReport("none", f"{CANNOT[suffix]} has no place for credentials")
    with path.open("rb") as file:
        found = _read(file, MIME.get(suffix, "video/mp4"), anchors or Anchors())
    sidecar = sidecar_of(path)
    if found.state == "none" and sidecar.is_file():
        with path.open("rb") as file:
            return _read(file, MIME.get(suffix, "video/mp4"), anchors or Anchors(), sidecar.read_bytes())
    return found


def _read(file: BinaryIO, mime: str, anchors: Anchors, beside: bytes | None = None) -> CredentialReport:
    try:
        with offline_context(anchors) as context:
            if beside is None:
                reader = c2pa.Reader.try_create(mime, file, context=context)
            else:
                reader = c2pa.Reader(mime, file, beside, context=context)
            if reader is None:
                return CredentialReport("none", "the file carries no credentials")
            with reader:
                store = json.loads(reader.json())
    except c2pa.C2paError as error:
        return _from_error(one_line(error))
    return _report(store, "embedded" if beside is None else "sidecar")


def _from_error(said: str) -> CredentialReport:
    """The library raises for three quite different things: no clip at all, credentials elsewhere, and damaged ones."""
    kind = said.partition(":")[0]
    if kind == "Remote":
        return CredentialReport(
            "none", f"the file names credentials elsewhere, which are not fetched: {said[:_LONGEST]}"
        )
    no_clip = kind in {"Io", "NotSupported"} or "asset could not be parsed" in said or "Unknown error" in said
    if no_clip:
        return CredentialReport("unreadable", f"not a whole clip: {said[:_LONGEST]}")
    return CredentialReport("invalid", f"the credentials are damaged: {said[:_LONGEST]}", (DAMAGED,))


def _report(store: Mapping[str, Any], where: Literal["embedded", "sidecar"]) -> CredentialReport:
    manifests = store.get("manifests") or {}
    active = manifests.get(store.get("active_manifest")) or {}
    results = store.get("validation_results") or {}
    deltas = results.get("ingredientDeltas") or []
    codes = sorted(_failures(results.get("activeManifest")))
    codes += sorted({f"parent: {code}" for delta in deltas for code in _failures(delta.get("validationDeltas"))})
    state = _STATES.get(str(store.get("validation_state")), "invalid")
    actions = _actions(active)
    made_by = (active.get("claim_generator_info") or [{}])[0]
    return CredentialReport(
        state=state,
        reason=explain(codes),
        codes=tuple(codes),
        where=where,
        title=_text(active.get("title")),
        signer=_signer(active.get("signature_info") or {}),
        algorithm=_text((active.get("signature_info") or {}).get("alg")),
        generator=" ".join(filter(None, (_text(made_by.get("name")), _text(made_by.get("version"))))),
        model=next(filter(None, (_agent(action) for action in actions)), ""),
        source_types=_source_types(actions),
        actions=tuple(_text(action.get("action")) for action in actions),
        generation=_assertion(active, GENERATION),
        marks=_marks(active),
        parents=tuple(_parents(active, manifests, deltas)),
        manifests=len(manifests),
    )


def _parents(
    active: Mapping[str, Any], manifests: Mapping[str, Any], deltas: Iterable[Mapping[str, Any]]
) -> Iterable[Parent]:
    """Parents as the signer found them, with what has changed since: the deltas hold the differences only."""
    for ingredient in active.get("ingredients") or []:
        then = (ingredient.get("validation_results") or {}).get("activeManifest")
        label = str(ingredient.get("label"))
        now = [
            one["validationDeltas"] for one in deltas if str(one.get("ingredientAssertionURI")).endswith("/" + label)
        ]
        failed = _failures(then).union(*map(_failures, now))
        if any("signingCredential.trusted" in _codes(results, "success") for results in now):
            failed -= {UNTRUSTED}
        own = manifests.get(ingredient.get("active_manifest")) or {}
        yield Parent(
            title=_text(ingredient.get("title")),
            state="none" if not own else _parent_state(failed),
            codes=tuple(sorted(failed)),
            source_types=_history(own, manifests),
        )


def _parent_state(failed: set[str]) -> State:
    if failed - {UNTRUSTED}:
        return "invalid"
    return "valid-untrusted" if failed else "trusted"


def _history(manifest: Mapping[str, Any], manifests: Mapping[str, Any]) -> tuple[str, ...]:
    """Source types of a manifest and of all before it. A history that bites its own tail is followed once."""
    found: dict[str, None] = {}
    waiting, seen = [manifest], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        found |= dict.fromkeys(_source_types(_actions(one)))
        waiting += [
            manifests[name]
            for part in one.get("ingredients") or []
            if (name := part.get("active_manifest")) in manifests
        ]
    return tuple(found)


def _failures(results: Mapping[str, Any] | None) -> set[str]:
    return _codes(results, "failure")


def _codes(results: Mapping[str, Any] | None, kind: str) -> set[str]:
    return {_text(one.get("code")) for one in (results or {}).get(kind) or []}


def _actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions") or []
        if str(assertion.get("label")).startswith("c2pa.actions")
        for action in (assertion.get("data") or {}).get("actions") or []
    ]


def _source_types(actions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(named) for action in actions if (named := action.get("digitalSourceType"))))


def _agent(action: Mapping[str, Any]) -> str:
    agent = action.get("softwareAgent")
    return _text(agent.get("name") if isinstance(agent, dict) else agent)


def _assertion(manifest: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    for assertion in manifest.get("assertions") or []:
        if assertion.get("label") == label and isinstance(assertion.get("data"), dict):
            return dict(assertion["data"])
    return {}


def _marks(manifest: Mapping[str, Any]) -> tuple[MarkBinding, ...]:
    """Soft bindings; a second one's label ends in `__1`."""
    found = []
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label")).partition("__")[0] == SOFT_BINDING:
            data = assertion.get("data") or {}
            block = (data.get("blocks") or [{}])[0]
            found.append(MarkBinding(_text(data.get("alg")), _text(block.get("value"))))
    return tuple(found)


def _signer(info: Mapping[str, Any]) -> str:
    name, organisation = _text(info.get("common_name")), _text(info.get("issuer"))
    return f"{name} ({organisation})" if name and organisation else name or organisation


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST]
