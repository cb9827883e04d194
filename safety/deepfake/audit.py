"""The audit: from observed clips to every figure of the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.sets.crossfit import PERMUTATIONS, Auc, Samples, cross_fit, interval, permutation_p, resampled
from eval.sets.logistic import Trainer
from safety.deepfake.canonical import Form
from safety.deepfake.controls import (
    Control,
    Margin,
    ceiling,
    leave_one_out,
    margin,
    real_floor,
    same_generator_floor,
)
from safety.deepfake.learning import CurvePoint, learning_curve
from safety.deepfake.nuisance import Nuisances, before_and_after
from safety.deepfake.observe import Observed
from safety.deepfake.operating import Operating, operating, roc
from safety.deepfake.table import ALL, Count, TraceTable, ledger, make_table
from safety.deepfake.verdict import Evidence, Verdict, conclude

Step = Callable[[str], None]
SHOWN_TRACES = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """seed: of folds, permutations and draws. permutations: for each p."""

    seed: int = 0
    confidence: float = 0.95
    permutations: int = PERMUTATIONS


@dataclass(frozen=True, slots=True)
class Trace:
    """A number that weighs much in the classifier of all blocks. weight: of the standardised number, positive where
    generated clips have more of it.
    """

    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The question itself. blocks: AUC with p of each block, and of all together. roc: (false alarms, found)."""

    blocks: Mapping[str, Auc]
    operating: Operating
    curve: tuple[CurvePoint, ...]
    traces: tuple[Trace, ...]
    roc: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class DeepfakeAudit:
    """Everything that a report shows. table, scores_N: the windows and their out-of-fold probability of fake."""

    fakes: tuple[str, ...]
    reals: tuple[str, ...]
    created: str
    form: Form
    settings: Settings
    ledger: tuple[Count, ...]
    verdict: Verdict
    before: Nuisances | None
    after: Nuisances | None
    measured: Measured | None
    floors: tuple[Control, ...]
    ceilings: tuple[Control, ...]
    margin: Margin | None
    left_out: tuple[Control, ...]
    marks: tuple[Control, ...]
    observed: tuple[Observed, ...] = field(repr=False)
    table: TraceTable = field(repr=False)
    scores_N: np.ndarray[tuple[int], np.dtype[np.float64]] | None = field(repr=False)

    @property
    def all_blocks(self) -> Auc | None:
        return None if self.measured is None else self.measured.blocks[ALL]


def run_audit(
    observed: Sequence[Observed],
    form: Form,
    settings: Settings,
    planted: Mapping[str, Sequence[Observed]],
    marks: Sequence[Control] = (),
    step: Step = lambda _: None,
) -> DeepfakeAudit:
    """Every figure. planted: fault → the real clips with that fault. Raises nothing for what clips are."""
    table = make_table(observed)
    seed, confidence = settings.seed, settings.confidence
    enough = len(table.clip_N) > 0 and table.samples().folds >= 2
    measured, scores_N, before, after = None, None, None, None
    if enough:
        step("nuisances")
        before, after = before_and_after(table, seed, confidence)
        measured, scores_N = measure(table, settings, step)
    step("floors and ceilings")
    if len(table.clip_N):
        floor, floor_samples = real_floor(table, seed, confidence)
        same = same_generator_floor(table, seed, confidence)
    else:
        nothing = "no clip could be measured"
        floor, floor_samples = Control("real against real", "", None, nothing), None
        same = Control("a generator against itself", "", None, nothing)
    plain = [one for one in observed if one.clip.side == "real"]
    ceilings = tuple(ceiling(fault, plain, faulty, seed, confidence) for fault, faulty in planted.items())
    above = None
    if measured is not None and floor_samples is not None:
        above = margin(table.samples(), floor_samples, seed, confidence)
    fakes, reals = table.samples().groups if len(table.clip_N) else (0, 0)
    evidence = Evidence(
        fakes, reals, measured.blocks[ALL] if measured else None, before, after, floor, same, ceilings, above,
        scales(table, form), paired(table),
    )  # fmt: skip
    sides = {one.clip.set: one.clip.side for one in observed}
    return DeepfakeAudit(
        fakes=tuple(name for name, side in sides.items() if side == "fake"),
        reals=tuple(name for name, side in sides.items() if side == "real"),
        created=f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        form=form,
        settings=settings,
        ledger=ledger(observed),
        verdict=conclude(evidence),
        before=before,
        after=after,
        measured=measured,
        floors=(floor, same),
        ceilings=ceilings,
        margin=above,
        left_out=leave_one_out(table, seed, confidence) if enough else (),
        marks=tuple(marks),
        observed=tuple(observed),
        table=table,
        scores_N=scores_N,
    )


def measure(
    table: TraceTable, settings: Settings, step: Step = lambda _: None
) -> tuple[Measured, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The question itself, and the out-of-fold probability of fake of every window."""
    blocks: dict[str, Auc] = {}
    for name in (*table.blocks, ALL):
        step(f"block {name}")
        blocks[name] = block_auc(table.samples(name), settings)
    whole = table.samples()
    scores_N = cross_fit(whole, settings.seed).mean_probability
    step("figures at a threshold")
    figures = operating(whole, scores_N, settings.seed, settings.confidence)
    step("learning curve")
    curve = learning_curve(whole, settings.seed)
    alarms, found, _ = roc(scores_N, whole.fake_N)
    points = tuple((round(float(x), 4), round(float(y), 4)) for x, y in zip(alarms, found, strict=True))
    return Measured(blocks, figures, curve, strongest(table), points), scores_N


def block_auc(samples: Samples, settings: Settings) -> Auc:
    """AUC with interval and p."""
    fitted = cross_fit(samples, settings.seed)
    draws_B = fitted.auc_draws(resampled(samples, settings.seed))
    low, high = interval(fitted.auc, draws_B, samples, settings.confidence)
    p = permutation_p(samples, settings.seed, settings.permutations)
    return Auc(fitted.auc, low, high, *samples.groups, p)


def strongest(table: TraceTable) -> tuple[Trace, ...]:
    """The numbers that weigh most in a classifier of all windows. It describes; nothing is concluded from it."""
    model = Trainer(table.values()).fit(table.is_fake)
    order = np.argsort(-np.abs(model.weights_D))[:SHOWN_TRACES]
    names = table.names()
    return tuple(Trace(names[place], float(model.weights_D[place])) for place in order)


def paired(table: TraceTable) -> bool:
    """Whether every prompt or source has clips on both sides."""
    sides = [set(table.groups[own_N].tolist()) for own_N in (table.is_fake, ~table.is_fake)]
    return bool(sides[0]) and sides[0] == sides[1]


def scales(table: TraceTable, form: Form) -> tuple[float, float]:
    """How many times larger fakes and reals were than the common form: the geometric mean over windows."""
    if not len(table.clip_N):
        return 1.0, 1.0
    short_N = np.minimum(table.before_ND[:, 2], table.before_ND[:, 3]) / form.side
    return tuple(  # type: ignore[return-value]  # two of them
        float(np.exp(np.log(short_N[own_N]).mean())) if own_N.any() else 1.0
        for own_N in (table.is_fake, ~table.is_fake)
    )
