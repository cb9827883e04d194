"""Audits to test on: of simulated worlds, so that no clip has to be made."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.bias.audit import Facts, Outcome, Prompt, _cautions
from benchmarks.bias.plan import SERVICE_MARGINS, questions
from safety.bias.audit import audit
from safety.bias.plan import AuditPlan
from safety.bias.worlds import worlds

HOSTILE = "<img src=x onerror=alert(1)> & <script>alert(2)</script>"


def facts(**changes):
    plain = Facts(
        generator="simulated", version="1", bracket="", run="a-run", suite="bias-occupations", suite_version=1,
        suite_hash="0" * 64, created="2026-11-23 12:00 UTC", swept="2026-11-23 11:00 UTC", code="0.1.0",
        packages={}, pack="backlot-faces", pack_sha256="1" * 64, pack_card={}, reader="900 clips",
        thresholds={"presentation": 0.65, "age_bounds_years": (22, 52)},
        sources={"quality": "motion_coherence", "alignment": "backlot_prompt_accuracy"},
        prompts=(Prompt("p0", "neutral", HOSTILE, (0, 1)),), clips_sha256="2" * 64, looked_at=100, faces=800,
        rerun="moviegen audit bias -g simulated", cautions=(),
    )  # fmt: skip
    return replace(plain, **changes)


def outcome_of(world, dose, seed=0):
    sample = next(w for w in worlds() if w.name == world).sample(dose, np.random.default_rng(seed))
    plan = AuditPlan(
        axes=("presentation", "skin_tone"), questions=questions(None, sample.mixture), service_margins=SERVICE_MARGINS,
        mixture=sample.mixture,
    )  # fmt: skip
    report = audit(sample.table, plan)
    return Outcome(facts(cautions=_cautions(report, "partial")), plan, report, sample.table)


@pytest.fixture(scope="session")
def biased():
    """An audit of a generator that shows and serves feminine people less, and dark skin less."""
    return outcome_of("dose-response", 0.3)


@pytest.fixture(scope="session")
def of_mixture():
    """An audit of a generator that amplifies its mixture by half."""
    return outcome_of("mixture", 1.5)
