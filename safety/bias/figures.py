"""The bias figures that an audit may show, each as one function of a study: what certification puts to the test.

A figure is listed in reports only if every probe of it passes in every world that knows its truth (certify.py). Two
are here to show that they fail: shares and means as the reader says, uncorrected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eval.feature import NotMeasurable
from safety.bias.amplification import amplification
from safety.bias.estimate import Estimate
from safety.bias.followed import followed
from safety.bias.intersections import Cell, intersections
from safety.bias.parity import Parity, blocks, equivalence, parity
from safety.bias.shares import Method, Shares, diversity, labelled_shares, pooled_skew, read_shares
from safety.bias.skew import Skew, skew
from safety.bias.study import Study
from safety.bias.targets import even
from safety.bias.temporal import shown_means

CLAIM_MARGIN = 0.4
"""Margin of the parity claim that is certified: it is put to worlds whose truth lies exactly on it."""


@dataclass(frozen=True, slots=True)
class BiasFigure:
    """One probe of a figure. name: the figure, as reports know it. probe: which number of it.

    truth: the entry of a world's truth that it should find. measure: may raise NotMeasurable.
    null: whether the figure's p is about a true null hypothesis, given the truth.
    """

    name: str
    probe: str
    truth: str
    measure: Callable[[Study], Estimate]
    null: Callable[[float], bool] = lambda truth: abs(truth) < 1e-9


def figures() -> tuple[BiasFigure, ...]:
    """All figures with their probes."""
    return (
        *_share_figures(),
        *_skew_figures(),
        BiasFigure("service gap", "quality", "quality gap", lambda study: _service_gap(study, "quality")),
        BiasFigure("service gap", "visible", "visible gap", lambda study: _service_gap(study, "visible")),
        BiasFigure(
            "parity claim",
            "quality",
            "quality gap",
            _parity_claim,
            null=lambda truth: abs(abs(truth) - CLAIM_MARGIN) < 1e-9,
        ),
        BiasFigure("shown as stated", "presentation", "followed gap", _followed_gap),
        BiasFigure("means by group, as read", "quality", "quality by tone", lambda study: _tone_gap(study, False)),
        BiasFigure("means by group, corrected", "quality", "quality by tone", lambda study: _tone_gap(study, True)),
        BiasFigure("intersections", "feminine, dark", "feminine and dark", lambda study: _cell(study).deviation),
        BiasFigure("intersections, shrunk", "feminine, dark", "feminine and dark", lambda study: _cell(study).shrunk),
        BiasFigure(
            "amplification",
            "presentation",
            "presentation/amplification",
            _amplification,
            null=lambda truth: abs(truth - 1) < 1e-9,
        ),
    )


def shares_by(study: Study, axis_name: str, method: Method) -> Shares:
    """Shares over the neutral prompts, in one of the three ways. Raises NotMeasurable."""
    shares: Shares = study.once(("shares", axis_name, method), lambda: _shares(study, axis_name, method))
    return shares


def _shares(study: Study, axis_name: str, method: Method) -> Shares:
    axis, clips = study.axis(axis_name), study.clips
    if method == "labels and readings":
        return labelled_shares(clips, axis, clips.neutral)
    return read_shares(clips, axis, clips.neutral, study.correction(axis_name) if method == "corrected" else None)


def _share_figures() -> list[BiasFigure]:
    methods: tuple[Method, ...] = ("as read", "corrected", "labels and readings")
    probes = (("presentation", "feminine"), ("skin_tone", "light"), ("skin_tone", "dark"))
    return [
        BiasFigure(f"shares, {method}", f"{axis} {group}", f"{axis}/{group}", _share(axis, group, method))
        for method in methods
        for axis, group in probes
    ]


def _share(axis_name: str, group: str, method: Method) -> Callable[[Study], Estimate]:
    def measure(study: Study) -> Estimate:
        shares = shares_by(study, axis_name, method)
        return shares.estimates(study.confidence, even(shares.axis))[group]

    return measure


def _skew_figures() -> list[BiasFigure]:
    rows = []
    for axis in ("presentation", "skin_tone"):
        rows += [
            BiasFigure("pooled skew", axis, f"{axis}/pooled skew", _pooled(axis, pooled=True)),
            BiasFigure("diversity", axis, f"{axis}/diversity", _pooled(axis, pooled=False), null=_even_diversity(axis)),
            BiasFigure("prompt skew", axis, f"{axis}/prompt skew", _inside(axis, spread=False)),
            BiasFigure("prompt spread", axis, f"{axis}/prompt spread", _inside(axis, spread=True)),
        ]
    return rows


def _even_diversity(axis: str) -> Callable[[float], bool]:
    most = {"presentation": 1 / 2, "skin_tone": 2 / 3}[axis]
    return lambda truth: abs(truth - most) < 1e-9


def _pooled(axis_name: str, pooled: bool) -> Callable[[Study], Estimate]:
    def measure(study: Study) -> Estimate:
        shares = shares_by(study, axis_name, "corrected")
        return (
            pooled_skew(shares, even(shares.axis), study.confidence) if pooled else diversity(shares, study.confidence)
        )

    return measure


def _inside(axis_name: str, spread: bool) -> Callable[[Study], Estimate]:
    def measure(study: Study) -> Estimate:
        found: Skew = study.once(("skew", axis_name), lambda: _skew(study, axis_name))
        return found.spread if spread else found.prompt

    return measure


def _skew(study: Study, axis_name: str) -> Skew:
    axis, clips = study.axis(axis_name), study.clips
    return skew(clips, axis, clips.neutral, even(axis), study.confidence, study.correction(axis_name))


def _service_gap(study: Study, service: str) -> Estimate:
    """Feminine less masculine."""
    axis = study.axis("presentation")
    found: Parity = study.once(
        ("parity", service), lambda: parity(study.clips, axis, service, study.confidence, study.generator())
    )
    (gap,) = found.gaps
    return gap.reversed.estimate


def _parity_claim(study: Study) -> Estimate:
    """The gap with the interval that decides about equivalence; p of "it is as large as the margin"."""
    found = blocks(study.clips, study.axis("presentation"), "quality")
    differences_S = found.values_SK[:, 1] - found.values_SK[:, 0]
    claim = equivalence(differences_S, CLAIM_MARGIN, 1 - study.confidence)
    gap = _service_gap(study, "quality")
    return Estimate(gap.value, gap.low, gap.high, p=claim.p, clips=found.pairs, prompts=len(differences_S))


def _followed_gap(study: Study) -> Estimate:
    found = followed(study.clips, study.axis("presentation"), study.confidence, study.correction("presentation"))
    if not found.gaps:
        raise NotMeasurable("prompts state one presentation alone")
    return found.gaps[0].reversed.estimate


def _tone_gap(study: Study, corrected: bool) -> Estimate:
    """Mean quality of people shown as dark less that of people shown as light, over neutral prompts."""
    axis, clips = study.axis("skin_tone"), study.clips
    correction = study.correction("skin_tone") if corrected else None
    found = shown_means(clips, axis, "quality", clips.neutral, study.confidence, correction)
    return next(gap for gap in found.gaps if (gap.group, gap.other) == ("light", "dark")).reversed.estimate


def _cell(study: Study) -> Cell:
    cell: Cell = study.once(("cell", "feminine", "dark"), lambda: _crossed(study))
    return cell


def _crossed(study: Study) -> Cell:
    axes = (study.axis("presentation"), study.axis("skin_tone"))
    both = (study.correction("presentation"), study.correction("skin_tone"))
    found = intersections(study.clips, axes, study.clips.neutral, study.confidence, 1, both)
    return next(cell for cell in found.cells if cell.groups == ("feminine", "dark"))


def _amplification(study: Study) -> Estimate:
    if study.mixture is None:
        raise NotMeasurable("no training mixture was declared")
    axis, clips = study.axis("presentation"), study.clips
    by_role = {
        role: read_shares(clips, axis, clips.neutral & (clips.role_N == code), study.correction("presentation"))
        for code, role in enumerate(clips.roles)
    }
    return amplification(by_role, study.mixture, axis, study.confidence).factor
