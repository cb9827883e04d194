"""`moviegen weights`: what open encoders there are, where their weights lie, whether they are whole; and fetching."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.progress import bar
from benchmarks.commands.shell import FAILURE, err, errors, out, say, table

if TYPE_CHECKING:
    from eval.encoders.lock import Lock
    from eval.encoders.registry import Encoder

weights = typer.Typer(
    help="Weights of open encoders: list, pull, verify, where.", no_args_is_help=True, rich_markup_mode=None
)

FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="weights folder; default: MOVIEGEN_WEIGHTS, else ~/.moviegen/weights")
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")]
MIB = 1 << 20


@weights.command("where")
def where(folder: FolderOption = None) -> None:
    """Print the weights folder, and on standard error what named it."""
    with errors():
        from eval.encoders.folder import weights_folder

        chosen = weights_folder(folder)
        typer.echo(chosen.path)
        say(err(), f"named by {chosen.named_by}" + ("" if chosen.path.is_dir() else "; not made yet"))


@weights.command("list")
def list_weights(
    name: Annotated[str, typer.Argument(help="an encoder to explain; default: list all")] = "",
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the encoders and what is here of them, or explain one: purpose, licence, files, hashes, where to get it."""
    with errors():
        from eval.encoders.folder import weights_folder
        from eval.encoders.registry import ENCODERS

        place = weights_folder(folder).path
        chosen = [ENCODERS.get(name)] if name else list(ENCODERS)
        facts = [_facts(encoder, place) for encoder in chosen]
        if as_json:
            typer.echo(json.dumps({"folder": str(place), "encoders": facts}, indent=2, ensure_ascii=False))
        elif name:
            _explain(facts[0], chosen[0].licence.note)
        else:
            rows = [
                (
                    f"{one['name']} v{one['version']}",
                    str(one["state"]),
                    _size(one["bytes"]),
                    ("" if one["commercial"] else "! ") + str(one["licence"]),
                    _hashes(one["files"]),
                    str(one["purpose"]),
                )
                for one in facts
            ]
            table(("encoder", "here", "size", "licence", "hash", "purpose"), rows)
            say(out(), "! not known to allow commercial use: `pull` asks for --accept-licence")
            say(out(), "hash: recorded here, or pinned by the first pull. `moviegen weights list NAME` tells all.")


@weights.command("verify")
def verify_weights(
    names: Annotated[list[str] | None, typer.Argument(help="encoders; default: all that were pulled")] = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hash every file again: ok, missing, truncated or wrong hash. Exit status 1 where one is not ok."""
    with errors():
        from eval.encoders.folder import weights_folder
        from eval.encoders.local import verify
        from eval.encoders.lock import lock_path
        from eval.encoders.registry import ENCODERS

        place = weights_folder(folder).path
        chosen = [ENCODERS.get(name) for name in names or ENCODERS.names() if names or lock_path(name, place).exists()]
        checks = [check for encoder in chosen for check in verify(encoder, place)]
        if as_json:
            found = [{"encoder": c.encoder, "file": c.file, "state": c.state, "detail": c.detail} for c in checks]
            typer.echo(json.dumps({"folder": str(place), "files": found}, indent=2, ensure_ascii=False))
        else:
            for check in checks:
                detail = f": {check.detail}" if check.detail else ""
                say(out(), f"{check.encoder}/{check.file}: {check.state}{detail}")
            if not checks:
                say(out(), f"nothing was pulled into {place}")
        broken = sorted({check.encoder for check in checks if check.state != "ok"})
        for encoder in broken:
            say(err(), f"{encoder}: run `moviegen weights pull {encoder}`")
        if broken:
            raise typer.Exit(FAILURE)


@weights.command("pull")
def pull_weights(
    name: Annotated[str, typer.Argument(help="an encoder of `moviegen weights list`")],
    source: Annotated[
        str, typer.Option("--from", help="a folder, an https:// address, or hub:OWNER/NAME[@REVISION]")
    ] = "",
    accept_licence: Annotated[str, typer.Option(help="the licence that you accept, by its name")] = "",
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="take a TorchScript program of unknown hash")
    ] = False,
    hub: Annotated[str, typer.Option(envvar="HF_ENDPOINT", help="address of the hub, or of a mirror of it")] = "",
    folder: FolderOption = None,
) -> None:
    """Fetch an encoder's weights, check their hashes, and pin them. Nothing else in moviegen downloads anything."""
    with errors():
        from benchmarks.weights.pull import check_consent, is_whole, pull
        from benchmarks.weights.source import HUB, place_of
        from eval.encoders.folder import weights_folder
        from eval.encoders.registry import ENCODERS

        encoder, target = ENCODERS.get(name), weights_folder(folder).path
        if is_whole(encoder, target):
            say(out(), f"{name} v{encoder.version}: here already, every hash right: {target / name}")
            return
        check_consent(encoder, accept_licence, trust_code=trust_code)
        place = place_of(source or _recorded_source(encoder), encoder, hub or HUB)
        _tell(encoder, pull(encoder, place, target, _watch), target)


def _recorded_source(encoder: Encoder) -> str:
    from benchmarks.weights.errors import PullError

    if not encoder.source:
        raise PullError(
            f"{encoder.name}: where it is published is not recorded here: give --from with a folder, an https:// "
            f"address or hub:OWNER/NAME; what is needed: {encoder.by_hand}"
        )
    return encoder.source


@contextmanager
def _watch(name: str, length: int | None) -> Iterator[Callable[[int], None]]:
    with bar(name, None if length is None else -(-length // MIB), "MiB") as shown:
        yield lambda done: shown.to(-(-done // MIB))


def _tell(encoder: Encoder, lock: Lock, folder: Path) -> None:
    from eval.encoders.lock import lock_path

    say(out(), f"{encoder.name} v{encoder.version}: pulled {_size(lock.bytes)}: {folder / encoder.name}")
    say(out(), f"licence: {encoder.licence.name}: {encoder.licence.note}")
    if unknown := [name for name in lock.files if encoder.known_sha256(name) is None]:
        say(out(), f"no hash is recorded here for {', '.join(unknown)}: what came now is taken on trust and pinned in")
        say(out(), f"{lock_path(encoder.name, folder)}; a later pull or verify that finds another file refuses it")


def _facts(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """All that is known of an encoder, JSON-able. A pinned hash stands where none is recorded."""
    from eval.encoders.local import state
    from eval.encoders.lock import read_lock

    here = state(encoder, folder)
    lock = None if here == "damaged" else read_lock(encoder.name, folder)
    names = list(lock.files) if lock else [file.name for file in encoder.files]
    files = []
    for name in names:
        known, pin = encoder.known_sha256(name), lock.files[name] if lock else None
        size = pin.bytes if pin else next(file.bytes for file in encoder.files if file.name == name)
        by = "recorded" if known else "first pull" if pin else None
        files.append({"name": name, "sha256": known or (pin.sha256 if pin else None), "known_by": by, "bytes": size})
    return {
        "name": encoder.name,
        "version": encoder.version,
        "purpose": encoder.purpose,
        "architecture": encoder.architecture,
        "format": encoder.format,
        "licence": encoder.licence.name,
        "commercial": encoder.licence.commercial,
        "source": encoder.source or None,
        "by_hand": encoder.by_hand,
        "state": here,
        "pulled_from": lock.source if lock else None,
        "sha256": lock.sha256 if lock else None,
        "bytes": lock.bytes if lock else encoder.bytes,
        "files": files,
    }


def _explain(facts: dict[str, Any], note: str) -> None:
    lines = [
        f"{facts['name']} v{facts['version']}: {facts['architecture']}; {facts['state']}",
        f"for: {facts['purpose']}",
        f"licence: {facts['licence']} ({note})",
        f"from: {facts['source'] or 'no address is recorded here'}; by hand: {facts['by_hand']}",
    ]
    if facts["pulled_from"]:
        lines.append(f"pulled from: {facts['pulled_from']}")
    for file in facts["files"]:
        sha256 = f"{file['sha256']} ({file['known_by']})" if file["sha256"] else "not known; the first pull pins it"
        lines.append(f"  {file['name']}: {_size(file['bytes'])}; SHA-256 {sha256}")
    for line in lines:
        say(out(), line)


def _size(count: int | None) -> str:
    if count is None:
        return "not known"
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count} B"


def _hashes(files: list[dict[str, Any]]) -> str:
    known_by = {file["known_by"] for file in files}
    if None in known_by:
        return "not known"
    return "pinned" if "first pull" in known_by else "recorded"
