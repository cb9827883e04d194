"""Clips carried back to their noise, in the ways in which a stranger may have passed them on.

Shape legend: B clips, V ways, T frames, C channels, J received latent frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from eval.clip import Clip
from eval.marks.mark import MarkError
from moviegen.generate import Form, Reference
from moviegen.inversion import Inversion, invert_latents
from moviegen.latent_mark.votes import Floats
from moviegen.networks.tae_tiling import encode_tiled

MOST_FRAMES = 1024
"""Of a clip that is read: a search over shifts costs as much as the clip is long."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a clip is looked at. front: copies of its first frame put in front of it.

    backwards: from its last frame to its first. fitted: stretched or squeezed to the number of frames as made, for
    clips that were sped up, slowed down or thinned.
    """

    front: int = 0
    mirrored: bool = False
    backwards: bool = False
    fitted: bool = False


def frame_order(received: int, fps: float, form: Form, way: Way) -> npt.NDArray[np.int64]:
    """Which received frame each frame is that is read: at the rate as made, or as many as made where fitted."""
    wanted = form.frames if way.fitted else max(1, round(received * form.fps / fps))
    at = (np.arange(wanted) + 0.5) * received / wanted
    shown = at.astype(np.int64)[:: -1 if way.backwards else 1]
    return np.concatenate([np.repeat(shown[:1], way.front), shown])


def check_length(clip: Clip, form: Form) -> None:
    """Raises MarkError for a clip without frames or of more than MOST_FRAMES."""
    frames = len(clip.frames_TCHW)
    if not 1 <= round(frames * max(1.0, form.fps / clip.fps)) <= MOST_FRAMES:
        raise MarkError(
            f"a clip of {frames} frames at {clip.fps:g} per second cannot be searched for the latent mark: "
            f"cut it to at most {MOST_FRAMES} frames at {form.fps:g}"
        )


@torch.inference_mode()
def noise_of(
    reference: Reference, clip: Clip, form: Form, ways: Sequence[Way], prompt: str, inversion: Inversion | None = None
) -> list[Floats]:
    """The noise (C, J, H, W) of a clip, looked at in each way. prompt: as the model read it, or "" where unknown.

    The clip is brought to the size and rate of `form`; whatever its length, it is carried back in pieces as long as
    `form` is.
    """
    frames_TCHW = _resized(reference, clip, form)
    found: dict[Way, Floats] = {}
    by_length: dict[int, list[Way]] = {}
    orders = {way: frame_order(len(clip.frames_TCHW), clip.fps, form, way) for way in ways}
    for way in ways:
        by_length.setdefault(len(orders[way]), []).append(way)
    for alike in by_length.values():
        frames_VCTHW = torch.stack([_seen(frames_TCHW, orders[way], way) for way in alike])
        latents_VCJHW = encode_tiled(reference.tae, frames_VCTHW)[:, : reference.preset.latent_channels]
        noise_VCJHW = _inverted(reference, latents_VCJHW, form, prompt, inversion)
        found |= dict(zip(alike, noise_VCJHW.double().cpu().numpy(), strict=True))
    return [found[way] for way in ways]


def _resized(reference: Reference, clip: Clip, form: Form) -> Tensor:
    """Frames (T, C, H, W) in [-1, 1], of the size of `form`, on the model's device."""
    device = next(reference.tae.parameters()).device
    frames_TCHW = torch.from_numpy(np.ascontiguousarray(clip.frames_TCHW)).to(device).float() / 127.5 - 1
    if frames_TCHW.shape[2:] == (form.height, form.width):
        return frames_TCHW
    return functional.interpolate(frames_TCHW, (form.height, form.width), mode="bicubic", antialias=True).clamp(-1, 1)


def _seen(frames_TCHW: Tensor, order: npt.NDArray[np.int64], way: Way) -> Tensor:
    ordered_CTHW = frames_TCHW[torch.from_numpy(order).to(frames_TCHW.device)].transpose(0, 1)
    return ordered_CTHW.flip(3) if way.mirrored else ordered_CTHW


def _inverted(
    reference: Reference, latents_VCJHW: Tensor, form: Form, prompt: str, inversion: Inversion | None
) -> Tensor:
    pieces = torch.split(latents_VCJHW, reference.tae.config.latent_frames(form.frames), dim=2)
    prompts = [prompt] * len(latents_VCJHW)
    return torch.cat([invert_latents(reference.model, prompts, form.fps, piece, inversion) for piece in pieces], dim=2)
