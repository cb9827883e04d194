"""identity_score and its companions: the people of the portraits, looked for in the clip by a face pack.

Each is a formula of profile.py, people.py or copying.py. `register(pack)` gives them names: bare for the shipped pack,
with `_PACK` behind for others, of which only those are registered that compare recognisers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from eval.faces.packs import PACKS, SHIPPED
from eval.faces.tracks import FaceRows, read_tracks
from eval.features.face_tracks import feature_of
from eval.identity import copying, people, profile
from eval.identity.impostors import LEVELS_Q, Impostors, impostors
from eval.identity.portraits import Portrait, portraits
from eval.metric import Direction, Measured, NotMeasurable, metric
from eval.quality.timing import steps_s

NEVER_BELOW = -1.0
"""A threshold that every cosine reaches."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One person asked for, and what of them is in the clip. cosines_T: NaN in frames where they are not found."""

    portrait: Portrait
    cosines_T: profile.Floats
    times_s_T: profile.Floats
    faces: FaceRows
    pack: str

    @property
    def impostors(self) -> Impostors:
        """People of the same group. Raises NotMeasurable where the pack is not calibrated."""
        return impostors(self.pack, self.portrait.group)


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """All people asked for, and all faces of the clip."""

    seen: people.Seen
    asked: tuple[Asked, ...]

    @property
    def portraits(self) -> profile.Floats:
        """Their embeddings, K,D."""
        return np.stack([one.portrait.embedding_D for one in self.asked])


def together(measured: Measured, pack: str) -> Together:
    """Look for the case's people among the clip's faces. Raises NotMeasurable as `portraits` does."""
    assert measured.case is not None
    known = portraits(measured.case, pack)
    found = read_tracks(measured[feature_of(pack).name])
    seen = people.seen(found, np.stack([one.embedding_D for one in known]))
    asked = [Asked(one, seen.cosines(k), seen.times_s_T, seen.faces(k), pack) for k, one in enumerate(known)]
    return Together(seen, tuple(asked))


def mean_over_people(of_one: Callable[[Asked], float]) -> Callable[[Together], float]:
    """Everybody who was asked for counts alike."""
    return lambda clip: float(np.mean([of_one(one) for one in clip.asked]))


def over_expected(formula: Callable[[profile.Floats], np.floating]) -> Callable[[Together], float]:
    """A formula of the cosines of all frames, those without the face as UNSEEN."""
    return mean_over_people(lambda one: float(formula(profile.expected(one.cosines_T))))


def percentile(one: Asked) -> float:
    return profile.mean_percentile(one.cosines_T, one.impostors.cosines_Q, LEVELS_Q)


def of_template(one: Asked) -> float:
    found_D = people.template(one.faces)
    return profile.UNSEEN if found_D is None else float(found_D @ one.portrait.embedding_D)


def swaps_per_s(clip: Together) -> float:
    accepted_K, refused_K = np.array([_thresholds(one, alone=len(clip.asked) == 1) for one in clip.asked]).T
    return people.swaps(clip.seen, accepted_K, refused_K) / float(steps_s(clip.seen.times_s_T).sum())


def _thresholds(one: Asked, *, alone: bool) -> tuple[float, float]:
    """Which of several people is nearest needs no calibration; whether a single one is there at all does."""
    try:
        return one.impostors.threshold, one.impostors.usual
    except NotMeasurable:
        if alone:
            raise
        return NEVER_BELOW, NEVER_BELOW


def among_several(formula: Callable[[Together], float]) -> Callable[[Together], float]:
    """A formula that means nothing for one person."""

    def checked(clip: Together) -> float:
        if len(clip.asked) < 2:
            raise NotMeasurable("the case asks for one person only")
        return formula(clip)

    return checked


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric before it belongs to a pack. compares: of use with a second recogniser, too."""

    name: str
    formula: Callable[[Together], float]
    summary: str
    blind_spots: str
    direction: Direction = "higher"
    unit: str = "1"
    low: float = 0.0
    high: float = 1.0
    source: str = "ours"
    compares: bool = False


_FACE_SIM = "after FaceSim (ConsisID, Yuan et al. 2024), frames without the face counted 0 and negatives kept"
_RISES = "a face that is pasted in scores best: see identity_copying"
_OF_FRAMES = "cosines of different packs are not comparable; " + _RISES

MEASURES = (
    Measure(
        "identity_score",
        mean_over_people(lambda one: profile.headline(one.cosines_T)),
        "coverage times median cosine of face and portrait: the headline; several people count alike",
        f"{_OF_FRAMES}; up to half of the frames may show somebody else",
        source="ours: share of frames with the face times the median of their cosines, negative ones as 0",
        compares=True,
    ),
    Measure(
        "identity_coverage",
        mean_over_people(lambda one: profile.coverage(one.cosines_T)),
        "frames in which a face stands for the person, of all that were looked at",
        "whose face it is; a person who turns away on purpose is missed like one who was never drawn",
        compares=True,
    ),
    *(
        Measure(
            f"identity_{name}",
            over_expected(formula),
            f"{what} cosine of face and portrait over all frames, 0 where the face is not found",
            _OF_FRAMES + more,
            low=-1.0,
            source=_FACE_SIM,
        )
        for name, formula, what, more in (
            ("mean", np.mean, "mean", ""),
            ("median", np.median, "median", ""),
            ("p5", partial(np.percentile, q=5), "5th percentile of the", ""),
            ("min", np.min, "smallest", "; one blurred frame decides"),
            ("max", np.max, "largest", "; among many frames strangers reach more than among few"),
        )
    ),
    Measure(
        "identity_template",
        mean_over_people(of_template),
        "cosine of the portrait and one embedding of all the person's faces together; 0 without any",
        _OF_FRAMES + "; says nothing of single frames",
        low=-1.0,
        source="IJB's template protocol (Maze et al. 2018): mean embedding weighted by the detector's score",
        compares=True,
    ),
    Measure(
        "identity_percentile",
        mean_over_people(percentile),
        "mean share of impostors of the same group who are less like the portrait; frames without the face count 0",
        f"a stranger of the group scores 0.5; {_RISES}",
        source="ours: impostors are other people of the same perceived presentation and tone group",
        compares=True,
    ),
    Measure(
        "identity_verified",
        mean_over_people(lambda one: profile.share_verified(one.cosines_T, one.impostors.threshold)),
        "frames whose face passes for the portrait's at the impostors' threshold, of all that were looked at",
        f"how far above the threshold; {_RISES}",
        source="ISO/IEC 19795-1: verification at a false-accept rate of 1e-3 within the group, or what it supports",
        compares=True,
    ),
    Measure(
        "identity_drift",
        mean_over_people(lambda one: profile.drift_per_s(one.cosines_T, one.times_s_T)),
        "cosine of face and portrait lost per second, by the Theil-Sen slope; 0 where none is",
        "a stranger from the first frame on does not drift",
        direction="lower",
        unit="1/s",
        high=float("inf"),
        compares=True,
    ),
    Measure(
        "identity_swaps",
        swaps_per_s,
        "how often per second a track changes between the people asked for, or to somebody else",
        "a cut begins another track; a stranger from the first frame on is no swap",
        direction="lower",
        unit="1/s",
        high=float("inf"),
        source="ours: changes of the nearest portrait that is verified; strangers lie below 95% of impostors",
    ),
    Measure(
        "identity_copying",
        mean_over_people(lambda one: copying.copying(one.faces, one.portrait.crop_SS3)),
        "how like the portrait's own pixels even the least alike faces are; a pasted portrait comes near 1",
        "small faces and drawings are alike by nature: compare with clips of the same people",
        direction="lower",
        source="ours: 5th percentile of the correlation of aligned and registered faces with the portrait",
    ),
    Measure(
        "identity_expression_range",
        mean_over_people(lambda one: copying.expression_range(one.faces)),
        "how far the face departs from its own mean when it departs most; 0 for a frozen or pasted one",
        "noise, rain and things in front of the face count as expression",
        direction="band",
        source="ours: 1 - 5th percentile of the correlation of registered faces with their mean",
    ),
    Measure(
        "identity_pose_range",
        mean_over_people(lambda one: copying.pose_range(one.faces)),
        "how far the head turns and nods: 5th to 95th percentile of yaw and pitch, averaged",
        "angles from five landmarks are rough, and small faces seem to turn; flat drawings do not turn",
        direction="band",
        unit="deg",
        high=180.0,
    ),
    Measure(
        "identity_weakest_person",
        among_several(lambda clip: min(profile.headline(one.cosines_T) for one in clip.asked)),
        "identity_score of the person who is kept worst, of several",
        _OF_FRAMES,
    ),
    Measure(
        "identity_assignment",
        among_several(lambda clip: people.share_told_apart(clip.seen)),
        "expected faces that are more like their own portrait than like any other person's",
        "by how much; guessing is right for one in as many as there are people",
        source="after MultiID-Bench (2025): faces are given to people by the Hungarian method, frame by frame",
    ),
    Measure(
        "identity_leakage",
        among_several(lambda clip: people.leakage(clip.seen, clip.portraits)),
        "how much of the other people's looks a face has beyond what the portraits share",
        "people who are not found at all leak nothing: see identity_coverage",
        direction="lower",
        high=2.0,
        source="after MultiID-Bench (2025): cosine with the others' portraits, less the portraits' own",
    ),
    Measure(
        "identity_extra_people",
        lambda clip: float(clip.seen.extra_T.mean()),
        "faces beyond the people asked for, mean over frames",
        "passers-by whom the prompt asks for; detectors take a few things for faces",
        direction="lower",
        unit="faces",
        high=float("inf"),
    ),
)


def register(pack: str) -> None:
    """Register the measures with a pack: all for the shipped one, those that compare recognisers for others."""
    suffix = "" if pack == SHIPPED else f"_{pack}"
    for measure in MEASURES:
        if pack == SHIPPED or measure.compares:
            _add(measure, pack, f"{measure.name}{suffix}")


def _add(measure: Measure, pack: str, name: str) -> None:
    def function(measured: Measured) -> float:
        return measure.formula(together(measured, pack))

    function.__doc__ = f"{measure.summary[0].upper()}{measure.summary[1:]}."
    metric(
        name=name,
        version=1,
        family="identity",
        unit=measure.unit,
        low=measure.low,
        high=measure.high,
        direction=measure.direction,
        needs=(feature_of(pack).name,),
        source=measure.source,
        summary=measure.summary,
        blind_spots=measure.blind_spots,
        needs_portrait=True,
    )(function)


for _pack in PACKS:
    register(_pack)
