import numpy as np
import pytest

from benchmarks.manifest import StoreError
from benchmarks.normalise import band_utility, linear_utility, scoring_plan
from benchmarks.suite import MetricModel, Quantiles, ReferenceModel, SuiteError

INF = float("inf")


def model(name="sharp", **given):
    return MetricModel.model_construct(name=name, **given)


def reference(version=1, name="amount", q05=0.2, q50=0.3, q95=0.4):
    quantiles = Quantiles(version=version, q05=q05, q50=q50, q95=q95, clips=9)
    return ReferenceModel(made_by="us", clips=9, clips_sha256="0" * 64, quantiles={name: quantiles})


def plan_of(manifest, facts, models=None, **suite):
    return scoring_plan(manifest(facts, models=models, **suite).parsed_suite(), facts)


def at(utility, *values):
    return utility(np.array(values, float)).tolist()


def test_linear_utilities_by_hand():
    assert at(linear_utility(0, 1), -1, 0, 0.25, 1, 9) == [0, 0, 0.25, 1, 1]
    assert at(linear_utility(40, 20), 50, 40, 25, 20, -5) == [0, 0, 0.75, 1, 1]
    assert np.isnan(linear_utility(0, 1)(np.array([np.nan]))).all()


def test_band_utility_by_hand(facts):
    utility = band_utility(facts(direction="band"), Quantiles(version=1, q05=0.2, q50=0.3, q95=0.4, clips=9))
    values = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9)
    np.testing.assert_allclose(at(utility, *values), [0, 0.5, 1, 1, 1, 0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("high", "q50", "width"), [(1.0, 0.0, 0.01), (INF, 2.0, 0.1), (INF, 0.0, 1e-9)])
def test_a_band_of_no_width_gets_a_floor(facts, high, q50, width):
    utility = band_utility(facts(direction="band", high=high), Quantiles(version=1, q05=q50, q50=q50, q95=q50, clips=9))
    np.testing.assert_allclose(at(utility, q50, q50 + width / 2, q50 + width), [1, 0.5, 0], atol=1e-6)


def test_the_suites_ends_come_before_the_metrics_range(manifest, facts):
    sharp, noisy = facts("sharp"), facts("noisy", direction="lower", high=100.0)
    plan = plan_of(manifest, (sharp, noisy), [model("sharp", worst=0.5, best=0.9), model("noisy", worst=10.0)])
    np.testing.assert_allclose(at(plan.metrics[0].utility, 0.5, 0.7, 0.9), [0, 0.5, 1])
    np.testing.assert_allclose(at(plan.metrics[1].utility, 10, 5, 0), [0, 0.5, 1])


def test_shares_follow_the_weights_of_families_and_metrics(manifest, facts):
    parts = (facts("a"), facts("b"), facts("c", family="motion"), facts("d", family="sound"))
    models = [model("a", weight=3.0), model("b"), model("c"), model("d")]
    plan = plan_of(manifest, parts, models, families={"motion": 2.0, "sound": 0.0})
    assert plan.families == pytest.approx({"picture": 1 / 3, "motion": 2 / 3})
    assert [metric.share for metric in plan.metrics] == pytest.approx([0.25, 1 / 12, 2 / 3, 0])


def test_what_does_not_count_says_why(manifest, facts):
    parts = (facts("a"), facts("b", direction="band"), facts("c", high=INF), facts("later"))
    plan = plan_of(manifest, parts, [model("a"), model("b"), model("c", weight=0.0), model("unswept")])
    notes = {metric.facts.name: metric.note for metric in plan.metrics if not metric.counted}
    assert notes == {
        "b": "no reference clips: shown raw, not counted",
        "c": "weight 0: shown, not counted",
        "later": "not in the suite: shown, not counted",
    }
    assert plan.absent == ("unswept",)


def test_every_mistake_is_named(manifest, facts):
    parts = (facts("open", high=INF), facts("flat"), facts("amount", direction="band", version=2))
    models = [model("open"), model("flat", worst=0.5, best=0.5), model("amount")]
    with pytest.raises(SuiteError) as caught:
        plan_of(manifest, parts, models, reference=reference(version=1))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "open: its range 0.0 to inf is open: give it a worst and a best" in lines[0]
    assert "flat: worst equals best" in lines[1]
    assert "amount is version 2, but the reference clips were measured with version 1" in lines[2]


def test_a_band_counts_with_reference_clips(manifest, facts):
    plan = plan_of(manifest, (facts("amount", direction="band"),), [model("amount")], reference=reference())
    assert plan.metrics[0].counted
    assert at(plan.metrics[0].utility, 0.3) == [1]


def test_a_stored_suite_is_read_without_its_metrics_code(manifest):
    """`sharp` is registered nowhere: a run must outlive the code of its metrics."""
    assert manifest().parsed_suite().metrics[0].name == "sharp"
    with pytest.raises(StoreError):
        manifest().model_copy(update={"suite": {"name": "x"}}).parsed_suite()
