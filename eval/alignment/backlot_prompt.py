"""backlot_prompt_accuracy and backlot_accuracy_…: whether a clip shows what its Backlot prompt states.

A small network reads the clip; the case's truth says which scene was described and which of its factors the prompt
states. Only those count, and of them only the ones that the reader reads well enough where the picture can show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from eval.feature import Arrays
from eval.features.backlot_reader.factors import Factor, meets
from eval.features.backlot_reader.weights import Vocabulary, vocabulary
from eval.metric import Measured, MetricFunction, NotMeasurable, metric

alignment = partial(
    metric,
    version=1,
    family="alignment",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    needs=("backlot_reading",),
    source="ours: a network trained on the Backlot's truth reads the clip; see eval/weights",
    invariant_to=frozenset({"fps", "size"}),
    needs_truth=("scene", "stated"),
)

SYMMETRIC = "collide"
OTHER_WAY_ROUND = {"subject": "other", "color": "other_color", "other": "subject", "other_color": "color"}
"""A ball that collides with a box is a box that collides with a ball: either may be read as the subject."""

FACTORS = (
    "subject",
    "color",
    "count",
    "role",
    "relation",
    "action",
    "setting",
    "light",
    "weather",
    "camera",
)
"""The factors with a metric of their own."""


@alignment(
    name="backlot_prompt_accuracy",
    summary="share of what the prompt states that the clip shows; 1 is everything",
    blind_spots="reads 4 s at 64 pixels; not seen: what was not asked for, eyes, quality, sound; footage is misread",
)
def backlot_prompt_accuracy(measured: Measured) -> float:
    """Share of the stated factors that are read as stated, 0-1; each case counts alike, however much it states."""
    found = verdicts(measured)
    if not found:
        raise NotMeasurable("the prompt states nothing that the reader can tell")
    return sum(found.values()) / len(found)


def verdicts(measured: Measured) -> dict[str, bool]:
    """Stated factor → whether the clip is read as showing it. Where two collide, the better way round."""
    assert measured.case is not None
    truth = measured.case.truth
    assert truth is not None
    words, reading = vocabulary(), measured["backlot_reading"]
    scene, stated = truth["scene"], truth["stated"]
    found = _judged(words, reading, scene, stated)
    if scene.get("action") != SYMMETRIC:
        return found
    swapped = {name: scene.get(OTHER_WAY_ROUND.get(name, name)) for name in scene}
    return max(found, _judged(words, reading, swapped, stated), key=lambda one: sum(one.values()))


def _judged(words: Vocabulary, reading: Arrays, scene: Mapping[str, Any], stated: list[str]) -> dict[str, bool]:
    read = {factor.name: factor.classes[int(reading[factor.name].argmax())][0] for factor in words.factors}
    factors = [words.factor(name) for name in words.counted if name in stated]
    return {factor.name: _shown(factor, scene, read) for factor in factors if factor.applies(scene)}


def _shown(factor: Factor, scene: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    return read[factor.name] in factor.classes[factor.label(scene)] and meets(read, factor.needs)


def _accuracy_of(name: str) -> MetricFunction:
    def accuracy(measured: Measured) -> float:
        found = verdicts(measured)
        if name not in found:
            raise NotMeasurable(f"the prompt does not state the {name.replace('_', ' ')}, or not so that it shows")
        return float(found[name])

    accuracy.__doc__ = f"1 if the {name} that the prompt states is read in the clip, else 0."
    return accuracy


for _name in FACTORS:
    alignment(
        name=f"backlot_accuracy_{_name}",
        summary=f"1 where the clip shows the {_name.replace('_', ' ')} that the prompt states, else 0",
        blind_spots="the reader is wrong in up to 6% of faultless clips: see its card in eval/weights",
    )(_accuracy_of(_name))
