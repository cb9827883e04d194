"""The sheet of samples in this folder's README: `python -m moviegen.reference_sheet [FILE]`.

For each prompt frames of the reference's clip (seed 0), and of the scene that the prompt was written from, as the
Backlot renders it. Prompts are not picked: they are the first of each split about somebody not shown yet.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from eval.cache import write_atomically
from eval.clip import Clip
from eval.errors import UserError
from moviegen.backlot import Scene, caption, render
from moviegen.generate import CHECKPOINTS, Form, Reference, form_of, generate_batch, load_reference
from moviegen.sampling import Sampler
from moviegen.strips import WHITE, Picture, below, beside, strip
from moviegen.training.mixture import Split, combinations, held_out_combinations, mixture_scene

SEEN, NOVEL = 16, 8
FRAMES = 4
COLUMNS = 2
COLOURS = 256

_GAP = 12
_LINE_PX = 21
_TEXT_PX = 13
_INK, _ACCENT = (40, 40, 40), (190, 75, 0)
_REGULAR, _BOLD = 400, 700


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt, the scene it was written from, and what is held out of training in it ('' for nothing)."""

    prompt: str
    scene: Scene
    held_out: str


def samples() -> tuple[Sample, ...]:
    """Sixteen scenes of combinations that training has, then eight of those that it has not."""
    shown: set[str] = set()
    return (*_first("seen", SEEN, shown), *_first("novel", NOVEL, shown))


def _first(split: Split, number: int, shown: set[str]) -> Iterator[Sample]:
    """The first scenes of a split whose subject or role is not in `shown`, which grows."""
    for k in count():
        if number == 0:
            return
        scene = mixture_scene(k, split)
        who = scene.subject if scene.role in (None, "none") else scene.role
        if who not in shown:
            shown.add(str(who))
            number -= 1
            yield Sample(caption(scene), scene, _held_out(scene))


def _held_out(scene: Scene) -> str:
    """As 'nurse + red, dog + beach'."""
    pairs = sorted(combinations(scene) & held_out_combinations())
    return ", ".join(f"{who} + {value}" for who, _, value in pairs)


def sheet(reference: Reference, chosen: Sequence[Sample], form: Form, sampler: Sampler | None = None) -> Picture:
    """The samples in two columns, held-out ones below the others: (H, W, 3)."""
    clips = [generate_batch(reference, [sample.prompt], [0], form, sampler)[0] for sample in chosen]
    cells = [_cell(sample, clip, form) for sample, clip in zip(chosen, clips, strict=True)]
    known = [cell for cell, sample in zip(cells, chosen, strict=True) if not sample.held_out]
    novel = [cell for cell, sample in zip(cells, chosen, strict=True) if sample.held_out]
    width = cells[0].shape[1]
    titles = beside([_titles(width)] * COLUMNS, 2 * _GAP)
    rows = [titles, *_rows(known), _words("Combinations held out of training", titles.shape[1], _BOLD), *_rows(novel)]
    whole = below(rows, _GAP)
    return np.pad(whole, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=WHITE)


def _rows(cells: Sequence[Picture]) -> list[Picture]:
    return [beside(cells[k : k + COLUMNS], 2 * _GAP) for k in range(0, len(cells), COLUMNS)]


def _cell(sample: Sample, clip: Clip, form: Form) -> Picture:
    """The prompt over the reference's frames and the Backlot's."""
    truth = render(sample.scene, width=form.width, height=form.height, fps=form.fps, frames=form.frames, sound=False)
    frames = beside([strip(clip, FRAMES, gap=2), strip(truth, FRAMES, gap=2)], _GAP)
    lines = [_words(sample.prompt, frames.shape[1])]
    if sample.held_out:
        lines.append(_words(f"held out: {sample.held_out}", frames.shape[1], color=_ACCENT))
    return below([*lines, frames])


def _titles(width: int) -> Picture:
    halves = [_words(name, (width - _GAP) // 2, _BOLD) for name in ("reference", "the Backlot's own rendering")]
    return beside(halves, _GAP)


def _words(text: str, width: int, weight: int = _REGULAR, color: tuple[int, int, int] = _INK) -> Picture:
    """One line of text, as small as it must be to fit."""
    line, font = np.full((_LINE_PX, width, 3), WHITE, np.uint8), cv2.FontFace("sans")
    size = _TEXT_PX
    while size > 8 and cv2.getTextSize((width, _LINE_PX), text, (0, 0), font, size, weight)[2] > width:
        size -= 1
    cv2.putText(line, text, (0, _LINE_PX - 7), color, font, size, weight)
    return line


def encoded(picture: Picture) -> bytes:
    """A PNG of at most 256 colours: a third of the bytes that full colour takes, and hardly to be told from it."""
    from PIL import Image

    image = Image.fromarray(picture).quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    image.save(stream, "png", optimize=True)
    return stream.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheet of a checkpoint beside this module, or to the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m moviegen.reference_sheet", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).with_name("samples.png"))
    parser.add_argument("--checkpoint", choices=CHECKPOINTS, default=CHECKPOINTS[0])
    parser.add_argument("--weights", type=Path, help="weights of yours instead of shipped ones")
    parser.add_argument("--tae", type=Path, help="the autoencoder they were trained on")
    given = parser.parse_args(arguments)
    try:
        reference = load_reference(given.weights, given.tae, checkpoint=given.checkpoint)
    except UserError as error:
        parser.exit(2, f"error: {error}\n")
    chosen = samples()
    data = encoded(sheet(reference, chosen, form_of(reference.preset)))
    write_atomically(given.file, data)
    print(f"{given.file}: {len(chosen)} prompts, {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
