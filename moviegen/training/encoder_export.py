"""From a trained encoder to shipped weights: its figures on held-out scenes, its card, and the set for distances.

Shape legend: N clips, P principal components.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from eval.features.backlot_encoder.network import COMPONENTS, Encoder
from eval.features.backlot_encoder.weights import SET, SET_PRESET, header_of
from eval.features.backlot_encoder.words import numbered
from eval.weights import Header, save_weights
from moviegen.backlot import FACTORS, STYLES, Scene, sample_scene
from moviegen.training.encoder_figures import (
    DETAILED,
    Change,
    Recall,
    Told,
    changes,
    clip_points,
    frame_points,
    galleries,
    in_style,
    recall,
    shares,
    text_points,
    told,
)
from moviegen.training.encoder_views import ClipSource
from moviegen.training.reader_data import FIRST_SEED, FRAMES, LAST_SEED, SIZE, Split, reader_scene

FIRST_REFERENCE_SEED = LAST_SEED
"""The reference set's scenes begin where the reader's own end."""

PEOPLE = 3
"""One reference clip in so many shows a person, as in the Backlot suites."""

IN_TURN = "all in turn"
FRAME = "one frame, detailed"

LIMITS = (
    "Knows drawn scenes of the Backlot and the words of its captions: on footage its numbers mean nothing, and of "
    "other words it sees the spelling only. Sees the first four seconds at 64 pixels and 8 frames a second (single "
    "frames: all of them). Its trunk is the shipped reader's, unchanged, and so the two err alike: what the reader "
    "takes for something else, the encoder does too, and neither confirms the other. Eyes, beards, glasses, skin and "
    "how a person presents hardly show at 64 pixels. Of two subjects that collide, it cannot say who runs into whom."
)


class Sizes(Protocol):
    """What a run was trained on, and what its figures are of."""

    @property
    def clips(self) -> int: ...
    @property
    def galleries(self) -> int: ...
    @property
    def gallery(self) -> int: ...
    @property
    def changes(self) -> int: ...
    @property
    def references(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """Recall by split and style, and changes told by factor."""

    held_out: dict[str, Recall]
    flat: dict[str, Recall]
    changed: dict[str, Told]
    usual: Told
    """Changes of any factor that a caption tells, each as often as such a change would be."""
    evenly: Told
    """Every factor counts alike."""


def export(
    encoder: Encoder, words: Sequence[str], training: Sizes, source: ClipSource, output: Path, facts: Mapping[str, Any]
) -> Path:
    """Measure an encoder, write its weights (half precision) and card to `output` and the reference set beside it, and
    print its figures; the file. facts: what the card says of the run.
    """
    _halve(encoder)
    found = measure(encoder, numbered(words), training, source)
    card = {
        "what": "puts clips, single frames and texts on one sphere, near one another where they tell of the same "
        "scene; averaged weights, stored in half precision",
        "data": f"Backlot scenes with seeds {_seeds('train', training.clips)}, half drawn as the world draws them and "
        f"half evenly over all values; {FRAMES} frames at 8 fps, {SIZE} pixels, half of them in a mirror, most damaged "
        "as generators damage; captions in all styles, each beside one with a factor changed",
        "held_out_data": f"Backlot scenes from seed {FIRST_SEED['held out']} on, drawn as the world draws them; flat: "
        f"from {FIRST_SEED['held out, flat']} on, drawn evenly over all values; undamaged",
        "retrieval": f"R@1 among {training.gallery} clips or captions, the mean of {training.galleries} such galleries "
        "(flat: half as many); any two scenes of one differ in what every caption states. Captions in one style, or in "
        "all styles in turn",
        "held_out": {style: _rounded(one) for style, one in found.held_out.items()},
        "flat": {style: _rounded(one) for style, one in found.flat.items()},
        "hard_negatives": "text: how often a held-out clip is nearer to its detailed caption than to that of the same "
        "scene with one factor changed; clip: how often the caption is nearer to its clip than to the changed "
        "scene's. all: any factor that the caption tells, as often as a random one would be changed; evenly: every "
        "factor alike",
        "all": _rounded(found.usual),
        "evenly": _rounded(found.evenly),
        "changed": {factor: _rounded(one) for factor, one in found.changed.items()},
        **facts,
        "hardware": f"{platform.machine()} CPU, {torch.get_num_threads()} threads, float32, torch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in encoder.parameters()),
        "limits": LIMITS,
    }
    tensors = {name: t.half() if t.is_floating_point() else t for name, t in encoder.state_dict().items()}
    sha256 = save_weights(output, tensors, header_of(words), card)
    _export_set(encoder, training.references, source, output.with_name(f"{SET}.safetensors"), sha256)
    print(table(found))
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    return output


def measure(encoder: Encoder, numbers: Mapping[str, int], training: Sizes, source: ClipSource) -> Figures:
    """The figures on held-out scenes."""
    pairs = {factor: found for factor in FACTORS if (found := changes(factor, training.changes))}
    changed = {factor: _told(encoder, numbers, some, source) for factor, some in pairs.items()}
    return Figures(
        _recalls(encoder, numbers, "held out", training.galleries, training.gallery, source),
        _recalls(encoder, numbers, "held out, flat", max(1, training.galleries // 2), training.gallery, source),
        changed,
        _mean(changed, shares(8 * training.changes)),
        _mean(changed, dict.fromkeys(changed, 1.0)),
    )


def _recalls(
    encoder: Encoder, numbers: Mapping[str, int], split: Split, wanted: int, size: int, source: ClipSource
) -> dict[str, Recall]:
    found: dict[str, list[Recall]] = {}
    for rows in islice(galleries(split, size), wanted):
        views, scenes = source.held_out(split, rows), [reader_scene(row, split) for row in rows]
        clips_NE, frames_NE = clip_points(encoder, views), frame_points(encoder, views)
        for style in (*STYLES, None):
            texts_NE = text_points(encoder, numbers, in_style(scenes, style))
            found.setdefault(style or IN_TURN, []).append(recall(clips_NE, texts_NE))
        detailed_NE = text_points(encoder, numbers, in_style(scenes, DETAILED))
        found.setdefault(FRAME, []).append(recall(frames_NE, detailed_NE))
    return {
        style: Recall(
            float(np.mean([one.clip_to_text for one in each])), float(np.mean([one.text_to_clip for one in each]))
        )
        for style, each in found.items()
    }


def _told(encoder: Encoder, numbers: Mapping[str, int], pairs: Sequence[Change], source: ClipSource) -> Told:
    right = source.held_out("held out", [pair.row for pair in pairs])
    other = source.scenes(f"changed-{pairs[0].factor}", [pair.other for pair in pairs])
    return told(encoder, numbers, pairs, right, other)


def _mean(changed: Mapping[str, Told], weights: Mapping[str, float]) -> Told:
    """The weighted mean of the factors' figures."""
    kept = [weights[factor] for factor in changed]
    texts, clips = ([getattr(one, side) for one in changed.values()] for side in ("text", "clip"))
    counted = sum(one.counted for one in changed.values())
    return Told(float(np.average(texts, weights=kept)), float(np.average(clips, weights=kept)), counted)


def reference_scene(number: int) -> Scene:
    """Scene `number` of the reference set: people, other subjects and settings as often as in the Backlot suites."""
    settings = FACTORS["setting"].values
    others = [subject for subject in FACTORS["subject"].values if subject != "person"]
    subject = "person" if number % PEOPLE == 0 else others[(number - number // PEOPLE) % len(others)]
    seed = FIRST_REFERENCE_SEED + number
    try:
        return sample_scene(seed, subject=subject, setting=settings[number % len(settings)])
    except ValueError:  # not every subject lives in every setting
        return sample_scene(seed, subject=subject)


@torch.inference_mode()
def _export_set(encoder: Encoder, count: int, source: ClipSource, path: Path, encoder_sha256: str) -> None:
    """Principal components of faultless clips of reference scenes, with a card."""
    views = source.scenes("references", [reference_scene(number) for number in range(count)])
    set_NP = encoder.components(encoder.clip_standard(torch.from_numpy(views.clips_ND).float()))
    card = {
        "what": f"feature backlot_encoding, array set_D, of {count} faultless clips: what generated sets are compared "
        "with",
        "data": f"Backlot scenes with seeds {FIRST_REFERENCE_SEED} to {FIRST_REFERENCE_SEED + count - 1}, of which no "
        "suite, reference clip or training has any; subjects and settings in the suites' shares; 32 frames at 8 fps, "
        "64 pixels, undamaged",
        "mean": [round(float(value), 4) for value in set_NP.mean(dim=0)],
        "spread": [round(float(value), 4) for value in set_NP.std(dim=0)],
    }
    save_weights(path, {"set_NP": set_NP.float()}, Header(SET, SET_PRESET, needs=encoder_sha256), card)
    assert set_NP.shape == (count, COMPONENTS)


def table(found: Figures) -> str:
    """The figures as lines of text."""
    lines = [f"{'R@1':22} {'clip→text':>9} {'text→clip':>9} {'flat':>6} {'':>6}"]
    for style, one in found.held_out.items():
        flat = found.flat[style]
        lines.append(
            f"{style:22} {one.clip_to_text:9.4f} {one.text_to_clip:9.4f} {flat.clip_to_text:6.3f} "
            f"{flat.text_to_clip:6.3f}"
        )
    lines.append(f"{'changed':22} {'text':>9} {'clip':>9} {'pairs':>6}")
    for factor, told_apart in {**found.changed, "all": found.usual, "evenly": found.evenly}.items():
        lines.append(f"{factor:22} {told_apart.text:9.4f} {told_apart.clip:9.4f} {told_apart.counted:6}")
    return "\n".join(lines)


def _halve(encoder: Encoder) -> None:
    """Round every weight to half precision, so that what is measured is what is shipped."""
    with torch.no_grad():
        for tensor in (*encoder.parameters(), *encoder.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())


def _seeds(split: Split, count: int) -> str:
    return f"{FIRST_SEED[split]} to {FIRST_SEED[split] + count - 1}"


def _rounded(figure: Recall | Told) -> dict[str, float | int]:
    return {name: round(value, 4) for name, value in asdict(figure).items()}
