"""What an AUC is to be held against: floors, ceilings, and generators that were not learnt from.

Shape legend: N windows, F fakes, M reals, A deals, B draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from eval.clip import Clip
from eval.sets.crossfit import DEALS, Auc, CrossFit, Flags, Samples, cross_fit, deal, interval, measure_auc, resampled
from eval.sets.logistic import Trainer
from safety.deepfake.observe import Observed
from safety.deepfake.table import ALL, TraceTable, make_table


@dataclass(frozen=True, slots=True)
class Control:
    """One comparison that is not the question itself. auc: None where it could not be made, and reason says why."""

    name: str
    about: str
    auc: Auc | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far fake against real is above real against real, with its interval."""

    value: float
    low: float
    high: float


def real_floor(table: TraceTable, seed: int, confidence: float) -> tuple[Control, Samples | None]:
    """The pair of real sets that is told apart best, and its samples: what two sources of real clips differ by."""
    name, about = "real against real", "two sources of real clips: what is no trace of generation"
    real = table.only(~table.is_fake)
    sets = sorted(set(real.sets.tolist()))
    if len(sets) < 2:
        return Control(name, about, None, "no floor: give a second --real, of another source"), None
    found = []
    for one, other in combinations(sets, 2):
        pair = real.only(np.isin(real.sets, [one, other]))
        samples = Samples(pair.values(), pair.sets == one, pair.groups)
        if samples.folds >= 2:
            found.append((measure_auc(samples, seed, confidence=confidence), f"{one} against {other}", samples))
    if not found:
        return Control(name, about, None, "no floor: each --real needs two clips at least"), None
    auc, pair_name, samples = max(found, key=lambda item: item[0].value)
    return Control(name, f"{about}: {pair_name}", auc), samples


FEWEST_PROMPTS = 5
"""With several seeds, below which whole prompts are dealt to the halves instead."""


def same_generator_floor(table: TraceTable, seed: int, confidence: float) -> Control:
    """Fakes of even against odd seeds of the same prompts, or, with one seed, of one half of the prompts against the
    other. It must come out at a half: anything above is a leak.
    """
    name = "a generator against itself"
    fake = table.only(table.is_fake)
    if not len(fake.clip_N):
        return Control(name, "", None, "no generated clips")
    largest = max(sorted(set(fake.sets.tolist())), key=lambda one: int((fake.sets == one).sum()))
    fake = fake.only(fake.sets == largest)
    seeds = sorted(set(fake.seeds.tolist()))
    first_N = np.isin(fake.seeds, seeds[::2])
    paired = np.intersect1d(fake.groups[first_N], fake.groups[~first_N])
    if len(paired) >= FEWEST_PROMPTS:
        own_N = np.isin(fake.groups, paired)
        how, halves = "clips of every other seed of the same prompts", [_halved(fake.only(own_N), first_N[own_N])]
    else:
        how, halves = (
            f"one half of the prompts or files (the middle of {HALVINGS} draws)",
            list(_random_halves(fake, seed)),
        )
    about = f"{largest}: {how} against the others; must be 0.5"
    if min(samples.folds for samples in halves) < 2:
        return Control(name, about, None, "too few clips to halve: two groups are needed in each half")
    by_auc = sorted(halves, key=lambda samples: cross_fit(samples, seed, deals=2).auc)
    return Control(name, about, measure_auc(by_auc[len(by_auc) // 2], seed, confidence=confidence))


HALVINGS = 7


def _random_halves(fake: TraceTable, seed: int) -> Iterator[Samples]:
    generator = np.random.default_rng([seed, 4])
    for _ in range(HALVINGS):
        groups = generator.permutation(np.unique(fake.groups))
        yield _halved(fake, np.isin(fake.groups, groups[::2]))


def _halved(fake: TraceTable, first_N: Flags) -> Samples:
    return Samples(fake.values(), first_N, fake.groups)


def margin(audit: Samples, floor: Samples, seed: int, confidence: float) -> Margin:
    """Fake against real less real against real. Both are resampled by group, independently: wider than need be where
    they share real clips.
    """
    fitted, held = cross_fit(audit, seed), cross_fit(floor, seed)
    value = fitted.auc - held.auc
    reach = [
        interval(one.auc, one.auc_draws(resampled(one.samples, seed + place)), one.samples, confidence)
        for place, one in enumerate((fitted, held))
    ]
    below = float(np.hypot(fitted.auc - reach[0][0], reach[1][1] - held.auc))
    above = float(np.hypot(reach[0][1] - fitted.auc, held.auc - reach[1][0]))
    return Margin(value, value - below, value + above)


FAULTS = ("checkerboard", "frozen")
FAULT_ABOUT = {
    "checkerboard": "real clips with a faint checkerboard (4 of 255 steps) against themselves; should be near 1",
    "frozen": "real clips held at their middle frame for the second half against themselves; should be near 1",
}
BOARD_STEPS = 4


def plant(fault: str, clip: Clip) -> Clip:
    """A fault that generators are known for, before the clip is encoded."""
    frames_TCHW = clip.frames_TCHW
    if fault == "checkerboard":
        board_HW = BOARD_STEPS * (2 * (np.indices(frames_TCHW.shape[2:]).sum(axis=0) % 2) - 1)
        changed_TCHW = np.clip(frames_TCHW.astype(np.int16) + board_HW, 0, 255).astype(np.uint8)
    else:
        assert fault == "frozen", fault
        middle = len(frames_TCHW) // 2
        changed_TCHW = frames_TCHW.copy()
        changed_TCHW[middle:] = frames_TCHW[middle]
    return Clip(changed_TCHW, clip.fps, clip.audio_CN, clip.rate_hz)


def ceiling(fault: str, plain: Sequence[Observed], faulty: Sequence[Observed], seed: int, confidence: float) -> Control:
    """Real clips with a planted fault against the same clips without: can this method see anything at all here?"""
    name, about = f"planted: {fault}", FAULT_ABOUT[fault]
    both = [(False, one) for one in plain if one.windows] + [(True, one) for one in faulty if one.windows]
    table = make_table([one for _, one in both])
    fault_N = np.array([is_faulty for is_faulty, _ in both], np.bool_)[table.clip_N] if both else np.zeros(0, np.bool_)
    samples = Samples(table.values() if both else np.zeros((0, 1)), fault_N, table.groups if both else table.clip_N)
    if samples.folds < 2:
        return Control(name, about, None, "too few real clips: two at least")
    return Control(name, about, measure_auc(samples, seed, confidence=confidence))


def leave_one_out(table: TraceTable, seed: int, confidence: float) -> tuple[Control, ...]:
    """Each generator against the reals, by classifiers that learnt from the other generators alone."""
    fake_sets = sorted(set(table.sets[table.is_fake].tolist()))
    if len(fake_sets) < 2:
        return ()
    found = []
    for left in fake_sets:
        about = f"{left} against real clips, learnt from {', '.join(one for one in fake_sets if one != left)}"
        tested_N = (table.sets == left) | ~table.is_fake
        fitted = _between(table, table.sets != left, tested_N, seed)
        if fitted is None:
            found.append(Control(f"without {left}", about, None, "too few clips: two groups of each are needed"))
            continue
        low, high = interval(fitted.auc, fitted.auc_draws(resampled(fitted.samples, seed)), fitted.samples, confidence)
        found.append(Control(f"without {left}", about, Auc(fitted.auc, low, high, *fitted.samples.groups)))
    return tuple(found)


def _between(
    table: TraceTable,
    learn_N: np.ndarray[tuple[int], np.dtype[np.bool_]],
    tested_N: np.ndarray[tuple[int], np.dtype[np.bool_]],
    seed: int,
) -> CrossFit | None:
    """Scores of the tested windows by classifiers of the others that share no group with the tested fold."""
    whole, tested = table.samples(ALL), table.samples(ALL).only(tested_N)
    if tested.folds < 2:
        return None
    generator = np.random.default_rng([seed, 5])
    folds, scores = [], []
    for _ in range(DEALS):
        fold_N = deal(tested, generator)
        score_N = np.empty(len(fold_N))
        for fold in np.unique(fold_N):
            own_N = fold_N == fold
            train = whole.only(learn_N & ~np.isin(whole.group_N, tested.group_N[own_N]))
            if not 0 < train.fake_N.sum() < len(train.fake_N):
                return None
            score_N[own_N] = Trainer(train.values_ND).fit(train.fake_N).probability(tested.values_ND[own_N])
        folds.append(fold_N)
        scores.append(score_N)
    return CrossFit(tested, np.stack(scores), np.stack(folds))
