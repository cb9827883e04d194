"""From a trained reader to shipped weights: what it reads on held-out scenes decides which factors count, and the card
says so.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from eval.features.backlot_reader.factors import Factor
from eval.features.backlot_reader.network import Reader
from eval.features.backlot_reader.weights import Vocabulary, header_of
from eval.weights import save_weights
from moviegen.training.reader_augment import UNTOUCHED, FramesTHWC, compress, soften
from moviegen.training.reader_data import FACTORS_READ, FIRST_SEED, FRAMES, SIZE, Split, make_clips
from moviegen.training.reader_figures import Figure, figures, read_clips

BAR = 0.97
"""What a factor must reach on held-out scenes to count in the metrics."""
MAIN = ("subject", "color", "setting", "action", "count", "light", "weather", "camera", "role")
"""These count with what they reach, which the card says: a prompt's accuracy without them would mean little.

Not the second subject: over all clips it is read at 96%, as most have none; of those that a prompt names, 2 in 3.
"""

LIMITS = (
    "Reads drawn scenes of the Backlot: on footage and other drawings its answers mean nothing. Reads the first four "
    "seconds at 64 pixels and 8 frames a second. Knows one or two kinds of subject, one person at most. Of two "
    "subjects that collide, it calls the left one the subject."
)


class Sizes(Protocol):
    """How many scenes a run was trained on, and how many its figures are of."""

    @property
    def clips(self) -> int: ...
    @property
    def held_out(self) -> int: ...


def export(reader: Reader, training: Sizes, clips: Path, output: Path, facts: Mapping[str, Any]) -> Path:
    """Measure a reader, write its weights (half precision) and card to `output`, and print its figures; the file.

    clips: the folder of rendered clips. facts: what the card says of the run.
    """
    _halve(reader)
    held_out = make_clips(clips, "held out", training.held_out)
    flat = make_clips(clips, "held out, flat", max(1, training.held_out // 2))
    plain = figures(read_clips(reader, held_out), held_out.labels_NF)
    soft = figures(read_clips(reader, held_out, len(flat), softened), held_out.labels_NF)
    odd = figures(read_clips(reader, flat), flat.labels_NF)
    counted = tuple(name for name, one in plain.items() if name in MAIN or one.accuracy >= BAR)
    card = {
        "what": "names what a Backlot clip shows; averaged weights, stored in half precision",
        "data": f"Backlot scenes with seeds {_seeds('train', training.clips)}, half drawn as the world draws them and "
        f"half evenly over all values; {FRAMES} frames at 8 fps, {SIZE} pixels, a quarter of them wide or tall before "
        f"they are squared, {1 - UNTOUCHED:.0%} damaged as generators damage",
        "held_out_data": f"Backlot scenes with seeds {_seeds('held out', len(held_out))}, drawn as the world draws "
        "them, undamaged",
        "columns": "accuracy: where the picture can show the factor, in `clips` of the held-out scenes. soft: in the "
        "first half of them, with detail lost and JPEG. flat: on scenes drawn evenly over all values, seeds "
        + _seeds("held out, flat", len(flat)),
        "held_out": {name: _facts(plain[name], soft[name], odd[name]) for name in counted},
        "not_counted": {name: _facts(plain[name], soft[name], odd[name]) for name in plain if name not in counted},
        "where": {factor.name: _conditions(factor) for factor in FACTORS_READ if factor.where or factor.needs},
        **facts,
        "hardware": f"{platform.machine()} CPU, {torch.get_num_threads()} threads, float32, torch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in reader.parameters()),
        "limits": LIMITS,
        "confusion": {name: _matrix(name, figure) for name, figure in plain.items()},
    }
    tensors = {name: t.half() if t.is_floating_point() else t for name, t in reader.state_dict().items()}
    save_weights(output, tensors, header_of(Vocabulary(FACTORS_READ, counted)), card)
    print(table(plain, soft, odd, counted))
    print(f"{output}: {len(counted)} factors count")
    return output


def table(
    plain: Mapping[str, Figure], soft: Mapping[str, Figure], flat: Mapping[str, Figure], counted: tuple[str, ...]
) -> str:
    """The figures as lines of text."""
    lines = [f"{'factor':14} {'clips':>6} {'held out':>9} {'soft':>7} {'flat':>7}"]
    for name, one in plain.items():
        mark = "" if name in counted else "   not counted"
        lines.append(
            f"{name:14} {one.counted:6} {one.accuracy:9.4f} {soft[name].accuracy:7.4f} {flat[name].accuracy:7.4f}{mark}"
        )
    return "\n".join(lines)


def softened(frames_THWC: FramesTHWC, row: int) -> FramesTHWC:
    """A generator's softness, the same in every run: detail lost, and JPEG."""
    random = np.random.default_rng(row)
    return compress(soften(frames_THWC, random), random)


def _halve(reader: Reader) -> None:
    """Round every weight to half precision, so that what is measured is what is shipped."""
    with torch.no_grad():
        for tensor in (*reader.parameters(), *reader.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())


def _seeds(split: Split, count: int) -> str:
    return f"{FIRST_SEED[split]} to {FIRST_SEED[split] + count - 1}"


def _conditions(factor: Factor) -> dict[str, Any]:
    """Where a factor counts: what the truth must be for it to show, and the reading for it to mean anything."""
    return {
        "truth": {k: list(v) for k, v in factor.where.items()},
        "reading": {k: list(v) for k, v in factor.needs.items()},
    }


def _facts(plain: Figure, soft: Figure, flat: Figure) -> dict[str, float | int]:
    return {
        "accuracy": round(plain.accuracy, 4),
        "clips": plain.counted,
        "soft": round(soft.accuracy, 4),
        "flat": round(flat.accuracy, 4),
    }


def _matrix(name: str, figure: Figure) -> dict[str, Any]:
    factor = next(one for one in FACTORS_READ if one.name == name)
    return {
        "values": ["/".join(map(str, values)) for values in factor.classes],
        "truth_by_reading": figure.confusion_KK.tolist(),
    }
