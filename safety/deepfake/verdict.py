"""The verdict in words: one state, why, and what it must not be taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eval.sets.crossfit import Auc
from safety.deepfake.controls import Control, Margin
from safety.deepfake.nuisance import GATE, Nuisances

State = Literal["refused", "too few", "separable", "no further than real sources", "not told apart"]

SIGNIFICANT = 0.05
FEWEST = 5
"""Independent clips (sources, prompts) of each side below which no p can be small enough to mean anything."""
SEES = 0.9
"""A planted fault must be found at this AUC, or "not told apart" says little."""
SAME = 0.5

MEANING: dict[State, str] = {
    "refused": "the sets differ in something that has nothing to do with generation: what they score means nothing",
    "too few": "there are too few independent clips to say anything",
    "separable": "the generated clips can be told from the real ones by traces that survive one common form",
    "no further than real sources": "they can be told apart, and so can two sources of real clips",
    "not told apart": "these traces and this many clips do not tell them apart; others, or more clips, might",
}


UNPAIRED = "Give real clips of the same kind of content, length and light as the generated ones, or the reverse."
PAIRED = (
    "Both sides answer the same prompts, so that what they were asked to show is no reason: the difference may itself "
    "be the generator's trace. This audit cannot tell the two apart, and leaves it open."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """headline: one sentence. auc: only where there is a verdict. cautions: what to know before quoting it."""

    state: State
    headline: str
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]
    auc: Auc | None = None

    @property
    def meaning(self) -> str:
        return MEANING[self.state]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict is made from. None: it could not be measured."""

    fakes: int
    reals: int
    auc: Auc | None
    before: Nuisances | None
    after: Nuisances | None
    floor: Control
    same: Control
    ceilings: tuple[Control, ...]
    margin: Margin | None
    scales: tuple[float, float]
    """How many times larger the fakes and the reals were than the common form, on average."""
    paired: bool = False
    """Whether every prompt was answered on both sides."""


def conclude(found: Evidence) -> Verdict:
    """The first of these that holds: too few, refused, not told apart, no further than real sources, separable."""
    cautions = tuple(_cautions(found))
    few = min(found.fakes, found.reals)
    if found.auc is None or found.after is None or found.before is None or few < FEWEST:
        return Verdict(
            "too few",
            f"No verdict: {found.fakes} independent generated and {found.reals} independent real clips were measured, "
            f"and {FEWEST} of each are the fewest.",
            ("Windows of one clip, and clips of one prompt, are no independent evidence.",),
            cautions,
        )
    if found.after.together.value > GATE:
        return _refused(found.after, cautions, paired=found.paired)
    auc, p = found.auc, found.auc.p if found.auc.p is not None else 1.0
    gate = (
        f"Length, bit rate, size, frame rate, brightness and loudness alone separate the canonical clips at an AUC of "
        f"{found.after.together.value:.2f} (gate {GATE}); before canonicalising {found.before.together.value:.2f}."
    )
    if p > SIGNIFICANT:
        return Verdict(
            "not told apart",
            f"Not told apart with {found.fakes} generated and {found.reals} real clips: AUC {auc_text(auc)}, "
            f"p = {p:.2g}.",
            (
                gate,
                f"An AUC above {auc.high:.2f} can be ruled out with these traces and these clips; one below cannot.",
            ),
            cautions,
            auc,
        )
    reasons = [f"Permutations of whole groups reach this AUC with p = {p:.2g}.", gate]
    if found.margin is None:
        return Verdict(
            "separable", f"Separable: AUC {auc_text(auc)}. How far two real sources are apart is not known.",
            tuple(reasons), cautions, auc,
        )  # fmt: skip
    reasons.append(
        f"Above two sources of real clips by {found.margin.value:+.2f} [{found.margin.low:+.2f}, "
        f"{found.margin.high:+.2f}] of AUC."
    )
    if found.margin.low <= 0:
        return Verdict(
            "no further than real sources",
            f"Told apart at an AUC of {auc_text(auc)}, but not surely further than two sources of real clips are.",
            tuple(reasons), cautions, auc,
        )  # fmt: skip
    return Verdict(
        "separable", f"Separable beyond what two real sources are: AUC {auc_text(auc)}.",
        tuple(reasons), cautions, auc,
    )  # fmt: skip


def auc_text(auc: Auc) -> str:
    """`0.93 [0.86, 0.97]`."""
    return f"{auc.value:.2f} [{auc.low:.2f}, {auc.high:.2f}]"


def _refused(after: Nuisances, cautions: tuple[str, ...], *, paired: bool) -> Verdict:
    worst = after.worst
    chance = "The interval reaches 0.5: with so few clips it may be chance, and more clips would settle it."
    named = f"{', '.join(worst[:3])} alone" if worst else "nuisances together, though none by itself"
    return Verdict(
        "refused",
        f"No verdict: {named} would tell the sets apart.",
        (
            f"Nuisances that remain after canonicalising separate the sets at an AUC of {auc_text(after.together)}; "
            f"above {GATE} a classifier's success could be theirs.",
            *([chance] if after.together.low <= SAME else []),
            PAIRED if paired else UNPAIRED,
        ),
        cautions,
    )


def _cautions(found: Evidence) -> list[str]:
    lines = []
    fake_scale, real_scale = found.scales
    ratio = max(fake_scale, real_scale) / max(min(fake_scale, real_scale), 1e-9)
    if ratio > 1.5:
        lines.append(
            f"Generated clips were shrunk {fake_scale:.1f} times and real ones {real_scale:.1f} times: shrinking "
            "leaves traces of its own, which no canonical form takes away. A separation may be of size, not of origin."
        )
    if found.before is not None and found.before.together.value > GATE:
        lines.append(
            f"The files as they came are told apart by {', '.join(found.before.worst[:3]) or 'their packing'} "
            f"(AUC {found.before.together.value:.2f}): they were coded differently, and a second encoding hides that "
            "only in part."
        )
    if found.floor.auc is None:
        lines.append(f"Real against real: {found.floor.reason}.")
    if found.same.auc is not None and found.same.auc.low > SAME:
        lines.append(
            f"The generator against itself comes out at {auc_text(found.same.auc)}, which must be 0.5: its clips are "
            "not exchangeable, and p-values here are too small."
        )
    blind = [control for control in found.ceilings if control.auc is not None and control.auc.value < SEES]
    lines += [
        f"{control.name} is found at an AUC of {control.auc.value:.2f} only: a fault of that size would be missed here."
        for control in blind
        if control.auc is not None
    ]
    return lines
