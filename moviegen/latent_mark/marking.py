"""Making marked clips: the message goes into the noise that a clip starts from, so nothing is added to the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from eval.clip import Clip
from eval.marks.mark import Bits
from moviegen.generate import Form, LatentSize, Reference, as_text, generate_batch, seeded_generator
from moviegen.latent_mark.shading import fresh_nonce, shaded_noise
from moviegen.sampling import Sampler

BITS = 32
"""Of a message, unless told otherwise: 64 places for each bit in a latent frame of the shipped model."""


@dataclass(frozen=True, slots=True)
class MarkRecord:
    """What the owner keeps of a marked clip, to find its mark again: no message, and no key.

    prompt: as the model read it; empty where the owner does not keep prompts.
    """

    nonce: bytes
    form: Form
    prompt: str = ""


def generate_marked(
    reference: Reference,
    prompt: str,
    seed: int,
    form: Form,
    sampler: Sampler | None,
    message_K: Bits,
    key: int,
    *,
    nonce: bytes | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> tuple[Clip, MarkRecord]:
    """A clip of the prompt with the message in its noise, and the record by which it is found.

    The nonce is fresh unless given, and every nonce makes another clip of the same prompt and seed; no two clips may
    ever share one under the same key (shading.py says why).
    Raises MarkError where the form is too small for the message, and what generate_batch raises.
    """
    nonce = fresh_nonce() if nonce is None else nonce

    def draw(text: str, seed: int, size: LatentSize) -> torch.Tensor:
        magnitudes = seeded_generator(f"{seed}/{text}/".encode() + nonce)
        return shaded_noise(message_K, key, nonce, size, magnitudes)

    (clip,) = generate_batch(reference, [prompt], [seed], form, sampler, on_step, draw)
    return clip, MarkRecord(nonce, form, as_text(reference.preset, prompt))
