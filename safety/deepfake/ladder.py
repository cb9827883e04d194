"""A detector under attack: the threshold is frozen on clean clips, and what becomes of it is measured.

Every attack changes fakes and reals alike. Shifts are paired: the same clips, before and after.

Shape legend: N clips, B draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.clip import Clip
from eval.hashing import clip_sha256
from eval.sets.crossfit import Auc, Flags, Floats, Samples, interval, plain_auc, resampled
from safety.deepfake.detector import Detector
from safety.deepfake.errors import DetectorError
from safety.deepfake.operating import Figure, brier, calibration_error, eer
from safety.watermark.attacks.attack import ATTACKS, Attack, AttackError

DEFAULT = ("h264", "resize", "blur", "noise")
RUNGS = 3
"""Strengths of each attack: the mildest, the middle one, the strongest."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A clip in canonical form with its truth."""

    clip: Clip
    fake: bool
    group: int


@dataclass(frozen=True, slots=True)
class Rung:
    """A detector at one strength of an attack. attack: empty for clean clips.

    tpr, fpr: at the frozen threshold; tpr_shift, fpr_shift: less those of the same clips when clean. ece, brier: of the
    scores as probabilities. reasons: of clips that the attack or the detector failed on.
    """

    attack: str
    strength: float
    unit: str
    clips: int
    auc: Auc | None
    tpr: Figure
    fpr: Figure
    tpr_shift: Figure
    fpr_shift: Figure
    ece: float | None
    brier: float | None
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DetectorResult:
    """threshold: frozen, where misses and false alarms are equally frequent on clean clips; None: none could be set."""

    name: str
    sha256: str
    fakes: int
    reals: int
    threshold: float | None
    rungs: tuple[Rung, ...]
    reason: str = ""

    @property
    def clean(self) -> Rung | None:
        return self.rungs[0] if self.rungs else None


def rungs_of(attack: Attack) -> list[float]:
    """The strengths that are tried."""
    places = np.unique(np.linspace(0, len(attack.ladder) - 1, min(RUNGS, len(attack.ladder))).round().astype(int))
    return [attack.ladder[place] for place in places]


def default_attacks() -> list[str]:
    """One codec, resizing, blur and noise."""
    return [name for name in DEFAULT if name in ATTACKS]


def run_ladder(
    detector: Detector,
    clips: Sequence[Trial],
    attacks: Sequence[str],
    seed: int,
    confidence: float,
    step: Callable[[str], None] = lambda _: None,
) -> DetectorResult:
    """Clean first, then every attack at its strengths. A clip that fails is counted with its reason, never dropped."""
    fake_N = np.array([one.fake for one in clips], np.bool_)
    group_N = np.array([one.group for one in clips], np.int64)
    step(f"{detector.name}: clean")
    clean_N, reasons = _scores(detector, [one.clip for one in clips])
    known_N = np.isfinite(clean_N)
    fakes, reals = int((fake_N & known_N).sum()), int((~fake_N & known_N).sum())
    if not fakes or not reals:
        reason = next(iter(reasons), "no clips of one side")
        return DetectorResult(detector.name, detector.sha256, fakes, reals, None, (), reason)
    threshold = eer(clean_N[known_N], fake_N[known_N])[1]
    frozen = _Frozen(fake_N, group_N, clean_N, threshold, seed, confidence)
    rungs = [frozen.rung("", 0.0, "", clean_N, reasons)]
    for name in attacks:
        attack = ATTACKS.get(name)
        for strength in rungs_of(attack):
            step(f"{detector.name}: {name} {strength:g} {attack.unit}")
            attacked = [_attacked(one.clip, attack, strength, seed) for one in clips]
            score_N, reasons = _scores(detector, attacked)
            rungs.append(frozen.rung(name, strength, attack.unit, score_N, reasons))
    return DetectorResult(detector.name, detector.sha256, fakes, reals, threshold, tuple(rungs))


def _attacked(clip: Clip, attack: Attack, strength: float, seed: int) -> Clip | str:
    """The clip after the attack, or why there is none."""
    try:
        return attack.apply(clip, strength, attack.rng(clip_sha256(clip), strength, seed))
    except AttackError as error:
        return str(error)


def _scores(detector: Detector, clips: Sequence[Clip | str]) -> tuple[Floats, Mapping[str, int]]:
    """NaN where there is no score, and why, counted."""
    score_N = np.full(len(clips), np.nan)
    reasons: Counter[str] = Counter()
    for place, clip in enumerate(clips):
        if isinstance(clip, str):
            reasons[clip] += 1
            continue
        try:
            score_N[place] = detector(clip)
        except DetectorError as error:
            reasons[str(error)] += 1
    return score_N, reasons


class _Frozen:
    """Clean scores and their threshold, to hold other scores against."""

    def __init__(
        self,
        fake_N: Flags,
        group_N: np.ndarray[tuple[int], np.dtype[np.int64]],
        clean_N: Floats,
        threshold: float,
        seed: int,
        confidence: float,
    ) -> None:
        self._fake_N, self._group_N, self._clean_N = fake_N, group_N, clean_N
        self._threshold, self._seed, self._confidence = threshold, seed, confidence

    def rung(self, attack: str, strength: float, unit: str, score_N: Floats, reasons: Mapping[str, int]) -> Rung:
        known_N = np.isfinite(score_N) & np.isfinite(self._clean_N)
        fake_N, now_N, before_N = self._fake_N[known_N], score_N[known_N], self._clean_N[known_N]
        samples = Samples(now_N[:, None], fake_N, self._group_N[known_N])
        if not fake_N.any() or fake_N.all():
            none = Figure(None, reason=next(iter(reasons), "no clips of one side"))
            return Rung(attack, strength, unit, len(now_N), None, none, none, none, none, None, None, reasons)
        weights_BN = resampled(samples, self._seed)

        def share(value_N: Floats, own_N: Flags, shift: bool = False) -> Figure:
            weight_BN = weights_BN * own_N
            draws_B = (weight_BN @ value_N) / weight_BN.sum(axis=1)
            value = float(value_N[own_N].mean())
            groups = len(np.unique(samples.group_N[own_N]))
            sure = ((1 - self._confidence) / 2) ** (1 / groups)
            low, high = np.quantile(draws_B, [(1 - self._confidence) / 2, (1 + self._confidence) / 2])
            if bool((value_N[own_N] == value).all()):  # resampling shows no spread: that of so many in a row instead
                low, high = max(value - (1 - sure), -1.0 if shift else 0.0), min(value + (1 - sure), 1.0)
            return Figure(value, float(low), float(high))

        flagged_N, flagged_before_N = (
            (scores_N >= self._threshold).astype(np.float64) for scores_N in (now_N, before_N)
        )
        value = plain_auc(now_N, fake_N)
        draws_B = np.array([_weighted_auc(now_N, fake_N, weight_N) for weight_N in weights_BN[:399]])
        auc = Auc(value, *interval(value, draws_B, samples, self._confidence), *samples.groups)
        return Rung(
            attack,
            strength,
            unit,
            len(now_N),
            auc,
            share(flagged_N, fake_N),
            share(flagged_N, ~fake_N),
            share(flagged_N - flagged_before_N, fake_N, shift=True),
            share(flagged_N - flagged_before_N, ~fake_N, shift=True),
            calibration_error(now_N, fake_N),
            brier(now_N, fake_N),
            reasons,
        )


def _weighted_auc(score_N: Floats, fake_N: Flags, weight_N: Floats) -> float:
    """AUC with weights; ties count half."""
    order = np.argsort(score_N, kind="stable")
    score_N, fake_N, weight_N = score_N[order], fake_N[order], weight_N[order]
    reals_N, fakes_N = weight_N * ~fake_N, weight_N * fake_N
    _, tie_N = np.unique(score_N, return_inverse=True)
    reals_K, fakes_K = np.bincount(tie_N, reals_N), np.bincount(tie_N, fakes_N)
    below_K = np.cumsum(reals_K) - reals_K
    return float((fakes_K @ (below_K + reals_K / 2)) / max(fakes_K.sum() * reals_K.sum(), 1e-12))
