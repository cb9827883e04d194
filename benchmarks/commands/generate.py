"""`moviegen generate`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.shell import err, errors, out, say
from eval.errors import UserError

if TYPE_CHECKING:
    from eval.clip import Clip
    from eval.marks.mark import Bits, Mark
    from moviegen.generate import Form, Reference
    from moviegen.sampling import Sampler
    from safety.provenance.keys import SigningKey

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".gif")
GRID_COLUMNS = 8
STEM_LENGTH = 60
LATENT = "latent"
Make = Callable[[str, Callable[[int], None]], tuple["Clip", str]]
"""A prompt, and what is to be told of each step, to the clip that is written, and what its mark says in hexadecimal
(empty: no mark)."""
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")


class CommandError(UserError):
    """Words on the command line that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Made:
    """A clip that was written."""

    prompt: str
    path: Path
    clip: Clip
    seconds: float
    message: str = ""
    """What its mark says, in hexadecimal; empty: no mark."""


def generate(
    prompts: Annotated[
        list[str] | None, typer.Argument(help="what is to be seen; several prompts make several clips")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="a clip (.mp4, .webm, .gif, …), or a folder/")] = "",
    checkpoint: Annotated[str, typer.Option(help="shipped weights: reference or reference-early")] = "reference",
    weights: Annotated[Path | None, typer.Option(help="weights of yours instead of shipped ones")] = None,
    tae: Annotated[Path | None, typer.Option(help="the autoencoder they were trained on; default: shipped")] = None,
    seed: Annotated[int, typer.Option(min=0, help="another seed, another clip of the same prompt")] = 0,
    duration: Annotated[float | None, typer.Option(help="seconds; default: as trained")] = None,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels; default: as trained")] = "",
    fps: Annotated[float | None, typer.Option(help="frames per second; default: as trained")] = None,
    steps: Annotated[int | None, typer.Option(help="sampling steps; default: 25")] = None,
    guidance: Annotated[float | None, typer.Option(help="how strictly to follow the prompt; 1: no guidance")] = None,
    schedule: Annotated[str | None, typer.Option(help="linear-quadratic (default) or linear")] = None,
    method: Annotated[str | None, typer.Option(help="euler (default) or midpoint")] = None,
    grid: Annotated[Path | None, typer.Option(help="also write a picture (PNG): a row of frames for each clip")] = None,
    mark: Annotated[str, typer.Option(help="the mark to write: see moviegen marks; none: no mark")] = "learned",
    message: Annotated[
        str, typer.Option(help="what the mark says, in hexadecimal; default: made from model, prompt and seed")
    ] = "",
    key_file: Annotated[
        Path | None, typer.Option(help="the mark's key, an integer; default: the public key; latent: a folder of yours")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option(help="sign each clip with the key in this folder (see: moviegen keys make)")
    ] = None,
    sign_prompt: Annotated[
        bool, typer.Option("--sign-prompt", help="with --sign: put the prompt itself into the clip, not its hash alone")
    ] = False,
) -> None:
    """Make clips from prompts with the reference model. The same prompt and seed make the same clip.

    Clips are marked as made by a model unless you say --mark none: moviegen marks detect finds it.

    A folder of clips gets a table of their prompts (clips.csv) and can be scored and swept as it is.
    """
    with errors():
        asked = prompts or []
        paths = _paths(asked, output)
        if grid is not None and grid.suffix.lower() != ".png":
            raise CommandError(f"--grid {grid}: a picture is written as .png")
        width, height = _width_and_height(size)
        if sign_prompt and sign is None:
            raise CommandError("--sign-prompt goes with --sign FOLDER; moviegen keys make makes a key")
        key = None if sign is None else _signing_key(sign, paths)
        writes = _latent_writer(message, key_file) if mark == LATENT else _writer(mark, message, key_file)
        from moviegen.generate import form_of, load_reference, remarks

        sampler = _sampler(steps=steps, guidance=guidance, schedule=schedule, method=method)
        reference = load_reference(weights, tae, checkpoint=checkpoint)
        form = form_of(reference.preset, width=width, height=height, fps=fps, duration_s=duration)
        for prompt in asked:  # all of them first: a mistake in the last should not cost the others' time
            for remark in remarks(reference.preset, prompt, form):
                say(err(), f"note: {remark}")
        paths[0].parent.mkdir(parents=True, exist_ok=True)  # now, and not after the work, if it cannot be
        model = checkpoint if weights is None else weights.name
        wanted = list(zip(asked, paths, strict=True))
        if isinstance(writes, Writer):
            writes.check(form)
        make = _maker(writes, reference, model, seed, form, sampler)
        made = _make_all(wanted, make, sampler.steps)
        if key is not None:
            _sign_all(made, key, model, _weights_sha256(weights, checkpoint), seed, mark, with_prompt=sign_prompt)
        if _is_folder(asked, output):
            _write_table(Path(output), made, seed)
        if grid is not None:
            _write_grid(grid, made)
        for one in made:
            say(out(), f"{one.path}: {form}, {one.clip.duration_s:g} s, seed {seed}, made in {one.seconds:.1f} s")
        if writes is not None:
            say(out(), f"marked with {mark}; to see it: moviegen marks detect {paths[0]}{writes.how_to}")
        if key is not None:
            say(out(), f"signed as generated, by {key.signer} (until {key.expires:%Y-%m-%d})")


def _signing_key(folder: Path, paths: Sequence[Path]) -> SigningKey:
    """The key, once it is sure that it can sign and that every clip can be signed: before the work, not after it."""
    from safety.provenance.containers import mime_of
    from safety.provenance.keys import load_signing_key

    for path in paths:
        mime_of(path)
    key = load_signing_key(folder)
    for warning in key.warnings:
        say(err(), f"warning: {warning}")
    return key


def _sign_all(
    made: Sequence[Made], key: SigningKey, model: str, weights_sha256: str, seed: int, mark: str, *, with_prompt: bool
) -> None:
    from benchmarks.provenance import code_facts
    from safety.provenance.claim import Claim, MarkBinding, text_sha256
    from safety.provenance.sign import sign_clip

    version = code_facts().version
    for one in made:
        claim = Claim(
            title=one.path.name,
            version=version,
            model=model,
            weights_sha256=weights_sha256,
            prompt_sha256=text_sha256(one.prompt),
            prompt=one.prompt if with_prompt else "",
            seed=seed,
            marks=(MarkBinding(mark, text_sha256(one.message)),) if one.message else (),
        )
        sign_clip(one.path, one.path, claim, key)


def _weights_sha256(weights: Path | None, checkpoint: str) -> str:
    from eval.hashing import file_sha256
    from moviegen.weights import shipped

    return file_sha256(shipped(checkpoint) if weights is None else weights)


def _is_folder(prompts: Sequence[str], output: str) -> bool:
    return len(prompts) > 1 or output.endswith("/") or Path(output).is_dir()


def _paths(prompts: Sequence[str], output: str) -> list[Path]:
    """Where each clip goes. Raises CommandError where there is nothing to make or no place for it."""
    example = 'moviegen generate "A dog runs through a park" -o dog.mp4'
    if not prompts:
        raise CommandError(f"which prompt? {example}")
    if not output:
        raise CommandError(f"where to? {example} (or -o folder/)")
    path = Path(output)
    if not _is_folder(prompts, output):
        if path.suffix.lower() not in SUFFIXES:
            raise CommandError(f"-o {output}: a clip ends in {', '.join(SUFFIXES)}, a folder in /")
        return [path]
    if path.suffix.lower() in SUFFIXES or path.is_file():
        raise CommandError(f"-o {output}: {len(prompts)} clips go into a folder, not into one file")
    return [path / f"{stem}.mp4" for stem in _stems(prompts)]


def _stems(prompts: Sequence[str]) -> list[str]:
    """A file name for each prompt, made of its words, all different."""
    stems: list[str] = []
    for prompt in prompts:
        plain = re.sub(r"[\W_]+", "-", prompt.casefold()).strip("-")[:STEM_LENGTH].strip("-") or "clip"
        stem, number = plain, 1
        while stem in stems:
            number += 1
            stem = f"{plain}-{number}"
        stems.append(stem)
    return stems


def _width_and_height(size: str) -> tuple[int | None, int | None]:
    if not size:
        return None, None
    found = _SIZE.fullmatch(size.strip().lower())
    if found is None:
        raise CommandError(f"--size {size}: WIDTHxHEIGHT in pixels, as in 64x64")
    return int(found[1]), int(found[2])


def _sampler(**given: Any) -> Sampler:
    from moviegen.sampling import Sampler

    return Sampler(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Writer:
    """How clips are marked. message_K: None where each clip's own is made from model, prompt and seed."""

    mark: Mark
    message_K: Bits | None
    key: int
    how_to: str

    def write(self, clip: Clip, model: str, prompt: str, seed: int) -> tuple[Clip, str]:
        """The marked clip, and what its mark says in hexadecimal."""
        from eval.marks.bits import derived_message, message_text

        message_K = self.message_K
        if message_K is None:
            message_K = derived_message(self.mark.bits, model, prompt, str(seed))
        return self.mark.embed(clip, message_K, key=self.key), message_text(message_K)

    def check(self, form: Form) -> None:
        """Raises MarkError now, and not after the work, where clips of this form cannot carry the mark."""
        import numpy as np

        from eval.clip import Clip
        from eval.marks.bits import random_message

        blank = Clip(np.zeros((1, 3, form.height, form.width), np.uint8), form.fps)
        self.mark.embed(blank, random_message(self.mark.bits, 0), key=self.key)


def _writer(name: str, message: str, key_file: Path | None) -> Writer | None:
    """How clips are to be marked; None where they are not."""
    if name == "none":
        if message or key_file is not None:
            raise CommandError("--message and --key-file go with a mark, and --mark none says there is to be none")
        return None
    from eval.marks.bits import parse_message
    from eval.marks.keys import PUBLIC_KEY, read_key_file
    from eval.marks.mark import find_mark

    mark = find_mark(name)
    message_K = parse_message(message, mark.bits) if message else None
    how_to = "" if name == "learned" else f" --mark {name}"
    if key_file is None:
        return Writer(mark, message_K, PUBLIC_KEY, how_to)
    key, warnings = read_key_file(key_file)
    for warning in warnings:
        say(err(), f"warning: {warning}")
    return Writer(mark, message_K, key, f"{how_to} --key-file {key_file}")


@dataclass(frozen=True, slots=True)
class LatentWriter:
    """The mark that goes into a clip as it is made. folder: of its key and records, its owner's alone."""

    message_K: Bits | None
    folder: Path
    how_to: str


def _latent_writer(message: str, folder: Path | None) -> LatentWriter:
    """The folder is opened, and its key made if there is none, before the work. Raises MarkError."""
    from benchmarks.model_marks import default_key_folder, open_folder
    from eval.marks.bits import parse_message
    from moviegen.latent_mark.marking import BITS

    chosen = default_key_folder() if folder is None else folder
    message_K = parse_message(message, BITS) if message else None
    for warning in open_folder(chosen, make=True).warnings:
        say(err(), f"warning: {warning}")
    how_to = f" --mark {LATENT}" + ("" if folder is None else f" --key-file {folder}")
    return LatentWriter(message_K, chosen, how_to)


def _maker(
    writes: Writer | LatentWriter | None, reference: Reference, model: str, seed: int, form: Form, sampler: Sampler
) -> Make:
    """How the clip of a prompt is made, and marked."""
    from moviegen.generate import generate_batch

    def latent(prompt: str, on_step: Callable[[int], None]) -> tuple[Clip, str]:
        from benchmarks.model_marks import generate_marked
        from eval.marks.bits import derived_message, message_text
        from moviegen.latent_mark.marking import BITS

        assert isinstance(writes, LatentWriter)
        message_K = writes.message_K
        if message_K is None:
            message_K = derived_message(BITS, model, prompt, str(seed))
        clip = generate_marked(reference, prompt, seed, form, sampler, message_K, writes.folder, on_step)
        return clip, message_text(message_K)

    def plain(prompt: str, on_step: Callable[[int], None]) -> tuple[Clip, str]:
        (clip,) = generate_batch(reference, [prompt], [seed], form, sampler, on_step)
        return writes.write(clip, model, prompt, seed) if isinstance(writes, Writer) else (clip, "")

    return latent if isinstance(writes, LatentWriter) else plain


def _make_all(wanted: Sequence[tuple[str, Path]], make: Make, steps: int) -> list[Made]:
    """Make and write one clip after the other, under a progress bar."""
    from benchmarks.commands.progress import bar

    made = []
    with bar("sampling", steps * len(wanted), "steps") as shown:
        for number, (prompt, path) in enumerate(wanted):

            def on_step(done: int, before: int = number * steps, prompt: str = prompt) -> None:
                shown.to(before + done, prompt)

            made.append(_make(prompt, path, make, on_step))
    return made


def _make(prompt: str, path: Path, make: Make, on_step: Callable[[int], None]) -> Made:
    from eval.video import write_clip

    begun = time.perf_counter()
    clip, message = make(prompt, on_step)
    write_clip(clip, path)
    return Made(prompt, path, clip, time.perf_counter() - begun, message)


def _write_table(folder: Path, made: Sequence[Made], seed: int) -> None:
    from benchmarks.clip_files import TableRow, add_to_table

    add_to_table(folder, [TableRow(one.path.name, prompt=one.prompt, seed=seed) for one in made])


def _write_grid(path: Path, made: Sequence[Made]) -> None:
    import torch

    from moviegen.strips import below, strip
    from moviegen.training.pictures import write_png

    picture_HWC = below([strip(one.clip, GRID_COLUMNS) for one in made])
    write_png(torch.from_numpy(picture_HWC).permute(2, 0, 1), path)
