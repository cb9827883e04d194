"""The audit on observations whose answer is known: what it must find, refuse, and leave undecided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eval.sets.crossfit import measure_auc
from safety.deepfake.audit import Settings, run_audit
from safety.deepfake.canonical import Form
from safety.deepfake.controls import leave_one_out, real_floor, same_generator_floor
from safety.deepfake.observe import Observed
from safety.deepfake.table import ALL, ledger, make_table

FORM = Form(64, 8.0, 16)
QUICK = Settings(permutations=19)


@pytest.fixture
def sets(seen):
    """Makes equal sets of fakes and reals, the fakes changed as asked."""

    def make(shift: float = 0.0, clips: int = 16, **fake) -> list[Observed]:
        rng = np.random.default_rng(0)
        fakes = [seen("fake", f"f{place}", rng, shift=shift, **fake) for place in range(clips)]
        return fakes + [seen("real", f"r{place}", rng) for place in range(clips)]

    return make


def audit(observed: list[Observed], **planted):
    return run_audit(observed, FORM, QUICK, planted)


def test_equal_sets_are_not_told_apart(sets):
    found = audit(sets())
    assert found.verdict.state == "not told apart"
    assert found.all_blocks.low < 0.5 < found.all_blocks.high
    assert "can be ruled out" in found.verdict.reasons[1]


def test_a_trace_is_found_and_named(sets):
    found = audit(sets(shift=8.0, clips=24))
    assert found.verdict.state == "separable"
    assert found.verdict.auc.p == pytest.approx(1 / 20)
    assert found.measured.blocks["dct"].value > 0.95
    assert found.measured.blocks["temporal"].value < 0.75
    assert found.measured.traces[0].name == "dct.diagonal_00"
    assert found.measured.traces[0].weight > 0
    assert found.measured.curve[-1].auc > found.measured.curve[0].auc
    assert found.measured.operating.tpr[1e-2].reason == "undecidable: 24 independent real clips, and 100 are needed"


def test_length_alone_is_refused_though_traces_are_equal(sets):
    """What tells GenVidBench apart at 0.998: clip lengths. Here light, which canonicalising leaves."""
    found = audit(sets(light=60.0))
    assert found.verdict.state == "refused"
    assert found.verdict.auc is None
    assert "brightness alone" in found.verdict.headline
    assert found.after.together.value > 0.95


def test_prompts_that_both_sides_answer_make_the_refusal_say_so(seen):
    rng = np.random.default_rng(9)
    observed = [
        seen(side, f"{side}{place}", rng, group=f"p{place}", light=60.0 if side == "fake" else None)
        for side in ("fake", "real")
        for place in range(16)
    ]
    found = audit(observed)
    assert found.verdict.state == "refused"
    assert any("may itself be the generator's trace" in line for line in found.verdict.reasons)


def test_length_before_canonicalising_is_a_caution_only(seen):
    """Length is taken away by the common form: it separates the files perfectly, and the windows not at all."""
    rng = np.random.default_rng(12)
    observed = [seen("fake", f"f{place}", rng, duration=rng.normal(2, 0.1)) for place in range(40)]
    observed += [seen("real", f"r{place}", rng, duration=rng.normal(9, 0.1)) for place in range(40)]
    found = audit(observed)
    assert found.before.together.value > 0.98
    assert found.after.together.value <= 0.6
    assert found.verdict.state == "not told apart"
    assert any("told apart by length" in line for line in found.verdict.cautions)


def test_spread_is_a_nuisance_as_well(seen):
    """All of one length against all lengths: the means agree, and the squares tell."""
    rng = np.random.default_rng(2)
    observed = [seen("fake", f"f{place}", rng, duration=5.0) for place in range(20)]
    observed += [seen("real", f"r{place}", rng, duration=rng.uniform(1, 9)) for place in range(20)]
    assert audit(observed).before.together.value > 0.8


def test_real_sources_that_differ_as_much_take_the_verdict_away(seen):
    rng = np.random.default_rng(3)
    observed = [seen("fake", f"f{place}", rng, shift=8.0) for place in range(20)]
    observed += [seen("real", f"a{place}", rng, set_name="a", shift=0.0) for place in range(20)]
    observed += [seen("real", f"b{place}", rng, set_name="b", shift=-8.0) for place in range(20)]
    found = audit(observed)
    assert found.verdict.state == "no further than real sources"
    assert found.floors[0].auc.value > 0.9
    assert found.margin.low <= 0


def test_one_real_source_has_no_floor_and_says_so(sets):
    table = make_table(sets())
    control, samples = real_floor(table, 0, 0.95)
    assert control.auc is None
    assert control.reason == "no floor: give a second --real, of another source"
    assert samples is None


def test_a_generator_against_itself_is_a_half_by_seeds_and_by_halves(sets, seen):
    rng = np.random.default_rng(4)
    seeds = [
        seen("fake", f"p{prompt}-{seed}", rng, group=f"p{prompt}", seed=seed)
        for prompt in range(15)
        for seed in range(2)
    ]
    for observed, how in ((seeds, "every other seed"), (sets(), "one half of the prompts")):
        control = same_generator_floor(make_table(observed), 0, 0.95)
        assert how in control.about
        assert control.auc.low <= 0.5 <= control.auc.high


def test_planted_faults_are_ceilings(sets):
    observed = sets()
    reals = [one for one in observed if one.clip.side == "real"]
    faulty = [replace(one, windows=tuple(_shifted(window, 9.0) for window in one.windows)) for one in reals]
    unseen = [replace(one, windows=tuple(_shifted(window, 0.0) for window in one.windows)) for one in reals]
    found = audit(observed, checkerboard=faulty, frozen=unseen)
    assert found.ceilings[0].auc.value > 0.95
    assert found.ceilings[1].auc.value < 0.7
    assert any("would be missed here" in line for line in found.verdict.cautions)


def _shifted(window, shift: float):
    traces = dict(window.traces)
    traces["dct"] = traces["dct"] + np.eye(1, len(traces["dct"]))[0] * shift
    return replace(window, traces=traces)


def test_a_generator_left_out_is_told_by_what_the_others_taught(sets, seen):
    rng = np.random.default_rng(5)
    observed = [seen("real", f"r{place}", rng) for place in range(20)]
    for name, shift in (("one", 8.0), ("two", 8.0), ("other", -8.0)):
        observed += [seen("fake", f"{name}{place}", rng, set_name=name, shift=shift) for place in range(20)]
    found = {control.name: control.auc.value for control in leave_one_out(make_table(observed), 0, 0.95)}
    assert found["without one"] > found["without other"] + 0.3
    assert found["without other"] < 0.3  # its trace points the other way
    assert leave_one_out(make_table(sets()), 0, 0.95) == ()


def test_windows_of_one_source_are_one_piece_of_evidence(seen):
    rng = np.random.default_rng(6)
    observed = [seen(side, f"{side}{place}", rng, windows=8) for side in ("fake", "real") for place in range(4)]
    found = audit(observed)
    assert found.verdict.state == "too few"
    assert "4 independent generated and 4 independent real" in found.verdict.headline


@pytest.mark.parametrize("clips", [1, 0])
def test_one_clip_a_side_is_no_crash(sets, seen, clips):
    rng = np.random.default_rng(7)
    observed = [seen(side, side, rng) for side in ("fake", "real")][: 2 * clips]
    observed.append(Observed(sets()[0].clip, reason="broken"))
    found = audit(observed, frozen=[])
    assert found.verdict.state == "too few"
    assert found.measured is None


def test_the_ledger_counts_every_clip(sets):
    observed = sets(clips=3)
    observed.append(Observed(replace(observed[0].clip, name="bad"), reason="breaks off"))
    fake, real = ledger(observed)
    assert (fake.clips, fake.measured, fake.reasons) == (4, 3, {"breaks off": 1})
    assert (real.clips, real.measured, real.groups) == (3, 3, 3)


def test_figures_do_not_depend_on_the_order_of_clips(sets):
    observed = sets(shift=2.0)
    first, second = (measure_auc(make_table(clips).samples(ALL)) for clips in (observed, observed[::-1]))
    assert first.value == pytest.approx(second.value, abs=1e-9)
