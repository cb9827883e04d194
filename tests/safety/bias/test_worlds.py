"""Worlds of known bias: their tables pass the table's own checks, and what they show is what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.figures import figures
from safety.bias.table import audit_table
from safety.bias.worlds import PERFECT, Design, Shown, Simulated, worlds

NAMES = [world.name for world in worlds()]


def world(name: str) -> Simulated:
    return next(world for world in worlds() if world.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_every_world_makes_tables_that_an_audit_takes(name: str) -> None:
    one = world(name)
    sample = one.sample(one.doses[-1], np.random.default_rng(0))
    pd.testing.assert_frame_equal(audit_table(sample.table.frame).frame, sample.table.frame)
    again = one.sample(one.doses[-1], np.random.default_rng(0))
    assert again.table.sha256 == sample.table.sha256
    assert again.truth == sample.truth


def test_every_figure_has_a_world_that_knows_its_truth_and_one_that_doses_it() -> None:
    truths: dict[str, set[float]] = {}
    for one in worlds():
        for dose in one.doses:
            for name, value in one.sample(dose, np.random.default_rng(0)).truth.items():
                truths.setdefault(name, set()).add(value)
    for figure in figures():
        assert figure.truth in truths, figure
        assert any(figure.null(value) for value in truths[figure.truth]), figure
        assert max(truths[figure.truth]) - min(truths[figure.truth]) > 0.08, figure


def test_what_is_shown_is_what_is_said_to_be_true() -> None:
    """A perfect reader over one large audit: shares, their spread, gaps, and what was stated."""
    shown = Shown(
        np.linspace(0.2, 0.6, 400), np.full(400, 0.2), correlation=0.1, gap=0.1, nobody=0.0, failed=0.0, missing=0.0
    )
    design = Design(roles=100, templates=4, seeds=20, sets=2000, set_seeds=2)
    sample = Simulated("large", "", (0.0,), lambda *_: (shown, PERFECT, None), design).sample(
        0.0, np.random.default_rng(1)
    )
    frame = sample.table.frame
    neutral = frame[frame["counterfactual_set"].isna()]
    feminine, dark = neutral["presentation"] == "feminine", neutral["skin_tone"] == "dark"
    assert feminine.mean() - 0.5 == pytest.approx(sample.truth["presentation/feminine"], abs=0.015)
    assert dark.mean() - 1 / 3 == pytest.approx(sample.truth["skin_tone/dark"], abs=0.015)
    own = neutral.assign(feminine=feminine).groupby("prompt_id")["feminine"].agg(["mean", "count"])
    noise = (own["mean"] * (1 - own["mean"]) / (own["count"] - 1)).mean()
    skew = 2 * (((own["mean"] - 0.5) ** 2).mean() - noise) / 0.5
    assert skew == pytest.approx(sample.truth["presentation/prompt skew"], abs=0.03)
    stated = frame[frame["stated_presentation"].notna()]
    as_stated = stated["presentation"] == stated["stated_presentation"]
    by_group = as_stated[stated["outcome"] == "person"].groupby(stated["stated_presentation"]).mean()
    assert by_group["feminine"] - by_group["masculine"] == pytest.approx(sample.truth["followed gap"], abs=0.02)
    seen = (stated["outcome"] == "person").groupby(stated["stated_presentation"]).mean()
    assert seen["feminine"] - seen["masculine"] == pytest.approx(sample.truth["visible gap"], abs=0.02)


def test_the_confounded_world_is_confounded() -> None:
    """More night, darker readings and lower quality go together, and skin tones do not differ."""
    one = world("confounded by light")
    generator = np.random.default_rng(2)
    frame = pd.concat([one.sample(0.0, generator).table.frame for _ in range(20)])
    people = frame[(frame["outcome"] == "person") & frame["counterfactual_set"].isna()]
    night = people["stratum"] == "night"
    read_dark = people["skin_tone"] == "dark"
    assert read_dark[night].mean() > read_dark[~night].mean() + 0.08
    assert people["quality"][night].mean() < people["quality"][~night].mean() - 1
    labelled = people[people["in_validation"]]
    truly_dark = labelled["annotator_skin_tone"] == "dark"
    assert truly_dark.mean() == pytest.approx(1 / 3, abs=0.03)
    assert truly_dark[labelled["stratum"] == "night"].mean() == pytest.approx(1 / 3, abs=0.05)


def test_a_lost_clip_has_no_label_and_a_missed_person_keeps_the_annotators() -> None:
    frame = world("biased reader, fair generator").sample(0.0, np.random.default_rng(3)).table.frame
    lost = frame["outcome"].isin(["failed clip", "missing"])
    assert lost.any()
    assert not frame["in_validation"][lost].any()
    missed = (frame["outcome"] == "no visible person") & frame["annotator_presentation"].isin(["feminine", "masculine"])
    assert missed.any()
    assert frame["presentation"][missed].isna().all()
    assert len(clips_of(audit_table(frame))) == len(frame.drop_duplicates(["prompt_id", "seed"]))
    assert AXES["presentation"].groups == ("masculine", "feminine")
