"""The bootstrap of both samples agrees with the influences, which know nothing of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safety.bias.axes import AXES
from safety.bias.bootstrap import bootstrap_shares
from safety.bias.clips import clips_of
from safety.bias.correction import from_annotators, from_card
from safety.bias.shares import read_shares
from safety.bias.table import AuditTable

PRESENTATION = AXES["presentation"]


def test_it_agrees_with_the_influences_with_labels_on_the_same_clips(read_people: Any) -> None:
    clips = clips_of(read_people(np.random.default_rng(0), 60, 6, 0.35, 0.1, 0.85, 0.9, labelled=0.5))
    correction = from_annotators(clips, PRESENTATION, 10)
    shares = read_shares(clips, PRESENTATION, clips.neutral, correction)
    drawn = bootstrap_shares(clips, PRESENTATION, clips.neutral, correction, 0.95, np.random.default_rng(1), 2000)
    low_K, high_K = shares.intervals(0.95)
    assert drawn["feminine"].value == pytest.approx(shares.share_K[1], abs=0.01)
    assert drawn["feminine"].high - drawn["feminine"].low == pytest.approx(high_K[1] - low_K[1], rel=0.12)
    assert (drawn["feminine"].clips, drawn["feminine"].prompts) == (360, 60)


def test_it_agrees_with_a_card_from_elsewhere(read_people: Any) -> None:
    clips = clips_of(read_people(np.random.default_rng(2), 60, 6, 0.35, 0.1, 0.85, 0.9))
    card = np.array([[90.0, 10, 0], [15, 85, 0], [0, 0, 0]])
    correction = from_card(PRESENTATION, card, len(clips.clusters), 1, 10)
    shares = read_shares(clips, PRESENTATION, clips.neutral, correction)
    drawn = bootstrap_shares(clips, PRESENTATION, clips.neutral, correction, 0.95, np.random.default_rng(3), 2000)
    low_K, high_K = shares.intervals(0.95)
    assert drawn["feminine"].high - drawn["feminine"].low == pytest.approx(high_K[1] - low_K[1], rel=0.12)


def test_draws_that_lose_all_labels_of_a_group_are_left_out(read_people: Any) -> None:
    table = read_people(np.random.default_rng(4), 12, 5, 0.5, labelled=1.0)
    frame = table.frame.copy()
    frame["in_validation"] = frame["prompt_id"].isin(["p0", "p1"])
    clips = clips_of(AuditTable(frame))
    correction = from_annotators(clips, PRESENTATION, 2)
    drawn = bootstrap_shares(clips, PRESENTATION, clips.neutral, correction, 0.95, np.random.default_rng(5))
    assert 0 <= drawn["feminine"].low < drawn["feminine"].value < drawn["feminine"].high <= 1
