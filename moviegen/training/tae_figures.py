"""How well an autoencoder brings clips back: `python -m moviegen.training.tae_figures [WEIGHTS] [--clips FILE ...]`.

Shape legend: B clips, C channels, T frames, H height, W width.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from eval.clip import ClipError, Window
from eval.video import open_clip
from eval.weights import WeightsError
from moviegen.networks.tae import TAE
from moviegen.networks.tae_tiling import decode_tiled, encode_tiled
from moviegen.training.tae import fidelity
from moviegen.training.tae_data import backlot_clip, held_out_clips, to_bytes, to_unit
from moviegen.training.tae_linear import linear_round_trip
from moviegen.weights.tae import load_tae


def footage(path: Path, size: int, frames: int) -> Tensor:
    """The first `frames` frames of a file, uint8 1,C,T,H,W: the shorter side at `size`, both in multiples of 8.

    Raises ClipError for a file that cannot be read.
    """
    taken: list[Tensor] = []
    for part in open_clip(path).stream(sound=False):
        if isinstance(part, Window):
            taken += [_fitted(frame_CHW, size) for frame_CHW in part.frames_TCHW[: frames - len(taken)]]
        if len(taken) >= frames:
            break
    return torch.stack(taken, dim=1)[None]


def _fitted(frame_CHW: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], size: int) -> Tensor:
    height, width = frame_CHW.shape[1:]
    scale = size / min(height, width)
    shape = (round(width * scale), round(height * scale))
    small_HWC = cv2.resize(np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)), shape, interpolation=cv2.INTER_AREA)
    whole_HWC = small_HWC[: shape[1] // 8 * 8, : shape[0] // 8 * 8]
    return torch.from_numpy(np.ascontiguousarray(whole_HWC.transpose(2, 0, 1)))


@torch.no_grad()
def tiled_fidelity(tae: TAE, clips_BCTHW: Tensor) -> dict[str, float]:
    """PSNR in dB and SSIM after encoding and decoding in tiles, as long clips are."""
    latents = encode_tiled(tae, to_unit(clips_BCTHW))
    return fidelity(to_bytes(decode_tiled(tae, latents, clips_BCTHW.shape[2])), clips_BCTHW)


def figures(
    tae: TAE, clips: list[Path], held_out: int, size: int, frames: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """A name and its figures: the held-out Backlot clips together, then each file."""
    each = [tiled_fidelity(tae, clip[None]) for clip in held_out_clips(held_out, 64)]
    names = list(each[0]) if each else []
    yield f"Backlot, {held_out} held out", {name: float(np.mean([one[name] for one in each])) for name in names}
    for path in clips:
        yield path.name, tiled_fidelity(tae, footage(path, size, frames))


def linear(tae: TAE, held_out: int, training: int = 200) -> dict[str, float]:
    """Fidelity of the principal components of as many numbers per block as the latents have, on the held-out clips."""
    known = torch.stack([backlot_clip(seed, 64) for seed in range(training)])
    clips = torch.stack(held_out_clips(held_out, 64))
    return fidelity(to_bytes(linear_round_trip(tae.config, to_unit(known), to_unit(clips))), clips)


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m moviegen.training.tae_figures", description=main.__doc__)
    parser.add_argument("weights", type=Path, nargs="?", help="a safetensors file (default: the shipped one)")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="files to measure on, too")
    parser.add_argument("--held-out", type=int, default=24, help="how many held-out Backlot clips")
    parser.add_argument("--size", type=int, default=256, help="the shorter side of files, in pixels")
    parser.add_argument("--frames", type=int, default=48, help="the first frames of a file")
    parser.add_argument("--linear", action="store_true", help="also what principal components of that number give")
    given = parser.parse_args(arguments)
    try:
        tae = load_tae(given.weights)
        for name, values in figures(tae, given.clips, given.held_out, given.size, given.frames):
            print(f"{name:32} PSNR {values['psnr']:6.2f} dB   SSIM {values['ssim']:.4f}", flush=True)
        if given.linear:
            values = linear(tae, given.held_out)
            name = "  the same, principal components"
            print(f"{name:32} PSNR {values['psnr']:6.2f} dB   SSIM {values['ssim']:.4f}", flush=True)
    except (WeightsError, ClipError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
