"""From a trained mark to shipped weights: measured on held-out and on unmarked clips, and the card says so."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eval.marks.keys import PUBLIC_KEY
from eval.marks.learned import LearnedMark
from eval.marks.learned.network import MarkNetwork
from eval.marks.learned.weights import BITS, header_of
from eval.weights import save_weights
from moviegen.backlot import render, sample_scene
from moviegen.training.mark_data import FIRST_SEED, FPS, SIDE, Frames, Material, make_material
from moviegen.training.mark_figures import (
    FALSE_ALARMS,
    SMALL_SIDE,
    SMALL_WEAR,
    WEAR,
    OnClip,
    Trial,
    false_alarms,
    negatives,
    summary,
    trials,
)

LIMITS = (
    "The pattern is the same in every frame and every clip of a key: who averages many marked clips, or has one marked "
    "flat clip, can copy the mark onto others or take it off. Under the public key anybody can write it. Rotation, "
    "perspective and crops that take another share of the width than of the height are not searched (but for crops of "
    "one of the two). Small crops, and crops that are then coded hard, are often lost."
)


def export(
    network: MarkNetwork,
    psnr_db: float,
    clips: Path,
    media: Path | None,
    output: Path,
    facts: Mapping[str, Any],
    held_out: int,
    negative: int,
    on_clip: OnClip = lambda: None,
) -> Path:
    """Write a trained mark (half precision), measure it as written, write its card, print the figures; the file.

    clips: the folder of training material. facts: what the card says of the run. held_out, negative: clips of the
    figures with and without a mark.
    """
    _halve(network)
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    save_weights(output, tensors, header_of(psnr_db), {})
    mark = LearnedMark(output)
    half = held_out // 2
    material = make_material(clips, "held-out", held_out - half, half, media)
    large = trials(mark, material, tuple(WEAR), SIDE, on_clip)
    small = trials(mark, material, SMALL_WEAR, SMALL_SIDE, on_clip)
    alarms = false_alarms(mark, negatives(negative, media, _scene), negative, on_clip)
    card = {
        "what": f"a mark of {BITS} bits in the picture: loudness of each wave, weights of the mask, filter, weights in "
        "reading; averaged weights, stored in half precision. Keys are not part of it",
        **_data(facts, material, media is not None),
        "columns": "bit_accuracy: of a random message under the public key, mean over clips; by kind of clip; worst: "
        f"of one clip; found: share with p_presence <= {FALSE_ALARMS:g}; asked: what the project set out for",
        "psnr_db": {"lowest": round(min(one.psnr_db for one in large), 2), "mean": round(_mean_psnr(large), 2)},
        "held_out_256": summary(large),
        "held_out_64": {"psnr_db_mean": round(_mean_psnr(small), 2), **summary(small)},
        "false_alarms": {"threshold_p": FALSE_ALARMS, "key": PUBLIC_KEY, **alarms},
        **facts,
        "hardware": f"{platform.machine()} CPU, {torch.get_num_threads()} threads, float32, torch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "limits": LIMITS,
    }
    save_weights(output, tensors, header_of(psnr_db), card)
    print(table(card))
    return output


def table(card: Mapping[str, Any]) -> str:
    """The figures as lines of text."""
    lines = [f"{'wear':26} {'bits':>7} {'worst':>7} {'found':>7} {'asked':>6}"]
    for side in ("256", "64"):
        for wear, row in card[f"held_out_{side}"].items():
            if isinstance(row, dict):
                asked = f"{row['asked']:6.2f}" if "asked" in row and side == "256" else ""
                name = wear if side == "256" else f"64 px: {wear}"
                lines.append(f"{name:26} {row['bit_accuracy']:7.4f} {row['worst']:7.4f} {row['found']:7.4f} {asked}")
    alarms = card["false_alarms"]
    lines.append(f"false alarms: {alarms['alarms']} of {alarms['clips']}, smallest p {alarms['smallest_p']:.2g}")
    lines.append(f"PSNR {card['psnr_db']['mean']} dB, lowest {card['psnr_db']['lowest']} dB")
    return "\n".join(lines)


def _data(facts: Mapping[str, Any], material: Material, filmed: bool) -> dict[str, str]:
    scenes = facts["settings"]["scenes"]
    backlot = sum(kind == "backlot" for kind in material.kinds)
    return {
        "data": f"Backlot scenes with seeds from {FIRST_SEED['train']} ({scenes}, every eighth a noise texture instead)"
        + (f", {facts['settings']['windows']} windows of footage" if filmed else ""),
        "held_out_data": f"{backlot} Backlot scenes with seeds from {FIRST_SEED['held-out']}"
        + (f", {len(material) - backlot} windows of other footage" if filmed else "")
        + f"; {SIDE} pixels, 32 frames",
        "negative_data": f"Backlot scenes with seeds from {FIRST_SEED['negative']} (64 and {SIDE} pixels, 8 frames)"
        + (", and as many windows of footage" if filmed else ""),
    }


def _scene(number: int) -> Frames:
    side = 64 if number % 4 else SIDE
    scene = sample_scene(FIRST_SEED["negative"] + number)
    return render(scene, width=side, height=side, fps=FPS, frames=8, sound=False).frames_TCHW


def _mean_psnr(found: list[Trial]) -> float:
    return float(np.mean([one.psnr_db for one in found]))


def _halve(network: MarkNetwork) -> None:
    """Round every weight to half precision, so that what is measured is what is shipped."""
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.copy_(tensor.half())
