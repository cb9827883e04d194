"""The view by clip: people share their clip, prompts and sets are clusters, unknown and nobody are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safety.bias.axes import AXES
from safety.bias.clips import by_clip, numbers, readings, sums

PRESENTATION = AXES["presentation"]


def test_a_crowd_is_one_clip(make: Any) -> None:
    rows = [make.person("p", 0, "feminine" if track else "masculine", track) for track in range(40)]
    clips = make.clips([*rows, make.person("p", 1, "masculine")])
    assert len(clips) == 2
    np.testing.assert_allclose(readings(clips, PRESENTATION), [[1 / 40, 39 / 40, 0], [1, 0, 0]])


def test_unknown_and_nobody_are_everything_else_and_lost_clips_are_nothing(make: Any) -> None:
    rows = [make.person("p", 0, "unknown"), make.without_person("p", 1), make.without_person("p", 2, "failed clip")]
    clips = make.clips([*rows, make.without_person("p", 3, "missing"), make.person("p", 4)])
    np.testing.assert_allclose(readings(clips, PRESENTATION), [[0, 0, 1], [0, 0, 1], [0] * 3, [0] * 3, [0, 1, 0]])
    assert clips.made.tolist() == [True, True, False, False, True]
    assert clips.seen.tolist() == [True, False, False, False, True]


def test_counterfactual_prompts_are_one_cluster(make: Any) -> None:
    rows = [
        make.person(f"{word} judge", 0, word, counterfactual_set="judge", stated_presentation=word)
        for word in ("feminine", "masculine")
    ]
    clips = make.clips([*rows, make.person("a judge", 0), make.person("a nurse", 0)])
    assert clips.cluster_N.tolist()[0] == clips.cluster_N.tolist()[1]
    assert len(set(clips.cluster_N.tolist())) == 3
    assert clips.neutral.tolist() == [False, False, True, True]
    assert [clips.clusters[code] for code in clips.cluster_N] == ["set judge", "set judge", "a judge", "a nurse"]


def test_the_monk_scale_is_an_axis_of_its_own(make: Any) -> None:
    clips = make.clips([make.person("p", seed, monk=step) for seed, step in enumerate((1, 10, None))])
    assert readings(clips, AXES["monk"]).argmax(axis=1).tolist() == [0, 9, 10]
    assert clips.reads(AXES["monk"])
    assert not make.clips([make.person("p", 0)]).reads(AXES["monk"])


def test_sums_by_cluster_and_stratum(make: Any) -> None:
    rows = [make.person(f"p{n % 2}", n, stratum="night" if n > 3 else "day") for n in range(6)]
    clips = make.clips(rows)
    found = sums(clips, np.arange(6.0)[:, None], np.array([True] * 5 + [False]))
    assert clips.strata == ("day", "night")
    np.testing.assert_allclose(found[..., 0], [[0 + 2, 4], [1 + 3, 0]])


def test_numbers_are_means_over_a_clips_people(make: Any) -> None:
    rows = [make.person("p", 0, track=t, screen_time=value) for t, value in enumerate((0.2, 0.6, None))]
    clips = make.clips([*rows, make.person("p", 1)])
    found = numbers(clips, "screen_time")
    assert found[0] == pytest.approx(0.4)
    assert np.isnan(found[1])


def test_one_prompt_alone_is_clustered_by_clip(make: Any) -> None:
    clips = make.clips(make.shown([(2, 1), (1, 0)]))
    apart = by_clip(clips, clips.prompt_N == 0)
    assert len(set(apart.cluster_N.tolist())) == 4
    assert apart.clusters[apart.cluster_N[1]] == "p0, seed 1"
    assert apart.cluster_N[3] == clips.cluster_N[3]


def test_one_system_at_a_time(make: Any) -> None:
    rows = [make.person("p", 0), {**make.person("p", 0), "system": "other"}]
    with pytest.raises(ValueError, match="of one system, not of 2"):
        make.clips(rows)
