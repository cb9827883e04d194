"""Arithmetic that gives the same bits on every machine.

Libraries compute sin, exp and sums with whatever vector unit they find, so the last bit differs between
processors. The Backlot uses only single IEEE operations (+ - * / sqrt, rounding), which are defined exactly, and
tables made from them. No dot products, no reductions of floats.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Value = float | Floats
"""A number, or one number per frame (T,)."""

_TABLE = 1 << 16
_TAYLOR = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800)


def _sine_table() -> Floats:
    """One turn of sine in 65,536 steps, by the Taylor series on the first quarter (error under 1e-9)."""
    quarter = np.arange(_TABLE // 4 + 1) * (6.283185307179586 / _TABLE)
    square = quarter * quarter
    series = np.zeros_like(quarter)
    for coefficient in reversed(_TAYLOR):
        series = series * square + coefficient
    rise = series * quarter
    rise[-1] = 1.0
    half = np.concatenate([rise[:-1], rise[:0:-1]])
    return np.concatenate([half, -half])


_SINE = _sine_table()


@overload
def sine(turns: Floats) -> Floats: ...
@overload
def sine(turns: Value) -> Any: ...
def sine(turns: Value) -> Any:
    """sin(2*pi*turns), to 1/65,536 of a turn."""
    index = np.rint(np.asarray(turns) * _TABLE).astype(np.int64) & (_TABLE - 1)
    return _SINE[index]


@overload
def cosine(turns: Floats) -> Floats: ...
@overload
def cosine(turns: Value) -> Any: ...
def cosine(turns: Value) -> Any:
    """cos(2*pi*turns), to 1/65,536 of a turn."""
    return sine(np.asarray(turns) + 0.25)


_LN2 = 0.6931471805599453


def halving(x: Floats) -> Floats:
    """2**-x for x >= 0."""
    whole = np.floor(x)
    rest = (x - whole) * -_LN2
    series = np.zeros_like(rest)
    for k in range(12, 0, -1):
        series = (series + 1.0) * rest / k
    return np.ldexp(series + 1.0, -np.minimum(whole, 1000).astype(np.int64))


def fraction(x: Value) -> Any:
    """The part after the point, in [0, 1)."""
    return x - np.floor(x)


def triangle(x: Value) -> Any:
    """A triangle wave of period 1 from -1 (at 0) to 1 (at 0.5) and back."""
    return 1.0 - 4.0 * np.abs(fraction(x) - 0.5)


def smooth(x: Value) -> Any:
    """0 below 0, 1 above 1, with a smooth step between."""
    clipped = np.minimum(np.maximum(x, 0.0), 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def _digest(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest(), "little")


def draw(seed: int, purpose: str, low: float = 0.0, high: float = 1.0) -> float:
    """One number in [low, high) that depends on seed and purpose alone."""
    return low + (high - low) * ((_digest(seed, purpose) >> 11) * 2.0**-53)


@lru_cache(maxsize=256)
def _draws(seed: int, purpose: str, count: int) -> Floats:
    numbers = np.random.Generator(np.random.PCG64(_digest(seed, purpose))).random(count)
    numbers.setflags(write=False)
    return numbers


def draws(seed: int, purpose: str, count: int) -> Floats:
    """`count` numbers in [0, 1) that depend on seed and purpose alone; a longer list begins with a shorter one."""
    return _draws(seed, purpose, count)
