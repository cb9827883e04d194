"""The metrics through the planner, on tracks and portraits whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.cache import FeatureCache
from eval.case import Case
from eval.clip import Clip, MemorySource
from eval.faces.packs import PACKS, SHIPPED
from eval.faces.tracks import FaceTracks, track_arrays
from eval.feature import NotMeasurable
from eval.identity import measures
from eval.identity.impostors import LEVELS_Q, Impostors
from eval.metric import METRICS
from eval.planner import Score, score_clip

FRAMES = 16
SHIPPED_NAMES = [m.name for m in measures.MEASURES]
SEVERAL = {"identity_weakest_person", "identity_assignment", "identity_leakage"}


class Given(FeatureCache):
    """A cache that holds these tracks of any clip."""

    def __init__(self, found: FaceTracks) -> None:
        super().__init__(Path())
        self._arrays = track_arrays(found, 128)

    def get(self, key: Any) -> Any:
        return self._arrays if key.feature.startswith("face_tracks") else None

    def put(self, key: Any, arrays: Any) -> None:
        pass


@pytest.fixture
def known(monkeypatch, cast):
    """Portraits by the case's names; impostors spread evenly from -0.5 to 0.5."""
    monkeypatch.setattr(measures, "portraits", lambda case, _: [cast.portrait(k) for k in range(len(case.portraits))])
    even = Impostors("feminine 4-6", 0.5, 1e-3, LEVELS_Q - 0.5)
    monkeypatch.setattr(measures, "impostors", lambda _pack, _group: even)


def scores(found: FaceTracks, people: int = 1, names: list[str] | None = None) -> dict[str, Score]:
    clip = Clip(np.zeros((FRAMES, 3, 8, 8), np.uint8), 8.0)
    case = Case("c", references={f"portrait_{k}": f"{k}.png" for k in range(people)})
    metrics = [METRICS.get(name) for name in names or SHIPPED_NAMES]
    return {s.metric: s for s in score_clip(MemorySource(clip), metrics, case=case, cache=Given(found)).scores}


def values(found: FaceTracks, people: int = 1) -> dict[str, float | None]:
    return {name: score.value for name, score in scores(found, people).items()}


def test_a_person_who_is_kept(known, cast) -> None:
    told = values(cast.clip(cast.track([cast.like(0, 0.8)] * FRAMES), frames=FRAMES))
    for name in ("score", "mean", "median", "p5", "min", "max", "template"):
        assert told[f"identity_{name}"] == pytest.approx(0.8, abs=1e-6)
    assert told["identity_coverage"] == told["identity_verified"] == told["identity_percentile"] == 1
    assert told["identity_drift"] == pytest.approx(0, abs=1e-6)
    assert told["identity_swaps"] == told["identity_extra_people"] == 0
    assert told["identity_copying"] == pytest.approx(1)  # every crop is the portrait's
    assert told["identity_expression_range"] == pytest.approx(0, abs=1e-9)
    assert {name for name, value in told.items() if value is None} == SEVERAL


def test_half_the_frames_without_the_face_count_against_every_number(known, cast) -> None:
    told = values(cast.clip(cast.track([cast.like(0, 0.8), None] * (FRAMES // 2)), frames=FRAMES))
    assert told["identity_score"] == pytest.approx(0.4, abs=1e-6)
    assert told["identity_mean"] == pytest.approx(0.4, abs=1e-6)
    assert told["identity_coverage"] == told["identity_verified"] == told["identity_percentile"] == 0.5
    assert told["identity_min"] == told["identity_p5"] == 0


def test_a_clip_without_faces_is_as_bad_as_can_be_and_not_left_out(known, cast) -> None:
    told = scores(FaceTracks(8, 8, np.arange(FRAMES) / 8, ()))
    for name in ("score", "mean", "median", "coverage", "verified", "percentile", "template", "max"):
        assert told[f"identity_{name}"].value == 0, name
    assert told["identity_drift"].status == "skipped"
    assert "fewer than 3 frames" in told["identity_drift"].reason


def test_a_person_who_drifts_into_another(known, cast) -> None:
    shares = np.linspace(0, 1, FRAMES)
    told = values(cast.clip(cast.track([cast.between(0, 1, share) for share in shares]), frames=FRAMES))
    steady = values(cast.clip(cast.track([cast.like(0, 0.8)] * FRAMES), frames=FRAMES))
    assert told["identity_drift"] == pytest.approx(0.5, abs=0.1)  # a cosine of 1 in just under two seconds
    assert told["identity_swaps"] == pytest.approx(1 / (15 / 8))
    assert told["identity_score"] < steady["identity_score"]
    assert 0 < told["identity_verified"] < 1


def test_two_people_kept_blended_and_exchanged(known, cast) -> None:
    def pair(share: float) -> FaceTracks:
        return cast.clip(*(cast.track([cast.between(k, 1 - k, share)] * FRAMES, k) for k in (0, 1)), frames=FRAMES)

    told = [values(pair(share), people=2) for share in (0.0, 0.2, 0.4)]
    assert [one["identity_assignment"] for one in told] == [1, 1, 1]
    leaks = [one["identity_leakage"] for one in told]
    assert leaks == pytest.approx(np.sin(np.array([0, 0.2, 0.4]) * np.pi / 2), abs=1e-6)
    assert told[0]["identity_weakest_person"] == pytest.approx(1)
    alone = values(cast.clip(cast.track([cast.like(1, 0.8)] * FRAMES), frames=FRAMES), people=2)
    assert alone["identity_coverage"] == 0.5
    assert alone["identity_weakest_person"] == 0
    assert alone["identity_assignment"] == 0.5


def test_forty_faces_are_scored_and_counted(known, cast) -> None:
    crowd = [cast.track([cast.like(6, 0.3)] * FRAMES, k) for k in range(39)]
    told = values(cast.clip(*crowd, cast.track([cast.like(0, 0.8)] * FRAMES, 39), frames=FRAMES))
    assert told["identity_score"] == pytest.approx(0.8, abs=1e-6)
    assert told["identity_extra_people"] == 39


def test_one_frame_clips_have_a_score_and_no_drift(known, cast) -> None:
    found = cast.clip(cast.track([cast.like(0, 0.8)]), frames=1)
    told = scores(found)
    assert told["identity_score"].value == pytest.approx(0.8, abs=1e-6)
    skipped = {name for name, score in told.items() if score.status == "skipped"}
    ranges = {"identity_drift", "identity_swaps", "identity_copying", "identity_pose_range"}
    assert skipped == SEVERAL | ranges | {"identity_expression_range"}


def test_without_a_calibration_only_what_needs_it_is_skipped(known, cast, monkeypatch) -> None:
    def absent(pack: str, _group: str) -> Impostors:
        raise NotMeasurable(f"{pack} has no calibration on impostors: make one with `…`")

    monkeypatch.setattr(measures, "impostors", absent)
    track = cast.track([cast.like(0, 0.8)] * 8 + [cast.like(1, 0.8)] * 8)
    one = scores(cast.clip(track, frames=FRAMES))
    without = {name for name, score in one.items() if "no calibration" in score.reason}
    assert without == {"identity_percentile", "identity_verified", "identity_swaps"}
    # Among several people the nearest is known without one.
    two = scores(cast.clip(track, frames=FRAMES), people=2)
    assert two["identity_swaps"].value == pytest.approx(1 / (15 / 8))


def test_a_case_without_portrait_computes_nothing(cast) -> None:
    clip = Clip(np.zeros((4, 3, 64, 64), np.uint8), 8.0)
    for case in (None, Case("c"), Case("c", references={"source": "a.mp4"})):
        scored = score_clip(MemorySource(clip), [METRICS.get("identity_score")], case=case)
        assert scored.computed == ()
        assert (scored.scores[0].status, scored.scores[0].reason) == ("skipped", "the case has no portrait")


def test_a_bad_portrait_is_the_reason_in_every_row(cast, tmp_path) -> None:
    case = Case("c", references={"portrait": str(tmp_path / "nobody.png")})
    found = cast.clip(cast.track([cast.like(0, 0.8)] * FRAMES), frames=FRAMES)
    clip = Clip(np.zeros((FRAMES, 3, 8, 8), np.uint8), 8.0)
    metrics = [METRICS.get(name) for name in SHIPPED_NAMES]
    for score in score_clip(MemorySource(clip), metrics, case=case, cache=Given(found)).scores:
        assert score.status == "skipped"
        assert score.reason == "portrait nobody.png cannot be read: No such file or directory"


@pytest.mark.parametrize("pack", sorted(set(PACKS) - {SHIPPED}))
def test_other_packs_have_what_compares_recognisers_under_their_own_names(known, cast, pack) -> None:
    mine = [name for name in METRICS.names() if name.startswith("identity") and name.endswith(f"_{pack}")]
    assert mine == sorted(f"{measure.name}_{pack}" for measure in measures.MEASURES if measure.compares)
    found = cast.clip(cast.track([cast.like(0, 0.8), None] * 8), frames=FRAMES)
    theirs = scores(found, names=mine)
    assert {name.removesuffix(f"_{pack}"): score.value for name, score in theirs.items()} == {
        measure.name: values(found)[measure.name] for measure in measures.MEASURES if measure.compares
    }
    assert all(score.encoder == pack for score in theirs.values())


def test_a_pack_that_is_not_there_is_one_line(cast, tmp_path, monkeypatch) -> None:
    from eval.encoders.folder import VARIABLE

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    clip = Clip(np.zeros((4, 3, 64, 64), np.uint8), 8.0)
    case = Case("c", references={"portrait": "a.png"})
    (score,) = score_clip(MemorySource(clip), [METRICS.get("identity_score_buffalo_l")], case=case).scores
    assert score.status == "skipped"
    assert score.reason == "the weights of buffalo_l are missing: run `moviegen weights pull buffalo_l`"
