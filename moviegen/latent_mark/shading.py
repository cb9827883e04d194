"""Gaussian shading: a message as the signs of a clip's initial noise, which stays standard normal.

Every latent frame carries the whole message: its places are dealt out evenly to the bits, the bits are enciphered with
a keystream, and the noise takes the sign that results and a magnitude of its own. Whoever lacks the key sees fair and
independent signs: the noise is exactly N(0, 1), and a marked clip is distributed as an unmarked one.

That holds as long as no keystream is used twice. Under one key and one nonce all clips share one pattern of signs: the
cosine of their noise is then 2/pi instead of 0, which anyone can find, average out or copy. Hence a fresh nonce for
each clip, which the owner keeps (registry.py).

Method: Gaussian Shading (arXiv 2404.04956), for video as in VideoShield (arXiv 2501.14195).

Shape legend: K bits of the message, R places of a bit in a latent frame, T latent frames, N nonces.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from torch import Tensor

from eval.marks.mark import Bits, MarkError

NONCE_BYTES = 12
_COUNTER = bytes(4)
_PURPOSE = b"moviegen latent mark"

Signs = npt.NDArray[np.int8]
"""-1 and 1."""


def fresh_nonce() -> bytes:
    """A number used once: of 96 random bits, so that a billion clips under one key collide with probability 1e-11."""
    return secrets.token_bytes(NONCE_BYTES)


def keystream_signs(key: int, nonce: bytes, shape: tuple[int, ...]) -> Signs:
    """Fair, independent signs that only the key and the nonce give: ChaCha20 (RFC 8439). key: any integer."""
    count = int(np.prod(shape))
    stream = _chacha20(_cipher_key(key), nonce, -(-count // 8))
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))[:count]
    return (1 - 2 * bits.astype(np.int8)).reshape(shape)


@lru_cache(maxsize=8)
def places(frames: int, per_frame: int, bits: int) -> npt.NDArray[np.int64]:
    """(T, K, R): where in each latent frame, flattened, the bits lie; R = per_frame // bits, the rest carries nothing.

    Dealt out as by shuffling, and differently in every frame, so that no bit has to live in dull places only. The same
    for everyone: the secret is the keystream. Raises MarkError where a frame holds fewer places than bits.
    """
    repeats = per_frame // bits
    if repeats == 0:
        raise MarkError(f"a latent frame of {per_frame} values cannot carry {bits} bits: make a larger clip")
    words = np.frombuffer(_chacha20(bytes(32), bytes(NONCE_BYTES), 8 * frames * per_frame), "<u8")
    order_TP = np.argsort(words.reshape(frames, per_frame), axis=1, kind="stable")
    return order_TP[:, : repeats * bits].reshape(frames, bits, repeats)


def shaded_noise(
    message_K: Bits, key: int, nonce: bytes, size: tuple[int, int, int, int], generator: torch.Generator
) -> Tensor:
    """Noise (C, T, H, W), float32, standard normal, whose signs carry the message. generator: of the magnitudes.

    z = F^-1((u + s) / 2) with F the normal distribution, u uniform in (0, 1) and s the enciphered bit, 0 or 1.
    Raises MarkError where the noise is too small for the message.
    """
    channels, frames, height, width = size
    per_frame = channels * height * width
    signs_TP = keystream_signs(key, nonce, (frames, per_frame))
    places_TKR = places(frames, per_frame, len(message_K))
    here_T11 = np.arange(frames)[:, None, None]
    signs_TP[here_T11, places_TKR] *= (2 * message_K.astype(np.int8) - 1)[:, None]
    # The magnitude is -F^-1(u / 2): symmetric in both signs, and finite for every u that is drawn.
    uniform_TP = 1 - torch.rand((frames, per_frame), generator=generator, dtype=torch.float64)
    noise_TP = torch.from_numpy(signs_TP) * -torch.special.ndtri(uniform_TP / 2)
    noise_CTHW: Tensor = noise_TP.reshape(frames, channels, height, width).transpose(0, 1).float().contiguous()
    return noise_CTHW


def placed_signs(key: int, nonces: Sequence[bytes], frames: int, per_frame: int, bits: int) -> Signs:
    """(N, T, K, R): the keystreams' signs at the places of each bit; a noise's sign times this is that of its bit."""
    places_TKR = places(frames, per_frame, bits)
    here_T11 = np.arange(frames)[:, None, None]
    return np.stack([keystream_signs(key, nonce, (frames, per_frame))[here_T11, places_TKR] for nonce in nonces])


@lru_cache(maxsize=8)
def _cipher_key(key: int) -> bytes:
    """32 bytes of any integer, bound to this purpose: the same integer may key other marks."""
    material = key.to_bytes(key.bit_length() // 8 + 1, "big", signed=True)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(material)


def _chacha20(key: bytes, nonce: bytes, length: int) -> bytes:
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes; got {len(nonce)}")
    return Cipher(ChaCha20(key, _COUNTER + nonce), mode=None).encryptor().update(bytes(length))
