"""Which received frame is which frame as made: every shift, and clips that were cut and joined.

A latent frame holds `step` frames, so votes only count where the clip's latent frames begin where those as made begin.
Hence `step` readings of a clip, the p-th with p copies of its first frame put in front: a shift of s frames (received
frame r is frame r + s as made) is met by the reading p = s mod step, its latent frame j being j + s // step as made.

What a search may find by chance is paid for: by the number of shifts, or of all ways to cut a clip so often.

Shape legend: N nonces, S shifts, T latent frames as made, J as received, K bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from moviegen.latent_mark.votes import Floats, Votes, corrected, log_p

MOST_CUTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A nonce and an alignment. shifts_T: the shift at each latent frame as made; None where no frame was received.

    log_p: of the votes along it, corrected for all that were tried. sums_K: the votes, positive for 1, and squares_K
    their variances by chance.
    """

    log_p: float
    nonce: int
    shifts_T: tuple[int | None, ...]
    sums_K: Floats
    squares_K: Floats


def straight(readings: Mapping[int, Votes], step: int, share: float, tries: int = 1) -> Match:
    """The best single shift for the best nonce. readings: votes by the frames put in front, 0 to step - 1.

    share: of the admissible error; tries: how many searches like this one have that share together.
    """
    sums_NSTK, squares_STK, shifts = _by_shift(readings, step)
    found_NS = log_p(sums_NSTK.sum(axis=2), squares_STK.sum(axis=1))
    nonce, at = np.unravel_index(np.argmin(found_NS), found_NS.shape)
    received_T = squares_STK[at].sum(axis=1) > 0
    return Match(
        corrected(float(found_NS[nonce, at]), found_NS.size * tries, share),
        int(nonce),
        tuple(shifts[at] if here else None for here in received_T.tolist()),
        sums_NSTK[nonce, at].sum(axis=0),
        squares_STK[at].sum(axis=0),
    )


def cut(readings: Mapping[int, Votes], step: int, share: float, tries: int = 1) -> Match:
    """The best nonce for the clip in pieces, each with a shift of its own: 1 to MOST_CUTS cuts, with equal shares.

    For each number of cuts, the pieces are those of the strongest frames, one by one (dynamic programming), and the
    votes along them are corrected for all the ways there are.
    Clips of one latent frame cannot be cut: p = 1.
    """
    sums_NSTK, squares_STK, shifts = _by_shift(readings, step)
    frames = squares_STK.shape[1]
    most = min(MOST_CUTS, frames - 1)
    nothing = np.zeros(sums_NSTK.shape[-1])
    best = Match(0.0, 0, (None,) * frames, nothing, nothing)
    for nonce, sums_STK in enumerate(sums_NSTK):
        evidence_ST = -log_p(sums_STK, squares_STK)
        for cuts, path_T in enumerate(_strongest_paths(evidence_ST, most), start=1):
            along = (path_T, np.arange(frames))
            sums_K, squares_K = sums_STK[along].sum(axis=0), squares_STK[along].sum(axis=0)
            ways = comb(frames - 1, cuts) * float(len(shifts)) ** (cuts + 1) * len(sums_NSTK)
            found = corrected(float(log_p(sums_K, squares_K)), ways * tries, share / most)
            if found < best.log_p:
                received_T = squares_STK[along].sum(axis=1) > 0
                kept = tuple(shifts[s] if here else None for s, here in zip(path_T, received_T, strict=True))
                best = Match(found, nonce, kept, sums_K, squares_K)
    return best


def _by_shift(readings: Mapping[int, Votes], step: int) -> tuple[Floats, Floats, list[int]]:
    """Votes (N, S, T, K) and their squares (S, T, K) for each shift at which a frame at least is shared."""
    sums, squares, shifts = [], [], []
    for front, votes in readings.items():
        nonces, received, frames, bits = votes.sums_NJTK.shape
        for later in range(1 - received, frames):
            at_T = np.arange(max(0, later), min(frames, received + later))
            sums_NTK, squares_TK = np.zeros((nonces, frames, bits)), np.zeros((frames, bits))
            sums_NTK[:, at_T] = votes.sums_NJTK[:, at_T - later, at_T]
            squares_TK[at_T] = votes.squares_JTK[at_T - later, at_T]
            sums.append(sums_NTK)
            squares.append(squares_TK)
            shifts.append(step * later + front)
    return np.stack(sums, axis=1), np.stack(squares), shifts


def _strongest_paths(evidence_ST: Floats, most_cuts: int) -> list[npt.NDArray[np.int64]]:
    """For 1 to most_cuts cuts: the number of the shift at each frame (T,), with the most evidence in all."""
    shifts, frames = evidence_ST.shape
    total_CS = np.full((most_cuts + 1, shifts), -np.inf)
    total_CS[0] = evidence_ST[:, 0]
    from_TCS = np.empty((frames, most_cuts + 1, shifts), np.int64)
    cut_TCS = np.zeros((frames, most_cuts + 1, shifts), bool)
    for t in range(1, frames):
        cut_CS = np.full_like(total_CS, -np.inf)
        cut_CS[1:] = total_CS.max(axis=1)[:-1, None]
        cut_TCS[t] = cut_CS > total_CS
        from_TCS[t] = np.where(cut_TCS[t], np.roll(total_CS.argmax(axis=1), 1)[:, None], np.arange(shifts))
        total_CS = np.maximum(cut_CS, total_CS) + evidence_ST[:, t]
    return [_traced(from_TCS, cut_TCS, cuts, int(total_CS[cuts].argmax())) for cuts in range(1, most_cuts + 1)]


def _traced(
    from_TCS: npt.NDArray[np.int64], cut_TCS: npt.NDArray[np.bool_], cuts: int, shift: int
) -> npt.NDArray[np.int64]:
    """The path that ends at `shift`, from its end to its beginning and turned round."""
    path = [shift]
    for t in range(len(from_TCS) - 1, 0, -1):
        here, shift = shift, int(from_TCS[t, cuts, shift])
        cuts -= int(cut_TCS[t, cuts, here])
        path.append(shift)
    return np.array(path[::-1])
