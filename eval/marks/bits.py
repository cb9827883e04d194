"""Messages of zeros and ones: drawing, writing, comparing, and what agreement by chance amounts to."""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.stats import binom

from eval.marks.mark import Bits, Detection, MarkError


def random_message(bits: int, seed: int) -> Bits:
    """`bits` fair coin flips, the same for the same seed (any integer)."""
    return np.random.default_rng(abs(seed) * 2 + (seed < 0)).integers(0, 2, bits, dtype=np.uint8)


def derived_message(bits: int, *facts: str) -> Bits:
    """The message that stands for these facts (model, prompt, seed): bits of their SHA-256.

    Who knows or guesses the facts can check it; it says nothing to others.
    """
    digests = b"".join(
        hashlib.sha256("\0".join((*facts, str(part))).encode()).digest() for part in range(-(-bits // 256))
    )
    return np.unpackbits(np.frombuffer(digests, np.uint8))[:bits].copy()


def matches(detection: Detection, message_K: Bits) -> int:
    """How many decoded bits agree with the message. Raises MarkError for a message of another length."""
    check_message(message_K, len(detection.bits_K))
    return int(np.count_nonzero(detection.bits_K == message_K))


def match_p_value(matches: int, bits: int, searched: int = 1) -> float:
    """Probability that one of `searched` tries agrees in `matches` bits or more by chance, at most 1.

    Exact for one try where the message is drawn at random for the trial, whatever the decoder does; for more tries a
    bound (Bonferroni). With one fixed message it needs a decoder whose bits are fair and independent.
    """
    if not (0 <= matches <= bits and bits > 0 and searched > 0):
        raise ValueError(f"matches must be 0 to bits, searched positive; got {matches} of {bits}, searched {searched}")
    return float(min(1.0, searched * binom.sf(matches - 1, bits, 0.5)))


def check_message(message_K: Bits, bits: int) -> None:
    """Raises MarkError unless the message is `bits` zeros and ones."""
    if message_K.shape != (bits,):
        raise MarkError(f"a message of {message_K.size} bits, but the mark carries {bits}: give {bits} bits")
    if message_K.dtype != np.uint8 or bool((message_K > 1).any()):
        raise MarkError("a message is zeros and ones in uint8: convert it first")


def message_text(message_K: Bits) -> str:
    """The message in hexadecimal, first bit first; what is missing to a multiple of four is zeros at the end."""
    padded = np.pad(message_K, (0, -len(message_K) % 4))
    return "".join(f"{digit:x}" for digit in padded.reshape(-1, 4) @ np.array([8, 4, 2, 1], dtype=np.uint8))


def parse_message(text: str, bits: int) -> Bits:
    """The message that `message_text` wrote. Raises MarkError for another length or other signs than 0-9, a-f."""
    digits = text.strip().lower().removeprefix("0x")
    wanted = -(-bits // 4)
    if len(digits) != wanted or not set(digits) <= set("0123456789abcdef"):
        raise MarkError(
            f"message {text!r}: {bits} bits are {wanted} hexadecimal digits, such as {'5a' * wanted:.{wanted}}"
        )
    unpacked = np.unpackbits(np.frombuffer(bytes.fromhex(digits.ljust(wanted + wanted % 2, "0")), np.uint8))
    if unpacked[bits:].any():
        raise MarkError(f"message {text!r}: holds more than {bits} bits: its last {-bits % 4} bits must be 0")
    return unpacked[:bits].copy()
