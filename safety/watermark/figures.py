"""All figures of a watermark audit, from its long tables. Every number with its interval, or the reason why there is
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from eval.marks.bits import parse_message
from safety.watermark.comparison import Comparison, compare_marks
from safety.watermark.dispersion import Dispersion, dispersion, one_of_each
from safety.watermark.frontier import Frontier, frontier
from safety.watermark.groups import GroupGap, group_gaps
from safety.watermark.plan import NONE, MarkFacts, WatermarkPlan
from safety.watermark.statistics import (
    Interval,
    Share,
    Uniformity,
    alarm_bound,
    capacity,
    clustered_accuracy,
    clustered_mean,
    clustered_share,
    minimal_matches,
    spread_p,
    trials_needed,
    uniformity,
)
from safety.watermark.survival import Survival, life, survival
from safety.watermark.tax_figures import Diversity, TaxFigure, diversity_of, tax_figures

GENERATIONS = "generations"
"""The unit of attacks whose strength is how often a clip was shared on."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Decidable:
    """What a false alarm rate asks of a mark. matches: fewest bits that must agree, after `searched` alignments are
    paid for; None: not even all bits would do.
    """

    rate: float
    matches: int | None
    searched: int


@dataclass(frozen=True, slots=True)
class CellFigures:
    """One attack at one strength, or a family pooled (strength is None). detected: share of trials by false alarm rate.

    attack_db, attack_xpsnr: mean quality of the attacked clip against the marked one, where sizes allow.
    """

    attack: str
    family: str
    unit: str
    strength: float | None
    trials: int
    failed: int
    skipped: int
    accuracy: Interval
    message: Share
    detected: Mapping[str, Share]
    capacity: Interval
    attack_db: float | None
    attack_xpsnr: float | None


@dataclass(frozen=True, slots=True)
class Alarms:
    """False alarms at one rate over unmarked trials. exact: by the message, which was drawn for every trial;
    expected: how many of them the rate allows. presence: by the mark's own test of presence, which knows no message;
    None: it has none. bound: one-sided 95 % limit of the presence test's rate if all trials were independent;
    bound_clusters: if only files were. needed: unmarked clips without an alarm that would show the rate.
    """

    rate: float
    trials: int
    clusters: int
    exact: int | None
    expected: float
    presence: Share | None
    bound: float | None
    bound_clusters: float | None
    needed: int

    @property
    def too_many(self) -> bool:
        """Whether the test of presence is shown to raise more alarms than it claims."""
        return self.presence is not None and self.presence.low is not None and self.presence.low > self.rate


@dataclass(frozen=True, slots=True)
class NullFigures:
    """Unmarked clips. histogram: of spread p-values, in ten equal bins; flat where the p is what it says."""

    trials: int
    clusters: int
    by_kind: Mapping[str, int]
    uniformity: Uniformity
    histogram: tuple[int, ...]
    alarms: tuple[Alarms, ...]
    dispersion: Dispersion | None
    other_key: Interval
    other_key_alarms: Share


@dataclass(frozen=True, slots=True)
class Quality:
    """What marking does to the stream that it is in. db: PSNR of the picture, signal over noise of the sound."""

    clips: int
    db: Interval
    worst_db: float | None
    ssim: Interval
    xpsnr: Interval
    below: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Frames a second at the audited size: marking, reading, and plain decoding of the file in the same run."""

    embed: float | None
    detect: float | None
    decode: float | None
    size: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Detection against false alarms. exact: false alarm rates are those of the binomial; else observed on unmarked
    trials, and nothing is known below `floor`.
    """

    name: str
    exact: bool
    rates: tuple[float, ...]
    detected: tuple[float, ...]
    floor: float
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class MarkFigures:
    """Everything about one mark. level: the strictest of the plan's rates that its bits can decide."""

    facts: MarkFacts
    decidable: tuple[Decidable, ...]
    level: float | None
    quality: Quality
    cells: tuple[CellFigures, ...]
    families: tuple[CellFigures, ...]
    null: NullFigures
    curves: tuple[Curve, ...]
    survival: Mapping[str, Survival]
    frontier: Frontier
    schemes: tuple[CellFigures, ...]
    speed: Speed
    tax: tuple[TaxFigure, ...]
    diversity: Diversity | None


@dataclass(frozen=True, slots=True)
class Loss:
    """Trials that gave no number, counted by reason."""

    mark: str
    kind: str
    attack: str
    status: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class WatermarkFigures:
    """The whole audit. common_level: the strictest rate that all marks can decide; comparisons are made at it."""

    marks: tuple[MarkFigures, ...]
    comparisons: tuple[Comparison, ...]
    groups: tuple[GroupGap, ...]
    common_level: float | None
    losses: tuple[Loss, ...]
    trials: int
    clips: int
    clusters: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Tables:
    """The long tables of an audit: trials, tax, facts of clips, encodings of clips."""

    trials: pd.DataFrame
    tax: pd.DataFrame
    facts: pd.DataFrame
    encodings: pd.DataFrame


def figures(plan: WatermarkPlan, tables: Tables) -> WatermarkFigures:
    """All figures of the plan, from the tables."""
    trials = tables.trials
    marks = tuple(_mark_figures(plan, mark, tables) for mark in plan.marks)
    levels = [mark.level for mark in marks]
    common = None if None in levels else max(level for level in levels if level is not None)
    attacked = _ok(trials, "marked")
    return WatermarkFigures(
        marks=marks,
        comparisons=compare_marks(plan, attacked, common),
        groups=group_gaps(plan, attacked, tables.facts),
        common_level=common,
        losses=_losses(trials),
        trials=len(trials),
        clips=len(plan.clips),
        clusters=int(trials.loc[trials["kind"] == "marked", "cluster"].nunique()),
    )


def claimed(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with p of forged clips as an owner would claim them: by the message or by presence, paid for twice.

    A forger needs no message: a clip that the test of presence takes for marked is forged as well.
    """
    either = np.fmin(trials["p"].to_numpy(np.float64), trials["p_presence"].to_numpy(np.float64))
    p = np.where(trials["kind"] == "forged", np.minimum(1.0, 2 * either), trials["p"].to_numpy(np.float64))
    return trials.assign(p=p)


def rate_name(rate: float) -> str:
    """How a false alarm rate is called in JSON and columns: `1e-06`."""
    return f"{rate:.0e}"


def _ok(trials: pd.DataFrame, *kinds: str) -> pd.DataFrame:
    return trials[(trials["status"] == "ok") & trials["kind"].isin(kinds)]


def _mark_figures(plan: WatermarkPlan, facts: MarkFacts, tables: Tables) -> MarkFigures:
    own = claimed(tables.trials[tables.trials["mark"] == facts.name])
    marked, blank = _ok(own, "marked"), _ok(own, "unmarked", "negative")
    searched = max(1, int(own["searched"].max())) if own["searched"].notna().any() else 1
    decidable = tuple(Decidable(rate, minimal_matches(facts.bits, rate, searched), searched) for rate in plan.rates)
    level = min((one.rate for one in decidable if one.matches is not None), default=None)
    kinds = own[own["kind"] == "marked"]
    cells = tuple(_cells(plan, facts, kinds))
    schemes = own[own["kind"].isin(["removed", "forged"])]
    return MarkFigures(
        facts=facts,
        decidable=decidable,
        level=level,
        quality=_quality(plan, marked),
        cells=cells,
        families=tuple(
            _cell(plan, facts, group, "", str(family), "", None)
            for family, group in kinds[kinds["attack"] != NONE].groupby("family", sort=False)
        ),
        null=_null(plan, facts, own, blank),
        curves=tuple(_curves(facts, marked, blank)),
        survival=_survival(plan, facts, kinds, level),
        frontier=frontier(plan, facts, marked, own, level),
        schemes=tuple(
            _cell(plan, facts, group, str(name), str(group["family"].iloc[0]), "", None)
            for name, group in schemes.groupby("attack", sort=False)
        ),
        speed=_speed(own, tables.facts),
        tax=tax_figures(plan, tables.tax[tables.tax["mark"] == facts.name]),
        diversity=diversity_of(plan, facts.name, tables.encodings),
    )


def _cells(plan: WatermarkPlan, facts: MarkFacts, own: pd.DataFrame) -> list[CellFigures]:
    units = {ladder.name: (ladder.family, ladder.unit) for ladder in plan.attacks}
    found = []
    for cell in plan.cells(facts.stream):
        here = own[(own["attack"] == cell.attack) & (own["strength"] == cell.strength)]
        family, unit = units.get(cell.attack, ("", ""))
        found.append(_cell(plan, facts, here, cell.attack, family, unit, cell.strength))
    return found


def _cell(
    plan: WatermarkPlan,
    facts: MarkFacts,
    own: pd.DataFrame,
    attack: str,
    family: str,
    unit: str,
    strength: float | None,
) -> CellFigures:
    ok = own[own["status"] == "ok"]
    clusters = ok["cluster"].to_numpy()
    share = ok["matches"].to_numpy(np.float64) / facts.bits
    accuracy = clustered_accuracy(share, clusters, plan.confidence)
    return CellFigures(
        attack=attack,
        family=family,
        unit=unit,
        strength=strength,
        trials=len(ok),
        failed=int((own["status"] == "failed").sum()),
        skipped=int((own["status"] == "skipped").sum()),
        accuracy=accuracy,
        message=clustered_share(ok["matches"].to_numpy() == facts.bits, clusters, plan.confidence),
        detected={
            rate_name(rate): clustered_share(ok["p"].to_numpy(np.float64) <= rate, clusters, plan.confidence)
            for rate in plan.rates
        },
        capacity=capacity(accuracy, facts.bits),
        attack_db=_mean(ok["attack_db"]),
        attack_xpsnr=_mean(ok["attack_xpsnr"]),
    )


def _mean(values: pd.Series[Any]) -> float | None:
    known = values.dropna().to_numpy(np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else None


def _quality(plan: WatermarkPlan, marked: pd.DataFrame) -> Quality:
    clean = marked[marked["attack"] == NONE]
    db = clean["mark_db"].to_numpy(np.float64)
    clusters = clean["cluster"].to_numpy()
    finite = np.where(np.isfinite(db), db, np.nan)
    return Quality(
        clips=int(np.isfinite(finite).sum()),
        db=clustered_mean(finite, clusters, plan.confidence),
        worst_db=float(np.nanmin(finite)) if np.isfinite(finite).any() else None,
        ssim=clustered_mean(clean["mark_ssim"].to_numpy(np.float64), clusters, plan.confidence),
        xpsnr=clustered_mean(clean["mark_xpsnr"].to_numpy(np.float64), clusters, plan.confidence),
        below=int((finite < plan.quality_db).sum()),
    )


def _null(plan: WatermarkPlan, facts: MarkFacts, own: pd.DataFrame, blank: pd.DataFrame) -> NullFigures:
    clusters = blank["cluster"].to_numpy()
    generator = np.random.default_rng([plan.seed, len(blank)])
    spread = spread_p(blank["matches"].to_numpy(np.int64), facts.bits, generator)
    other = _ok(own, "other key")
    clean = blank[blank["attack"] == NONE]
    names = clean["cluster"].astype(str).tolist()
    bits = [parse_message(text, facts.bits) for text in clean["decoded"]]
    level = next((rate for rate in sorted(plan.rates) if minimal_matches(facts.bits, rate)), max(plan.rates))
    return NullFigures(
        trials=len(blank),
        clusters=len(set(clusters)),
        by_kind={str(kind): int(count) for kind, count in blank["kind"].value_counts().items()},
        uniformity=uniformity(spread),
        histogram=tuple(np.histogram(spread, BINS, (0.0, 1.0))[0].tolist()),
        alarms=tuple(_alarms(plan, facts, blank, rate) for rate in plan.rates),
        dispersion=dispersion(one_of_each(np.array(bits), names), level, plan.seed) if bits else None,
        other_key=clustered_mean(
            other["matches"].to_numpy(np.float64) / facts.bits, other["cluster"].to_numpy(), plan.confidence
        ),
        other_key_alarms=clustered_share(
            other["p"].to_numpy(np.float64) <= max(plan.rates), other["cluster"].to_numpy(), plan.confidence
        ),
    )


def _alarms(plan: WatermarkPlan, facts: MarkFacts, blank: pd.DataFrame, rate: float) -> Alarms:
    tested = blank[blank["p_presence"].notna()]
    clusters = len(set(blank["cluster"]))
    decidable = minimal_matches(facts.bits, rate) is not None
    presence = bound = bound_clusters = None
    if len(tested):
        alarm = tested["p_presence"].to_numpy(np.float64) <= rate
        presence = clustered_share(alarm, tested["cluster"].to_numpy(), plan.confidence)
        files = tested.assign(alarm=alarm).groupby("cluster")["alarm"].any()
        bound = alarm_bound(presence.count, presence.of)
        bound_clusters = alarm_bound(int(files.sum()), len(files))
    return Alarms(
        rate=rate,
        trials=len(blank),
        clusters=clusters,
        exact=int((blank["p_exact"] <= rate).sum()) if decidable else None,
        expected=rate * len(blank),
        presence=presence,
        bound=bound,
        bound_clusters=bound_clusters,
        needed=trials_needed(rate),
    )


def _curves(facts: MarkFacts, marked: pd.DataFrame, blank: pd.DataFrame) -> list[Curve]:
    found = []
    groups = [("not attacked", marked[marked["attack"] == NONE]), ("all attacks", marked[marked["attack"] != NONE])]
    groups += [(str(name), part) for name, part in marked[marked["family"] != ""].groupby("family", sort=False)]
    for name, part in groups:
        if len(part):
            found.append(_exact_curve(name, part, facts.bits, len(blank)))
    attacked = marked[marked["attack"] != NONE]
    if len(blank) and len(attacked):
        found.append(_score_curve("presence, all attacks", attacked, blank))
    return found


def _exact_curve(name: str, part: pd.DataFrame, bits: int, negatives: int) -> Curve:
    from scipy import stats

    needed_K = np.arange(bits, -1, -1)
    tries = part["searched"].to_numpy(np.float64)
    rates_K = stats.binom.sf(needed_K - 1, bits, 0.5)
    # A detection at a rate is one whose corrected p lies at or below it.
    p = np.minimum(1.0, tries * stats.binom.sf(part["matches"].to_numpy() - 1, bits, 0.5))
    grid = np.unique(np.concatenate([rates_K, [1.0]]))
    detected = [(float((p <= rate * (1 + 1e-9)).mean())) for rate in grid]
    return Curve(name, True, tuple(map(float, grid)), tuple(detected), float(grid[0]), len(part), negatives)


def _score_curve(name: str, part: pd.DataFrame, blank: pd.DataFrame) -> Curve:
    negative = np.sort(blank["score"].to_numpy(np.float64))[::-1]
    positive = part["score"].to_numpy(np.float64)
    thresholds = np.unique(negative)[::-1]
    rates = [(negative >= threshold).mean() for threshold in thresholds]
    # Above every unmarked score no false alarm was seen: what lies there is detected at a rate that nobody knows.
    detected = [(positive >= threshold).mean() for threshold in thresholds]
    return Curve(
        name,
        False,
        tuple(map(float, rates)),
        tuple(map(float, detected)),
        1 / len(negative),
        len(positive),
        len(negative),
    )


def _survival(plan: WatermarkPlan, facts: MarkFacts, own: pd.DataFrame, level: float | None) -> Mapping[str, Survival]:
    chains = [ladder.name for ladder in plan.ladders(facts.stream) if ladder.unit == GENERATIONS]
    if level is None:
        return {}
    found = {}
    for name in chains:
        # Generation 0 is the marked clip itself.
        here = own[(own["attack"] == name) | (own["attack"] == NONE)]
        lives = []
        for _, trials in here.groupby(["clip", "seed"], sort=False):
            seen: list[tuple[float, bool | None]] = [
                (float(at), None if status != "ok" else bool(p <= level))
                for at, status, p in zip(trials["strength"], trials["status"], trials["p"], strict=True)
            ]
            if (one := life(seen, str(trials["cluster"].iloc[0]))) is not None:
                lives.append(one)
        found[name] = survival(lives, plan.confidence)
    return found


def _speed(own: pd.DataFrame, facts: pd.DataFrame) -> Speed:
    def rate(seconds: str, part: pd.DataFrame) -> float | None:
        known = part[part[seconds].notna() & part["frames"].notna()]
        spent = float(known[seconds].sum())
        return float(known["frames"].sum()) / spent if spent > 0 else None

    ok = own[own["status"] == "ok"]
    clean = ok[(ok["kind"] == "marked") & (ok["attack"] == NONE)]
    decode = float(facts["decoded_frames"].sum() / facts["decode_seconds"].sum()) if len(facts) else None
    sizes = [f"{width}×{height}" for width, height in zip(facts["width"], facts["height"], strict=True)]
    return Speed(
        embed=rate("embed_seconds", clean),
        detect=rate("detect_seconds", ok[ok["kind"].isin(["marked", "unmarked"])]),
        decode=decode,
        size=", ".join(list(dict.fromkeys(sizes))[:3]),
    )


def _losses(trials: pd.DataFrame) -> tuple[Loss, ...]:
    bad = trials[trials["status"] != "ok"]
    keys = ["mark", "kind", "attack", "status", "reason"]
    counted = bad.groupby(keys, sort=False).size().reset_index(name="count")
    return tuple(
        Loss(str(one.mark), str(one.kind), str(one.attack), str(one.status), str(one.reason), int(str(one.lost)))
        for one in counted.rename(columns={"count": "lost"}).itertuples()
    )


def families_in(cells: Sequence[CellFigures]) -> list[str]:
    """The families of these cells, in their order, without the unattacked one."""
    return list(dict.fromkeys(cell.family for cell in cells if cell.family))
