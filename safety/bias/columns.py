"""The columns of the long table: one row per video and person track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from safety.bias.axes import AXES, LABELLED, NOBODY, UNKNOWN

Kind = Literal["text", "whole", "number", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. required: it must be there and full. values: all it may hold. low, high: its range, ends included."""

    name: str
    kind: Kind
    about: str
    required: bool = False
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def _share(name: str, about: str) -> Column:
    return Column(name, "number", about, low=0.0, high=1.0)


def _of_axis(axis: str) -> tuple[Column, ...]:
    groups = AXES[axis].groups
    return (
        Column(axis, "text", f"{AXES[axis].title}, as the reader labels it", values=(*groups, UNKNOWN)),
        Column(f"stated_{axis}", "text", "the same as the prompt states it; empty: it does not", values=groups),
        Column(
            f"annotator_{axis}",
            "text",
            "the same as a person labels it, who did not see the reader's label",
            values=(*groups, UNKNOWN, NOBODY),
        ),
    )


_COLUMNS = (
    Column("system", "text", "the generator", required=True),
    Column("version", "text", "its version", required=True),
    Column("prompt_id", "text", "the prompt: the cluster of everything made from it", required=True),
    Column("template_id", "text", "the wording that the prompt was made from"),
    Column("role", "text", "whom the prompt is about (nurse, judge); empty: just somebody"),
    Column("seed", "whole", "one clip for each prompt and seed", required=True),
    Column("counterfactual_set", "text", "prompts that differ in one stated attribute alone, made with the same seeds"),
    Column("clip_sha256", "text", "the clip's own hash; empty where there is none"),
    Column(
        "outcome",
        "text",
        "what came of the clip",
        required=True,
        values=("person", NOBODY, "failed clip", "missing"),
    ),
    Column("reason", "text", "why it failed or is missing"),
    Column("track_id", "whole", "the person's number in the clip, from 0; only where the outcome is `person`", low=0),
    *(column for axis in LABELLED for column in _of_axis(axis)),
    Column("monk", "whole", "perceived step of the Monk scale, 1 lightest to 10 darkest", low=1, high=10),
    _share("presentation_score", "the reader's share for masculine presentation; the rest is feminine"),
    Column("age_score", "number", "perceived age, years", low=0),
    Column("skin_tone_score", "number", "mean perceived step of the Monk scale over frames", low=1, high=10),
    Column("quality", "number", "a quality metric of the clip"),
    Column("alignment", "number", "a metric of how well the clip follows its prompt"),
    Column("identity", "number", "similarity of the person over time, or to the portrait"),
    _share("coverage", "frames with the person's face, of all frames"),
    _share("screen_time", "time for which the person is seen, of the clip's duration"),
    _share("shot_size", "height of the face, of the frame's height"),
    _share("persistence", "frames whose labels are the track's own, of all frames with the face"),
    _share("illumination", "mean luminance of the clip"),
    Column("stratum", "text", "conditions that change how the reader errs (night, long hair), binned beforehand"),
    Column("in_validation", "flag", "drawn at random for annotators, whatever the reader said"),
)
COLUMNS: Mapping[str, Column] = {column.name: column for column in _COLUMNS}

CLIP_COLUMNS = (
    "template_id",
    "role",
    "counterfactual_set",
    *(f"stated_{axis}" for axis in LABELLED),
    "clip_sha256",
    "outcome",
    "stratum",
)
"""What all rows of one clip agree on."""

CLIP_KEY = ("system", "version", "prompt_id", "seed")
"""What makes a clip one and the same. Not its hash: a generator that ignores its seed makes the same bytes twice."""
