"""Certification: it lists figures that are right, refuses those that are wrong, each for its reason, and comes out the
same from the same seed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from eval.feature import NotMeasurable
from safety.bias.certify import Certification, Listing, certify
from safety.bias.estimate import Estimate
from safety.bias.figures import BiasFigure, figures
from safety.bias.study import Study
from safety.bias.table import AuditTable, audit_table
from safety.bias.worlds import Sample, worlds


@dataclass(frozen=True)
class Coin:
    """A world of one number: the seed of the table's only clip is the measurement, in thousandths, with error 1."""

    table: AuditTable
    doses: tuple[float, ...] = (0.0, 4.0, 8.0)
    name: str = "coin"
    about: str = "a number with noise"

    def sample(self, dose: float, generator: np.random.Generator) -> Sample:
        frame = self.table.frame.assign(seed=int(1000 * generator.normal(dose, 1.0)) + 10**6)
        return Sample(AuditTable(frame.astype({"seed": "Int64"})), {"number": dose})


@pytest.fixture
def coin() -> Coin:
    row = {"system": "s", "version": "1", "prompt_id": "p", "seed": 0, "outcome": "no visible person"}
    return Coin(audit_table(pd.DataFrame([{**row, "presentation": None}])))


def figure(name: str, scale: float = 1.0, error: float = 1.0, shift: float = 0.0, lost: float = 0.0) -> BiasFigure:
    """Measures scale x number + shift, says that its error is `error`, and sometimes nothing at all."""

    def measure(study: Study) -> Estimate:
        number = (int(study.clips.seed_N[0]) - 10**6) / 1000
        if lost and number % 1 < lost:
            raise NotMeasurable("not today")
        value = scale * number + shift
        p = float(2 * special.ndtr(-abs(value) / error))
        return Estimate(value, value - 1.96 * error, value + 1.96 * error, p=p)

    return BiasFigure(name, "number", "number", measure)


def test_right_figures_pass_and_wrong_ones_fail_for_their_reason(coin: Coin) -> None:
    tried = [
        figure("right"),
        figure("shifted", shift=2.0),
        figure("halved", scale=0.5, error=1.5),
        figure("sure of itself", error=0.5),
        figure("silent", lost=0.4),
    ]
    found = certify(tried, [coin], 240, 0)
    assert found.listed == ("right",)
    reasons = {name: {check.kind for check in found.failures(name)} for name in found.figures}
    assert {"false positives", "coverage"} <= reasons["shifted"]
    assert "recovery" in reasons["halved"]
    assert {"false positives", "coverage"} <= reasons["sure of itself"]
    assert reasons["silent"] == {"coverage"}
    (silent,) = found.failures("silent")
    assert silent.wanted == "a value in 90% of the audits"
    assert silent.value == pytest.approx(0.6, abs=0.05)


def test_rates_come_with_exact_intervals_and_slopes_with_theirs(coin: Coin) -> None:
    checks = {check.kind: check for check in certify([figure("right")], [coin], 240, 0).checks}
    rate = checks["false positives"]
    assert rate.audits == 80
    exact = stats.binomtest(round(rate.value * 80), 80).proportion_ci(0.95, method="exact")
    assert (rate.low, rate.high) == pytest.approx((exact.low, exact.high))
    slope = checks["recovery"]
    assert slope.low < 1 < slope.high
    assert slope.high - slope.low == pytest.approx(2 * 1.96 / np.sqrt(240 * 32 / 3), rel=0.1)


def test_the_same_seed_gives_the_same_table_whatever_else_is_tried(coin: Coin) -> None:
    alone = certify([figure("right")], [coin], 60, 3)
    beside = certify([figure("halved", scale=0.5), figure("right")], [Coin(coin.table, (1.0,), "other"), coin], 60, 3)
    assert [check for check in beside.checks if (check.figure, check.world) == ("right", "coin")] == list(alone.checks)
    assert certify([figure("right")], [coin], 60, 4) != alone


def test_a_figure_whose_slope_no_world_tells_is_not_listed(coin: Coin) -> None:
    found = certify([figure("right")], [Coin(coin.table, (0.0,))], 240, 0)
    assert found.failures("right") == ()
    assert found.listed == ()
    assert found.why_not("right") == "no world was dosed enough to know its slope"


def test_it_goes_to_json_and_back(coin: Coin) -> None:
    found = certify([figure("right"), figure("shifted", shift=3.0)], [coin], 90, 0)
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Certification.from_json(document) == found
    assert len(found.to_frame()) == len(found.checks)


def test_a_listing_withholds_what_failed_and_what_was_not_corrected(coin: Coin) -> None:
    listing = Listing(certify([figure("right"), figure("shifted", shift=3.0)], [coin], 240, 0))
    listing.require("right")
    with pytest.raises(
        NotMeasurable, match=r"not listed: shifted failed its certification \(coverage in world 'coin'\)"
    ):
        listing.require("shifted")
    with pytest.raises(NotMeasurable, match="have clips labelled, or give the reader's card"):
        listing.require("right", corrected=False)
    assert [listing.verdict(name) for name in ("right", "shifted", "unheard of")] == [True, False, None]
    Listing().require("anything", corrected=False)


def test_a_short_certification_tells_naive_from_corrected_shares() -> None:
    """The fast twin: one world, the two figures that it is about."""
    (biased,) = [world for world in worlds() if world.name == "biased reader, fair generator"]
    tried = [one for one in figures() if one.name in ("shares, as read", "shares, corrected")]
    found = certify(tried, [biased], 60, 0)
    rates = {(c.figure, c.probe): c.value for c in found.checks if c.kind == "false positives"}
    for probe in ("presentation feminine", "skin_tone dark"):
        assert rates["shares, as read", probe] > 0.5
        assert rates["shares, corrected", probe] < 0.2


@pytest.mark.slow
def test_the_certification_passes() -> None:
    """All figures but the two that are here to fail; about two minutes on one core."""
    found = certify(figures(), worlds(), 400, 20261123)
    failed = [check for check in found.checks if not check.passed and ", as read" not in check.figure]
    assert failed == []
    assert found.verdict("shares, as read") is False
    assert found.verdict("means by group, as read") is False
    assert len(found.listed) == len(found.figures) - 2
