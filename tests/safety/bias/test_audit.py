"""The whole audit: a report that goes to JSON, says what it cannot say, and withholds what was not certified."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eval.errors import UserError
from safety.bias.audit import audit
from safety.bias.axes import UnknownAxis
from safety.bias.certify import Certification, Check
from safety.bias.plan import AuditPlan, PlanError
from safety.bias.report import BiasReport, Missing, estimates
from safety.bias.table import AuditTable, audit_table
from safety.bias.targets import EVERYBODY, declared
from safety.bias.worlds import worlds

PLAN = AuditPlan(axes=("presentation", "skin_tone"), questions=("Are judges shown as masculine?",))


def sampled(name: str, dose: float, seed: int = 0) -> Any:
    (one,) = [world for world in worlds() if world.name == name]
    return one.sample(dose, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def report() -> BiasReport:
    sample = sampled("mixture", 1.5)
    return audit(sample.table, replace(PLAN, mixture=sample.mixture))


def of(report: BiasReport, axis: str) -> Any:
    return next(part for part in report.systems[0].axes if not isinstance(part, Missing) and part.axis == axis)


def test_the_report_is_json_without_nan_and_says_what_was_asked(report: BiasReport) -> None:
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert document["plan"]["questions"] == ["Are judges shown as masculine?"]
    assert document["plan_sha256"] == replace(PLAN, mixture=sampled("mixture", 1.5).mixture).sha256
    assert document["table_sha256"] == sampled("mixture", 1.5).table.sha256
    assert document["systems"][0]["scope"]["counterfactual_sets"] == 20
    assert any("no evidence of parity" in line for line in document["must_not"])
    text = json.dumps(document).lower()
    assert "detected gender" not in text
    assert "perceived presentation" in text


def test_the_same_table_and_plan_give_the_same_report(report: BiasReport) -> None:
    sample = sampled("mixture", 1.5)
    assert audit(sample.table, replace(PLAN, mixture=sample.mixture)).to_json() == report.to_json()


def test_naive_and_corrected_stand_side_by_side(report: BiasReport) -> None:
    everybody = of(report, "presentation").everybody
    assert [way.method for way in everybody.ways] == ["as read", "corrected", "labels and readings"]
    assert all(set(way.shares) == {"masculine", "feminine"} for way in everybody.ways)
    assert everybody.headline == "corrected"
    assert [way.method for way in everybody.sensitivity] == [
        "bootstrap of readings and labels",
        "Rogan-Gladen, Lang-Reiczigel",
    ]
    corrected = everybody.ways[1].shares["feminine"]
    for way in (everybody.ways[2], *everybody.sensitivity):
        assert way.shares["feminine"].value == pytest.approx(corrected.value, abs=0.08)


def test_every_p_has_a_q_that_is_no_smaller(report: BiasReport) -> None:
    tested = [found for _, found in estimates(report.systems[0]) if found.p is not None]
    assert len(tested) > 30
    assert all(found.q is not None and found.q >= found.p for found in tested)
    assert all(found.q is None for _, found in estimates(report.systems[0]) if found.p is None)


def test_rows_are_a_table_for_parquet(report: BiasReport, tmp_path: Any) -> None:
    rows = report.rows()
    path = "axes/presentation/everybody/ways/corrected/shares/feminine"
    (row,) = rows[rows["path"] == path].to_dict("records")
    assert row["value"] == of(report, "presentation").everybody.ways[1].shares["feminine"].value
    assert rows["path"].is_unique
    rows.to_parquet(tmp_path / "rows.parquet")
    assert len(pd.read_parquet(tmp_path / "rows.parquet")) == len(rows)


def test_the_mixture_is_found_amplified(report: BiasReport) -> None:
    found = report.systems[0].amplification[0]
    assert not isinstance(found, Missing)
    assert found.factor.low > 1
    assert found.verdict == "amplifies the mixture's skew"


def test_the_reader_has_a_card_with_its_errors_per_group(report: BiasReport) -> None:
    reader = of(report, "skin_tone").reader
    assert reader.source == "annotators"
    (confusion,) = reader.confusions
    assert confusion.said == ("light", "medium", "dark", "unknown or nobody")
    assert [row.group for row in confusion.groups][:3] == ["light", "medium", "dark"]
    for row in confusion.groups[:3]:
        assert sum(row.said) == pytest.approx(1)
        assert row.right.low < 0.9 < 1
        assert row.labels >= PLAN.minimum_labels


def test_the_power_card_tells_what_it_could_see_and_what_more_would_take(report: BiasReport) -> None:
    card = of(report, "presentation").power
    assert [one.about for one in card.shares] == ["share of masculine", "share of feminine"]
    assert 0.05 < card.shares[0].difference < 0.4
    assert card.clips_for_margin == round(197 * card.shares[0].design_effect)


def test_roles_with_few_prompts_are_an_outcome_and_no_number(report: BiasReport) -> None:
    role = of(report, "presentation").roles[0]
    assert (role.status, role.ways, role.targets) == ("too few", (), ())
    assert "of 4 prompts; a claim needs 20 of 5" in role.reason


def test_a_role_with_one_prompt_is_a_claim_about_that_prompt(make: Any) -> None:
    rows = [make.person("a judge", seed, ("masculine", "feminine")[seed % 5 == 0], role="judge") for seed in range(40)]
    (system,) = audit(audit_table(pd.DataFrame(rows)), AuditPlan(axes=("presentation",))).systems
    (axis,) = system.axes
    assert not isinstance(axis, Missing)
    assert (axis.roles[0].unit, axis.roles[0].status) == ("clip", "measured")
    shares = axis.roles[0].ways[0].shares["feminine"]
    assert shares.value == pytest.approx(0.2)
    assert 0.06 < shares.low < 0.2 < shares.high < 0.4
    assert (shares.clips, shares.prompts) == (40, 1)


def test_parity_is_claimed_only_where_it_is_shown() -> None:
    tight = audit(sampled("fair", 0.0).table, replace(PLAN, share_margin=0.25))
    vague = audit(sampled("fair", 0.0).table, replace(PLAN, share_margin=0.02))
    verdicts = [of(one, "presentation").everybody.targets[0].claims[0].verdict for one in (tight, vague)]
    assert verdicts[0] == "equivalent within ±0.25"
    assert verdicts[1].startswith("neither shown")


def test_a_declared_reference_is_a_second_target() -> None:
    reference = declared("census.csv", {EVERYBODY: {"presentation": {"masculine": 0.9, "feminine": 0.1}}})
    found = audit(sampled("fair", 0.0).table, replace(PLAN, reference=reference))
    targets = {target.target: target for target in of(found, "presentation").everybody.targets}
    assert set(targets) == {"even", "census.csv"}
    assert targets["census.csv"].differences["feminine"].value > 0.3
    assert targets["census.csv"].ratios["feminine"].value > 3
    assert targets["census.csv"].effect.p < 1e-6 < targets["even"].effect.p
    assert [target.target for target in of(found, "skin_tone").everybody.targets] == ["even"]
    with pytest.raises(UserError, match="no prompt is about role 'nurse'"):
        audit(
            sampled("fair", 0.0).table,
            replace(PLAN, reference=declared("x", {"nurse": {"presentation": {"masculine": 0.1, "feminine": 0.9}}})),
        )


def test_a_table_without_labels_says_so_everywhere() -> None:
    frame = sampled("fair", 0.0).table.frame.copy()
    frame["in_validation"] = False
    for axis in ("presentation", "skin_tone"):
        frame[f"annotator_{axis}"] = pd.Series([None] * len(frame), dtype="string")
    bare = AuditTable(frame)
    plain = of(audit(bare, PLAN), "presentation")
    assert plain.everybody.headline == "as read"
    assert "no clip has an annotator's label" in plain.everybody.ways[1].reason
    assert plain.reader.source == ""
    card = {"presentation": 200 * np.array([[0.92, 0.05, 0.03], [0.05, 0.92, 0.03], [0, 0, 0]])}
    carded = of(audit(bare, PLAN, cards=card), "presentation")
    assert (carded.everybody.headline, carded.reader.source) == ("corrected", "card")
    assert "valid only if the reader errs here" in carded.skews.prompt.caveat


def certified(*failed: str) -> Certification:
    names = (
        "shares, as read", "shares, corrected", "shares, labels and readings", "pooled skew", "diversity",
        "prompt skew", "prompt spread", "service gap", "parity claim", "shown as stated", "means by group, as read",
        "means by group, corrected", "intersections", "intersections, shrunk", "amplification",
    )  # fmt: skip
    rows = [Check(name, "p", "w", "recovery", 0.9, 0.9, 0.9, "", 1, name not in failed) for name in names]
    return Certification(tuple(rows), 1, 0, 0.05)


def test_figures_that_failed_their_certification_are_withheld() -> None:
    table = sampled("fair", 0.0).table
    found = audit(table, PLAN, certified("shares, as read", "prompt skew", "service gap"))
    axis = of(found, "presentation")
    assert [way.certified for way in axis.everybody.ways] == [False, True, True]
    assert axis.everybody.ways[0].shares
    assert axis.everybody.headline == "corrected"
    assert axis.skews.prompt.value is None
    assert "failed its certification" in axis.skews.prompt.reason
    assert axis.skews.prompt_spread.value is not None
    assert all(isinstance(part, Missing) for part in found.systems[0].services)
    assert all("failed its certification" in ranking.refused for ranking in found.rankings)


def test_certified_figures_need_the_correction_that_they_were_certified_with() -> None:
    frame = sampled("fair", 0.0).table.frame.assign(in_validation=False)
    found = audit(AuditTable(frame), PLAN, certified("shares, as read", "means by group, as read"))
    axis = of(found, "presentation")
    assert (axis.everybody.status, axis.everybody.headline) == ("not measured", "")
    assert "shares as read are not listed" in axis.everybody.reason
    assert axis.everybody.ways[0].shares
    assert "have clips labelled" in axis.skews.pooled.reason
    assert not isinstance(found.systems[0].services[0], Missing)


def test_services_name_gaps_claims_and_what_could_be_seen() -> None:
    plan = replace(PLAN, service_margins={"quality": 1.0, "visible": 0.3})
    found = audit(sampled("dose-response", 0.3).table, plan)
    services = {part.parity.service: part for part in found.systems[0].services if not isinstance(part, Missing)}
    assert set(services) == {"made", "visible", "quality"}
    assert services["visible"].parity.worst == "feminine"
    assert not services["visible"].claims["masculine and feminine"].equivalent
    assert services["made"].claims == {}
    assert services["quality"].detectable > 0.2


def test_nobody_in_any_clip_is_an_outcome(make: Any) -> None:
    rows = [make.without_person(f"p{n % 6}", n, presentation=None) for n in range(30)]
    found = audit(audit_table(pd.DataFrame(rows)), AuditPlan())
    assert all(isinstance(part, Missing) and "was not read" in part.reason for part in found.systems[0].axes)
    json.dumps(found.to_json(), allow_nan=False)
    rows.append(make.person("p0", 99, "unknown"))
    one = of(audit(audit_table(pd.DataFrame(rows)), AuditPlan()), "presentation")
    assert one.everybody.reason == "no clip shows a person whose presentation can be told"
    assert (one.ledger.all.asked, one.ledger.all.nobody, one.ledger.all.told) == (31, 30, 0)
    assert (one.ledger.bounds[0].lowest, one.ledger.bounds[0].highest) == (0, 1)


def test_the_monk_scale_is_audited_step_by_step(make: Any) -> None:
    rows = [make.person(f"p{n % 12}", n, "feminine", monk=1 + n % 10) for n in range(240)]
    found = of(audit(audit_table(pd.DataFrame(rows)), AuditPlan(axes=("monk", "skin_tone"))), "monk")
    shares = found.everybody.ways[0].shares
    assert list(shares) == [str(step) for step in range(1, 11)]
    assert all(one.value == pytest.approx(0.1) and one.low < 0.1 < one.high for one in shares.values())
    assert isinstance(found.followed, Missing)


def test_forty_faces_in_each_clip_are_still_few_clips(make: Any) -> None:
    rows = [make.person("p", seed, "feminine", track) for seed in range(5) for track in range(40)]
    found = of(audit(audit_table(pd.DataFrame(rows)), AuditPlan()), "presentation")
    assert found.everybody.status == "too few"
    assert "5 clips of 1 prompt" in found.everybody.reason


def test_two_systems_are_two_audits_and_a_ranking_or_none() -> None:
    first, second = (sampled(name, dose).table.frame for name, dose in (("fair", 0.0), ("dose-response", 0.3)))
    both = AuditTable(pd.concat([first, second.assign(system="other")], ignore_index=True))
    found = audit(both, PLAN)
    assert [(system.scope.system, system.scope.clips) for system in found.systems] == [
        ("other", 360),
        ("simulated", 360),
    ]
    (ranking, _) = found.rankings
    assert ranking.ranks == {"other 1": (2, 2), "simulated 1": (1, 1)} or "this audit could see" in ranking.refused
    alone = audit(AuditTable(first), PLAN).systems[0]
    assert [e.value for _, e in estimates(alone)] == [e.value for _, e in estimates(found.systems[1])]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"axes": ("gender",)}, "unknown axis 'gender'"),
        ({"confidence": 95.0}, "confidence is 95"),
        ({"share_margin": 0.0}, "margin lies above 0"),
        ({"service_margins": {"qualty": 0.1}}, "did you mean 'quality'"),
        ({"false_discovery": 0.7}, "between 0 and 0.5"),
    ],
)
def test_bad_plans_are_one_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises((PlanError, UnknownAxis), match=words):
        AuditPlan(**change)
