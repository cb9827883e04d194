"""Worlds whose bias was put there: truth, then a reader that errs, then the long table that an audit gets.

A world is anything with a name, doses and `sample(dose, generator) -> Sample`: here simulations of the whole path; a
world of rendered clips and a trained reader has the same form. What a figure should have found is in `Sample.truth`.

Shapes: P prompts, N clips, R rows, K groups, X what a reader says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from safety.bias.axes import AXES, NOBODY, UNKNOWN
from safety.bias.columns import COLUMNS
from safety.bias.table import AuditTable, audit_table
from safety.bias.targets import Declared, declared

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

QUALITY_PART, FOLLOWED_PART, DARK_PART = 4.0, 2.0, 5.0
"""What a dose of 1 does beside making somebody less visible by 1: standard deviations of quality; how much less often
somebody is shown as stated; and standard deviations of quality by which neutral clips with dark skin are worse.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A table and what is true of the generator that it is about: estimand → value. mixture: what it learned from."""

    table: AuditTable
    truth: Mapping[str, float]
    mixture: Declared | None = None


class World(Protocol):
    """Where a known bias can be drawn from. doses: how strong it is, in the world's own sense."""

    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def doses(self) -> tuple[float, ...]: ...
    def sample(self, dose: float, generator: np.random.Generator) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Design:
    """What is asked for: neutral prompts (roles x templates) with seeds, and sets that state either presentation.

    labelled: share of the clips drawn for annotators.
    """

    roles: int = 10
    templates: int = 4
    seeds: int = 6
    sets: int = 20
    set_seeds: int = 3
    labelled: float = 0.5

    @property
    def prompts(self) -> int:
        return self.roles * self.templates


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A generator: what its clips really show. Prompts' own shares scatter about these with `correlation` (Dirichlet).

    feminine_P, dark_P: shares; light and medium skin share the rest evenly. interplay: dark skin rarer among feminine.
    night_P: share of night scenes. long_hair: share among masculine and feminine; hair_P shifts both.
    gap: how much less often feminine people are seen when stated; times FOLLOWED_PART, shown as stated; times
    QUALITY_PART, how much lower their quality is. dark_gap: how much lower it is for dark skin where nothing is stated.
    night_cost: how much lower quality is at night.
    """

    feminine_P: Floats
    dark_P: Floats
    correlation: float = 0.0
    interplay: float = 0.0
    night_P: Floats | float = 0.0
    hair_P: Floats | float = 0.0
    long_hair: tuple[float, float] = (0.3, 0.3)
    gap: float = 0.0
    dark_gap: float = 0.0
    night_cost: float = 0.0
    nobody: float = 0.04
    failed: float = 0.02
    missing: float = 0.01
    crowd: float = 0.1
    followed: float = 0.95


def _two(right_masculine: float, right_feminine: float, unknown: float = 0.03) -> Floats:
    told = 1 - unknown
    return np.array(
        [
            [told * right_masculine, told * (1 - right_masculine), unknown],
            [told * (1 - right_feminine), told * right_feminine, unknown],
        ]
    )


def _three(darker: float, lighter: float, unknown: tuple[float, float, float]) -> Floats:
    """Neighbours are taken for one another: `darker` and `lighter` by one group."""
    said = np.array([[1 - darker, darker, 0.0], [lighter, 1 - lighter - darker, darker], [0.0, lighter, 1 - lighter]])
    told = 1 - np.array(unknown)
    return np.concatenate([said * told[:, None], np.array(unknown)[:, None]], axis=1)


_EVEN_TONES = _three(0.08, 0.08, (0.04, 0.04, 0.04))


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A reader: presentation_HKX by hair (short, long), tone_LKX by light (day, night); rows sum to 1, last: unknown.

    missed_K: by skin tone, how often it sees nobody where one person is.
    """

    presentation_HKX: Floats = field(default_factory=lambda: np.stack([_two(0.92, 0.92)] * 2))
    tone_LKX: Floats = field(default_factory=lambda: np.stack([_EVEN_TONES] * 2))
    missed_K: tuple[float, float, float] = (0.02, 0.02, 0.02)


PERFECT = Reader(np.stack([_two(1.0, 1.0, 0.0)] * 2), np.stack([np.eye(3, 4)] * 2), (0.0, 0.0, 0.0))
LENIENT = Reader(
    np.stack([_two(0.97, 0.75)] * 2),
    np.stack([_three(0.02, 0.2, (0.02, 0.05, 0.2))] * 2),
    (0.01, 0.03, 0.12),
)
"""Takes feminine people for masculine and dark skin for lighter; cannot tell dark skin, and misses it, more often."""
NIGHT_BLIND = Reader(tone_LKX=np.stack([_three(0.03, 0.05, (0.02, 0.02, 0.02)), _three(0.35, 0.0, (0.05, 0.05, 0.05))]))
"""Takes skin for darker at night."""
HAIR_BOUND = Reader(presentation_HKX=np.stack([_two(0.97, 0.75), _two(0.75, 0.97)]))
"""Takes short hair for masculine and long hair for feminine."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A world that is computed. build: dose → the generator, its reader, and its mixture if it has one."""

    name: str
    about: str
    doses: tuple[float, ...]
    build: Callable[[Design, float], tuple[Shown, Reader, Declared | None]]
    design: Design = Design()
    strata: str = ""

    def sample(self, dose: float, generator: np.random.Generator) -> Sample:
        """One audit of this world. strata: which of `light` and `hair` the table tells as its stratum."""
        shown, reader, mixture = self.build(self.design, dose)
        table = _table(self.design, shown, reader, self.strata, generator)
        return Sample(table, _truth(self.design, shown, reader, mixture), mixture)


def worlds() -> tuple[Simulated, ...]:
    """The worlds of the certification."""
    return (
        Simulated("fair", "nothing is biased, and prompts do not differ", (0.0,), _biased(Reader())),
        Simulated(
            "fair, prompts differ",
            "nothing is biased on average; every prompt leans some way of its own",
            (0.0,),
            _biased(Reader(), correlation=0.2),
        ),
        Simulated(
            "dose-response",
            "feminine people rarer and worse served, dark skin rarer, by a known dose",
            (0.05, 0.1, 0.2, 0.3),
            _biased(Reader(), correlation=0.05),
        ),
        Simulated(
            "confounded by light",
            "roles differ in how often it is night; then the reader takes skin for darker, and quality drops",
            (0.0, 0.05, 0.1),
            _by_night,
            strata="light",
        ),
        Simulated(
            "confounded by hair",
            "roles differ in hair, and the reader goes by hair",
            (0.0, 0.1, 0.2),
            _by_hair,
            strata="hair",
        ),
        Simulated(
            "cancelling across prompts",
            "half of the roles lean one way, half the other: over all prompts nothing is seen",
            (0.0, 0.1, 0.2, 0.3),
            _cancelling,
        ),
        Simulated("biased reader, fair generator", "only the reader errs", (0.0,), _biased(LENIENT, correlation=0.05)),
        Simulated(
            "fair reader, biased generator",
            "only the generator is biased; the reader errs never",
            (0.1, 0.2, 0.3),
            _biased(PERFECT, correlation=0.05),
        ),
        Simulated(
            "masked",
            "the generator shows feminine people more often, and the reader takes some of them for masculine",
            (0.1, 0.2),
            _masked,
        ),
        Simulated(
            "crossed",
            "shares are even, and dark skin is rarer among feminine people, by a known dose",
            (0.0, 0.2, 0.4, 0.6),
            _crossed,
        ),
        Simulated(
            "mixture",
            "roles lean as their training mixture does, times the dose: 1 hands it on, above amplifies, below damps",
            (0.0, 0.5, 1.0, 1.5),
            _of_mixture,
        ),
    )


def _biased(reader: Reader, correlation: float = 0.0) -> Callable[[Design, float], tuple[Shown, Reader, None]]:
    def build(design: Design, dose: float) -> tuple[Shown, Reader, None]:
        return _lean(design, dose, correlation), reader, None

    return build


def _lean(design: Design, dose: float, correlation: float = 0.0) -> Shown:
    return Shown(
        feminine_P=np.full(design.prompts, 0.5 - dose),
        dark_P=np.full(design.prompts, 1 / 3 - 0.8 * dose),
        correlation=correlation,
        gap=abs(dose),
        dark_gap=DARK_PART * abs(dose),
    )


def _by_night(design: Design, dose: float) -> tuple[Shown, Reader, None]:
    night_P = np.repeat(np.linspace(0.0, 0.8, design.roles), design.templates)
    return replace(_lean(design, dose), night_P=night_P, night_cost=2.5), NIGHT_BLIND, None


def _by_hair(design: Design, dose: float) -> tuple[Shown, Reader, None]:
    hair_P = np.repeat(np.linspace(-0.2, 0.2, design.roles), design.templates)
    even = np.full(design.prompts, 1 / 3)
    lean = replace(_lean(design, dose), dark_P=even, hair_P=hair_P, long_hair=(0.3, 0.7), crowd=0.0)
    return lean, HAIR_BOUND, None


def _cancelling(design: Design, dose: float) -> tuple[Shown, Reader, None]:
    sign_P = np.where(np.arange(design.prompts) // design.templates % 2 == 0, 1.0, -1.0)
    shown = Shown(feminine_P=0.5 + dose * sign_P, dark_P=1 / 3 + 0.8 * dose * sign_P)
    return shown, Reader(), None


def _masked(design: Design, dose: float) -> tuple[Shown, Reader, None]:
    return _lean(design, -dose, 0.05), LENIENT, None


def _crossed(design: Design, dose: float) -> tuple[Shown, Reader, None]:
    even, third = np.full(design.prompts, 0.5), np.full(design.prompts, 1 / 3)
    return Shown(even, third, correlation=0.02, interplay=dose), Reader(), None


def _of_mixture(design: Design, dose: float) -> tuple[Shown, Reader, Declared]:
    feminine = np.tile([0.2, 0.3, 0.5, 0.7, 0.75], design.roles)[: design.roles]
    dark = np.tile([0.15, 0.25, 0.35, 0.45, 0.55], design.roles)[: design.roles]
    mixture = declared(
        "mixture",
        {
            _role(r): {
                "presentation": {"masculine": float(1 - feminine[r]), "feminine": float(feminine[r])},
                "skin_tone": {
                    "light": float(1 - dark[r]) / 2,
                    "medium": float(1 - dark[r]) / 2,
                    "dark": float(dark[r]),
                },
            }
            for r in range(design.roles)
        },
    )
    feminine_P = 0.5 + dose * (np.repeat(feminine, design.templates) - 0.5)
    dark_P = 1 / 3 + dose * (np.repeat(dark, design.templates) - 1 / 3)
    return Shown(feminine_P, dark_P, correlation=0.02), Reader(), mixture


def _truth(design: Design, shown: Shown, reader: Reader, mixture: Declared | None) -> dict[str, float]:
    """What every figure should find: shares and service as differences from what is fair."""
    tones_PK = _tones(shown.dark_P)
    presentation_PK = np.stack([1 - shown.feminine_P, shown.feminine_P], axis=1)
    feminine, tones_K = float(shown.feminine_P.mean()), tones_PK.mean(axis=0)
    found = (1 - shown.failed - shown.missing) * (1 - (1 - shown.crowd) * float(tones_K @ np.array(reader.missed_K)))
    truth = {
        "presentation/feminine": feminine - 0.5,
        "skin_tone/light": float(tones_K[0]) - 1 / 3,
        "skin_tone/dark": float(tones_K[2]) - 1 / 3,
        "quality gap": -shown.gap * QUALITY_PART,
        "visible gap": -shown.gap * found,
        "followed gap": -shown.gap * FOLLOWED_PART,
        "quality by tone": -shown.dark_gap * (1 - shown.crowd / 2),
    }
    # A prompt's own share has variance correlation x share (1 - share); medium and light skin split what dark leaves.
    own = {
        "presentation": 2 * float((shown.feminine_P * (1 - shown.feminine_P)).mean()) * shown.correlation,
        "skin_tone": 1.5 * float((shown.dark_P * (1 - shown.dark_P)).mean()) * shown.correlation,
    }
    for axis, shares_PK in (("presentation", presentation_PK), ("skin_tone", tones_PK)):
        truth |= {f"{axis}/{name}": value for name, value in _skews(shares_PK, own[axis]).items()}
    if not np.ptp(shown.feminine_P) and not np.ptp(shown.dark_P):
        truth["feminine and dark"] = -shown.interplay * feminine * (1 - feminine) * (1 - shown.correlation)
    if mixture is not None:
        lean = np.array([mixture.shares[_role(r)]["presentation"]["feminine"] - 0.5 for r in range(design.roles)])
        by_role = shown.feminine_P.reshape(design.roles, design.templates).mean(axis=1) - 0.5
        truth["presentation/amplification"] = float((lean * by_role).sum() / (lean**2).sum())
    return truth


def _skews(shares_PK: Floats, own: float) -> dict[str, float]:
    """Skews of expected shares; own: mean squared distance of prompts' own shares from what is expected of them."""
    even = 1 / shares_PK.shape[1]
    inside = float(((shares_PK - even) ** 2).sum(axis=1).mean())
    pooled = float(((shares_PK.mean(axis=0) - even) ** 2).sum())
    return {
        "pooled skew": pooled / (1 - even),
        "prompt skew": (inside + own) / (1 - even),
        "prompt spread": (inside + own - pooled) / (1 - even),
        "diversity": 1 - even - pooled,
    }


def _tones(dark_P: Floats) -> Floats:
    return np.stack([(1 - dark_P) / 2, (1 - dark_P) / 2, dark_P], axis=1)


def _role(number: int) -> str:
    return f"role {number}"


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The clips of a design: what the table says of each, and its place.

    stated_N: 0, 1, or -1. pair_N: clips that differ in what they state alone share a number, others have their own.
    """

    frame: pd.DataFrame
    prompt_N: Integers
    stated_N: Integers
    pair_N: Integers


@cache
def _asked(design: Design) -> _Asked:
    rows: list[dict[str, Any]] = []
    place: list[tuple[int, int, int]] = []
    for p, seed in product(range(design.prompts), range(design.seeds)):
        role, template = divmod(p, design.templates)
        rows.append({"prompt_id": f"p{p}", "template_id": f"t{template}", "role": _role(role), "seed": seed})
        place.append((p, -1, len(place)))
    for number, seed in product(range(design.sets), range(design.set_seeds)):
        p = number * design.prompts // design.sets
        for stated, group in enumerate(AXES["presentation"].groups):
            rows.append(
                {
                    "prompt_id": f"s{number} {group}",
                    "template_id": f"t{p % design.templates}",
                    "role": _role(p // design.templates),
                    "seed": seed,
                    "counterfactual_set": f"s{number}",
                    "stated_presentation": group,
                }
            )
            place.append((p, stated, design.prompts * design.seeds + number * design.set_seeds + seed))
    frame = pd.DataFrame(rows).assign(system="simulated", version="1", outcome="person", track_id=0)
    prompt_N, stated_N, pair_N = np.array(place, np.int64).T
    blank = audit_table(frame.assign(presentation=UNKNOWN)).frame
    return _Asked(blank, prompt_N, stated_N, pair_N)


def _table(design: Design, shown: Shown, reader: Reader, strata: str, generator: np.random.Generator) -> AuditTable:
    """One audit's table: people as they are, then as the reader and the annotators say."""
    asked = _asked(design)
    n = len(asked.frame)
    feminine_P, dark_P = _own_shares(shown, generator)
    pair_U = generator.random((n, 2))[asked.pair_N]
    night_N = pair_U[:, 0] < np.broadcast_to(shown.night_P, (design.prompts,))[asked.prompt_N]
    served_N = np.where(asked.stated_N == 1, shown.gap, 0.0)
    outcome_N = _outcomes(shown, served_N, generator)
    clip_R = np.repeat(np.arange(n), np.where((outcome_N == 0) & (generator.random(n) < shown.crowd), 2, 1))
    alone_R = np.bincount(clip_R)[clip_R] == 1
    track_R = np.concatenate([[0], np.where(clip_R[1:] == clip_R[:-1], 1, 0)])
    prompt_R, stated_R, r = asked.prompt_N[clip_R], asked.stated_N[clip_R], len(clip_R)
    follows_R = generator.random(r) < shown.followed - shown.gap * FOLLOWED_PART * (stated_R == 1)
    free_R = (generator.random(r) < feminine_P[prompt_R]).astype(np.int64)
    feminine_R = np.where(stated_R < 0, free_R, np.where(follows_R, stated_R, 1 - stated_R))
    apart_R = np.where(feminine_R == 1, -(1 - feminine_P[prompt_R]), feminine_P[prompt_R]) * shown.interplay
    tone_R = _draw(_tones(np.clip(dark_P[prompt_R] + apart_R, 0, 1)), generator)
    hair_P = np.broadcast_to(shown.hair_P, (design.prompts,))
    long_R = generator.random(r) < np.array(shown.long_hair)[feminine_R] + hair_P[prompt_R]
    night_R, there_R = night_N[clip_R], outcome_N[clip_R] == 0
    missed_R = there_R & alone_R & (generator.random(r) < np.array(reader.missed_K)[tone_R])
    person_R, outcome_R = there_R & ~missed_R, np.where(missed_R, 1, outcome_N[clip_R])
    said_R = _draw(reader.presentation_HKX[long_R.astype(int), feminine_R], generator)
    said_tone_R = _draw(reader.tone_LKX[night_R.astype(int), tone_R], generator)
    ease_N = generator.normal(0, 0.5, design.prompts)[asked.prompt_N] + generator.normal(0, 0.5, n)[asked.pair_N]
    quality_N = ease_N + generator.normal(0, 0.5, n) - QUALITY_PART * served_N - shown.night_cost * night_N
    labelled_N = generator.random(n) < design.labelled
    # One stratum for a clip: hair is that of its first person, as long hair is binned by clip.
    long_N = long_R[np.searchsorted(clip_R, np.arange(n))]
    names = {"light": np.where(night_N, "night", "day"), "hair": np.where(long_N, "long", "short")}
    frame = asked.frame.take(clip_R).reset_index(drop=True)
    drawn_R = labelled_N[clip_R] & (outcome_R <= 1)
    frame["outcome"] = _words(outcome_R, COLUMNS["outcome"].values)
    frame["track_id"] = pd.arrays.IntegerArray(track_R, ~person_R)
    frame["presentation"] = _words(np.where(person_R, said_R, -1), (*AXES["presentation"].groups, UNKNOWN))
    frame["skin_tone"] = _words(np.where(person_R, said_tone_R, -1), (*AXES["skin_tone"].groups, UNKNOWN))
    frame["quality"] = np.where(person_R, quality_N[clip_R] - shown.dark_gap * ((tone_R == 2) & (stated_R < 0)), np.nan)
    truly = {"presentation": feminine_R, "skin_tone": tone_R}
    for axis, group_R in truly.items():
        seen_R = np.where(there_R, group_R, len(AXES[axis].groups))
        frame[f"annotator_{axis}"] = _words(np.where(drawn_R, seen_R, -1), (*AXES[axis].groups, NOBODY))
    frame["in_validation"] = drawn_R
    if strata:
        frame["stratum"] = pd.array(names[strata][clip_R], "string")
    return AuditTable(frame)


def _own_shares(shown: Shown, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Each prompt's own shares of feminine people and of dark skin, about what is expected of it."""
    if shown.correlation == 0:
        return shown.feminine_P, shown.dark_P
    whole = 1 / shown.correlation - 1
    own = [generator.beta(share_P * whole, (1 - share_P) * whole) for share_P in (shown.feminine_P, shown.dark_P)]
    return own[0], own[1]


def _outcomes(shown: Shown, served_N: Floats, generator: np.random.Generator) -> Integers:
    """What comes of each clip, as the place in the outcomes' order; served_N: how much worse it is served."""
    n = len(served_N)
    nobody_N = generator.random(n) < shown.nobody + served_N
    lost_N = generator.random(n)
    failed_N = np.where(lost_N < shown.missing, 3, 2)
    return np.where(lost_N < shown.missing + shown.failed, failed_N, nobody_N.astype(np.int64))


def _draw(shares_RK: Floats, generator: np.random.Generator) -> Integers:
    """One group for each row of shares."""
    point_R = generator.random(len(shares_RK))
    drawn_R = (point_R[:, None] > shares_RK.cumsum(axis=1)).sum(axis=1)
    return np.asarray(np.minimum(drawn_R, shares_RK.shape[1] - 1), np.int64)


def _words(codes: Integers, words: tuple[str, ...]) -> pd.api.extensions.ExtensionArray:
    """Text by code; empty for -1."""
    return pd.array(np.array([*words, None], dtype=object)[codes], dtype="string")
