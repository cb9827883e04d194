"""`moviegen marks`: hiding a message in a clip, and finding it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.shell import err, errors, out, say, table

if TYPE_CHECKING:
    from eval.marks.mark import Bits, Detection, Mark

marks = typer.Typer(
    help="Watermarks: list them, write one into a clip, look for one.", no_args_is_help=False, rich_markup_mode=None
)

FALSE_ALARMS = 1e-3
"""The rate of false alarms that a clip is called marked at."""

MarkOption = Annotated[str, typer.Option("--mark", help="a mark of `moviegen marks`, or torchscript:FOLDER")]
KeyOption = Annotated[Path | None, typer.Option("--key-file", help="file with an integer; default: the public key")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")]


@marks.callback(invoke_without_command=True)
def list_marks(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the marks: bits, stream, weights, licence."""
    if context.invoked_subcommand is not None:
        return
    with errors():
        from eval.marks.mark import MARKS

        rows = [_facts(mark) for mark in MARKS]
        if as_json:
            typer.echo(json.dumps({"marks": rows}, indent=2))
            return
        table(
            ("mark", "bits", "stream", "weights", "licence", "what it is"),
            [
                (row["name"], str(row["bits"]), row["stream"], row["weights_sha256"][:12] or "none", row["licence"],
                 row["summary"])
                for row in rows
            ],
        )  # fmt: skip
        say(out(), "programs of your own (Video Seal, Pixel Seal, AudioSeal): torchscript:FOLDER; see eval/marks")


@marks.command("embed")
def embed(
    clip: Annotated[Path, typer.Argument(help="the clip to mark")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the marked clip (.mp4, .mkv, …)")],
    message: Annotated[str, typer.Option("--message", help="in hexadecimal: 8 digits for 32 bits")],
    mark: MarkOption = "learned",
    key_file: KeyOption = None,
) -> None:
    """Write a message into a clip, near-lossless otherwise."""
    with errors():
        from eval.marks.bits import parse_message
        from eval.marks.files import read_whole
        from eval.marks.mark import find_mark
        from eval.video import write_clip

        chosen = find_mark(mark)
        bits_K = parse_message(message, chosen.bits)
        key = _key(key_file)
        write_clip(chosen.embed(read_whole(clip), bits_K, key=key), _writable(output))
        with_key = "" if key_file is None else f" --key-file {key_file}"
        say(out(), f"{output}: marked; moviegen marks detect {output} --mark {mark}{with_key}")


@marks.command("detect")
def detect(
    clips: Annotated[list[Path], typer.Argument(help="clips to look at")],
    mark: MarkOption = "learned",
    key_file: KeyOption = None,
    message: Annotated[str, typer.Option("--message", help="also test for this message, in hexadecimal")] = "",
    as_json: JsonOption = False,
) -> None:
    """Look for a mark in clips: is it there, what does it say, and how likely is that by chance."""
    with errors():
        from eval.marks.bits import parse_message

        chosen, key = _mark_and_key(mark, key_file)
        wanted = parse_message(message, chosen.bits) if message else None
        rows = [_detected(chosen, path, key, wanted) for path in clips]
        if as_json:
            typer.echo(json.dumps({"mark": mark, "clips": rows}, indent=2))
            return
        for row in rows:
            say(out(), f"{row['file']}: {_sentence(row)}")


def _facts(mark: Mark) -> dict[str, Any]:
    return {
        "name": mark.name,
        "version": mark.version,
        "bits": mark.bits,
        "stream": mark.stream,
        "weights_sha256": mark.weights_sha256,
        "licence": "this project's",
        "summary": mark.summary,
        "source": mark.source,
    }


def _mark_and_key(name: str, path: Path | None) -> tuple[Mark, int]:
    """The mark of that name and the key to read it with; mark `latent` with what a folder of its owner's holds."""
    from eval.marks.mark import find_mark

    if name != "latent":
        return find_mark(name), _key(path)
    from benchmarks.model_marks import default_key_folder, kept_mark

    mark, key, warnings = kept_mark(default_key_folder() if path is None else path)
    for warning in warnings:
        say(err(), f"warning: {warning}")
    return mark, key


def _key(path: Path | None) -> int:
    """The key in a file, with a warning where others can read it; the public key where no file is given."""
    from eval.marks.keys import PUBLIC_KEY, read_key_file

    if path is None:
        return PUBLIC_KEY
    key, warnings = read_key_file(path)
    for warning in warnings:
        say(err(), f"warning: {warning}")
    return key


def _writable(path: Path) -> Path:
    """The path, if a clip can be written there. Raises MarkError for another suffix."""
    from benchmarks.commands.generate import SUFFIXES
    from eval.marks.mark import MarkError

    if path.suffix.lower() not in SUFFIXES:
        raise MarkError(f"-o {path}: a clip ends in {', '.join(SUFFIXES)}")
    return path


def _detected(mark: Mark, path: Path, key: int, wanted: Bits | None) -> dict[str, Any]:
    from eval.marks.bits import match_p_value, matches, message_text
    from eval.marks.files import read_whole

    found: Detection = mark.detect(read_whole(path), key=key)
    row: dict[str, Any] = {
        "file": str(path),
        "message": message_text(found.bits_K),
        "score": found.score,
        "p_presence": found.p_presence,
        "marked": None if found.p_presence is None else found.p_presence <= FALSE_ALARMS,
        "seconds": found.seconds,
    }
    if wanted is not None:
        agree = matches(found, wanted)
        row |= {"matches": agree, "bits": mark.bits, "p_message": match_p_value(agree, mark.bits, found.searched)}
    return row


def _sentence(row: dict[str, Any]) -> str:
    said = f"it reads {row['message']}"
    if row["p_presence"] is not None:
        chance = f"chance at most {row['p_presence']:.2g}"
        said = f"marked ({chance}); {said}" if row["marked"] else f"no mark found ({chance})"
    if "matches" in row:
        said += f"; {row['matches']} of {row['bits']} bits as asked (by chance: {row['p_message']:.2g})"
    return said
