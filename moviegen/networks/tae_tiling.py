"""Long clips through the autoencoder in pieces of bounded memory, as published: 32 frames at a time.

Encoded without overlap; decoded with an overlap of 16 frames, in which one piece fades linearly into the next.

Shape legend: B clips, C channels, T frames (or latent frames), H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from moviegen.networks.tae import TAE

TILE_FRAMES = 32
OVERLAP_FRAMES = 16


def encode_tiled(tae: TAE, frames_BCTHW: Tensor, *, tile: int = TILE_FRAMES) -> Tensor:
    """As TAE.encode, `tile` frames at a time; equal to it for clips of at most `tile` frames.

    Raises ValueError as TAE.encode does, or unless `tile` is a multiple of the temporal factor.
    """
    _check_multiple("tile", tile, tae)
    return torch.cat([tae.encode(part) for part in torch.split(frames_BCTHW, tile, dim=2)], dim=2)


def decode_tiled(
    tae: TAE,
    latents_BCTHW: Tensor,
    frames: int | None = None,
    *,
    tile: int = TILE_FRAMES,
    overlap: int = OVERLAP_FRAMES,
) -> Tensor:
    """As TAE.decode, `tile` frames at a time; equal to it for clips of at most `tile` frames.

    Raises ValueError as TAE.decode does, or unless `tile` and `overlap` are multiples of the temporal factor and
    `overlap` is at most half of `tile`.
    """
    parts = list(decoded_parts(tae, latents_BCTHW, frames, tile=tile, overlap=overlap))
    return torch.cat(parts, dim=2)


def decoded_parts(
    tae: TAE,
    latents_BCTHW: Tensor,
    frames: int | None = None,
    *,
    tile: int = TILE_FRAMES,
    overlap: int = OVERLAP_FRAMES,
) -> Iterator[Tensor]:
    """The frames of decode_tiled in order, in parts: a writer of files needs no more than two tiles in memory."""
    _check_multiple("tile", tile, tae)
    _check_multiple("overlap", overlap, tae)
    if overlap > tile // 2:
        raise ValueError(f"overlap must be at most half of tile ({tile // 2} frames); got {overlap}")
    factor = tae.config.temporal_factor
    have = latents_BCTHW.shape[2]
    wanted = have * factor if frames is None else frames
    tae.config.check_frames(have, wanted)
    kept: Tensor | None = None
    for start, stop in _tiles(have, tile // factor, overlap // factor):
        length = min(wanted, stop * factor) - start * factor
        part = tae.decode(latents_BCTHW[:, :, start:stop], length)
        if kept is not None:
            part = torch.cat([_faded(kept, part[:, :, : kept.shape[2]]), part[:, :, kept.shape[2] :]], dim=2)
        if stop == have:
            yield part
            return
        ready = length - overlap
        yield part[:, :, :ready]
        kept = part[:, :, ready:]


def _tiles(have: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Starts and stops of tiles over `have` latent frames; each begins `overlap` before the end of the one before."""
    start = 0
    while start + tile < have:
        yield start, start + tile
        start += tile - overlap
    yield start, have


def _faded(ending_BCTHW: Tensor, beginning_BCTHW: Tensor) -> Tensor:
    """From the one to the other, linearly; frame k of n has weight (k + 1/2)/n of the beginning."""
    length = ending_BCTHW.shape[2]
    weight_T = (torch.arange(length, device=ending_BCTHW.device, dtype=ending_BCTHW.dtype) + 0.5) / max(length, 1)
    return torch.lerp(ending_BCTHW, beginning_BCTHW, weight_T[:, None, None])


def _check_multiple(name: str, frames: int, tae: TAE) -> None:
    factor = tae.config.temporal_factor
    if frames % factor or frames < (factor if name == "tile" else 0):
        raise ValueError(f"{name} must be a multiple of {factor} frames for {tae.config.preset}; got {frames}")
