"""Attacks on marks that take a generative model: what is rebuilt by one need not keep what it does not notice.

tae-roundtrip   through the Temporal Autoencoder and back, so many times
noise-latents   once through it, with noise on the latents
regenerate      noise up to a point of the flow, then the video model's own way back to a clip, without a prompt

Importing this module adds them to the attacks there are (safety.watermark.attacks). They take clips of any size: the
autoencoder any at all, the video model windows of the size it was trained on, which overlap and fade into each other.

Shape legend: C channels, T frames or latents in time, H height, W width; N windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from eval.clip import Clip
from safety.watermark.attacks.attack import ATTACKS, Attack, AttackError

if TYPE_CHECKING:
    from torch import Tensor

    from moviegen.generate import Reference

MULTIPLE = 8
"""Pixels that the autoencoder's frames come in, each way."""

STEPS = 20
"""Even steps of the flow from noise to data; a way back from part of it takes its share of them."""

OVERLAP = 2
"""Latents that neighbouring windows share."""

_MODELS = "the reference model (moviegen/README.md); after WAVES (arXiv 2401.08573)"


def round_trips(clip: Clip, times: float, _rng: np.random.Generator) -> Clip:
    """Through the autoencoder `times` times, as 8-bit frames in between."""
    for _ in range(round(times)):
        clip = _rebuilt(clip, lambda _reference, latents_CTHW: latents_CTHW)
    return clip


def noisy_latents(clip: Clip, deviation: float, rng: np.random.Generator) -> Clip:
    """Through the autoencoder once, with normal noise added to its normalised latents (0.4 RMS over all channels)."""

    def disturbed(_reference: Reference, latents_CTHW: Tensor) -> Tensor:
        return latents_CTHW + deviation * _noise(latents_CTHW, rng)

    return _rebuilt(clip, disturbed)


def regenerated(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """Noise to time t = 1 - strength of the flow, then back without a prompt. strength: from 0, nothing but the
    autoencoder, towards 1, a clip of the model's own.

    Channels that the video model does not make get the same noise and the best linear guess of what was below it.
    Raises AttackError for a strength that is not from 0 to less than 1.
    """
    if not 0 <= strength < 1:
        raise AttackError(f"regenerate: strength is from 0 to less than 1; got {strength:g}")

    def renewed(reference: Reference, latents_CTHW: Tensor) -> Tensor:
        import torch

        from moviegen.flow import interpolate

        if strength == 0:
            return latents_CTHW
        t = 1 - strength
        noisy_CTHW = interpolate(latents_CTHW, _noise(latents_CTHW, rng), torch.tensor([t]))
        made, variance_C = reference.preset.latent_channels, latents_CTHW.square().mean(dim=(1, 2, 3))
        return torch.cat(
            [_denoised(reference, noisy_CTHW[:made], t), _guessed(noisy_CTHW[made:], variance_C[made:], t)]
        )

    return _rebuilt(clip, renewed)


def _rebuilt(clip: Clip, change: Callable[[Reference, Tensor], Tensor]) -> Clip:
    """The clip from its latents after `change`; sound as it was. Sizes between multiples are padded, then cut."""
    import torch
    from torch.nn import functional

    from moviegen.generate import load_reference
    from moviegen.networks.tae_tiling import decode_tiled, encode_tiled

    reference = load_reference()
    count, _, height, width = clip.frames_TCHW.shape
    with torch.inference_mode():
        frames_TCHW = torch.from_numpy(np.ascontiguousarray(clip.frames_TCHW)).float() / 127.5 - 1
        spare = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        padded_CTHW = functional.pad(frames_TCHW, spare, mode="replicate").transpose(0, 1)
        latents_CTHW = change(reference, encode_tiled(reference.tae, padded_CTHW[None])[0])
        rebuilt_CTHW = decode_tiled(reference.tae, latents_CTHW[None], count)[0, :, :, :height, :width]
        bytes_TCHW = ((rebuilt_CTHW + 1) * 127.5).round().clamp(0, 255).byte().transpose(0, 1).contiguous()
    return Clip(bytes_TCHW.numpy(), clip.fps, clip.audio_CN, clip.rate_hz)


def _noise(like_CTHW: Tensor, rng: np.random.Generator) -> Tensor:
    import torch

    return torch.from_numpy(rng.standard_normal(tuple(like_CTHW.shape), dtype=np.float32))


def _guessed(noisy_CTHW: Tensor, variance_C: Tensor, t: float) -> Tensor:
    """The best linear guess of data of known variance below noise: what is left where a model has nothing to say."""
    known_C111 = variance_C[:, None, None, None]
    return t * known_C111 / (t**2 * known_C111 + (1 - t) ** 2) * noisy_CTHW


def _denoised(reference: Reference, noisy_CTHW: Tensor, t: float) -> Tensor:
    """From time t to data, window by window; where windows overlap one fades into the next."""
    import torch

    form = reference.preset.form
    _, *sizes = noisy_CTHW.shape
    window = reference.preset.latent_size(form.frames, form.height, form.width)
    total_CTHW, weight_THW = torch.zeros_like(noisy_CTHW), torch.zeros(sizes)
    for place in product(*(_spans(size, side, OVERLAP) for size, side in zip(sizes, window, strict=True))):
        share_THW = torch.ones(())
        for span in place:
            share_THW = share_THW[..., None] * _fading(span.stop - span.start)
        total_CTHW[:, *place] += share_THW * _carried(reference, noisy_CTHW[:, *place], t)
        weight_THW[place] += share_THW
    return total_CTHW / weight_THW


def _spans(size: int, window: int, overlap: int) -> Iterator[slice]:
    """Windows along one side: the last ends where the side ends."""
    start = 0
    while start + window < size:
        yield slice(start, start + window)
        start += window - overlap
    yield slice(max(0, size - window), size)


def _fading(length: int) -> Tensor:
    """Weights along a side of a window, rising over the overlap and falling again."""
    import torch

    rise = torch.arange(1, length + 1).clamp(max=OVERLAP + 1)
    return torch.minimum(rise, rise.flip(0)).float()


def _carried(reference: Reference, noisy_CTHW: Tensor, t: float) -> Tensor:
    """Euler's method from time t to 1 under the empty prompt."""
    import torch
    from torch.nn import functional

    model, fps = reference.model, reference.preset.form.fps
    height, width = noisy_CTHW.shape[2:]
    even = (0, width % 2, 0, height % 2)  # the transformer takes latents two by two
    x = functional.pad(noisy_CTHW, even, mode="replicate")[None]
    condition = model.condition([""], fps)
    times = np.linspace(t, 1, max(1, round(STEPS * (1 - t))) + 1)
    for start, end in pairwise(times.tolist()):
        x = x + (end - start) * model(x, torch.full((1,), start), condition)
    return x[0, :, :, :height, :width]


ATTACKS.add(
    "tae-roundtrip",
    Attack(
        "tae-roundtrip",
        "removal",
        "passes",
        (1, 2, 4, 8),
        "through the Temporal Autoencoder and back",
        frozenset(("picture",)),
        round_trips,
        identity=0,
        source=_MODELS,
    ),
)
ATTACKS.add(
    "noise-latents",
    Attack(
        "noise-latents",
        "removal",
        "deviations of noise",
        (0.05, 0.1, 0.2, 0.4),
        "noise on the Temporal Autoencoder's latents",
        frozenset(("picture",)),
        noisy_latents,
        source=_MODELS,
        random=True,
    ),
)
ATTACKS.add(
    "regenerate",
    Attack(
        "regenerate",
        "removal",
        "share of the way to noise",
        (0.1, 0.2, 0.3, 0.5, 0.7),
        "noise, then the video model's way back without a prompt",
        frozenset(("picture",)),
        regenerated,
        source=_MODELS,
        random=True,
    ),
)
