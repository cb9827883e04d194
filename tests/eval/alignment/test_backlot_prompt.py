"""Which factors a prompt's accuracy is made of, with readings that are made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.alignment.backlot_prompt import FACTORS, backlot_prompt_accuracy, verdicts
from eval.case import Case
from eval.clip import ClipInfo, StreamFacts
from eval.features.backlot_reader.weights import vocabulary
from eval.metric import METRICS, Measured, NotMeasurable
from moviegen.backlot import Scene, sample_scene

CRASH = sample_scene(
    3, subject="ball", color="red", action="collide", other="box", other_color="blue", relation="right of"
)
NURSE = sample_scene(3, subject="person", role="nurse", color="red", action="wave", setting="park")


def measured(scene: Scene, stated: tuple[str, ...], **read: Any) -> Measured:
    """A clip in which everything is read as in the scene, but for `read`."""
    seen = {name: value for name, value in scene.factors().items() if value is not None} | read
    arrays = {}
    for factor in vocabulary().factors:
        arrays[factor.name] = np.zeros(len(factor.classes), np.float32)
        arrays[factor.name][factor.label(seen) if factor.name in seen else 0] = 1
    truth = {"scene": {k: v for k, v in scene.to_dict().items() if v is not None}, "stated": list(stated)}
    info = ClipInfo("c", "0", 64, 64, 8, 4, False)
    return Measured(info, StreamFacts(32, "regular"), {"backlot_reading": arrays}, Case("c", truth=truth))


def test_only_what_is_stated_counts() -> None:
    said = ("subject", "color", "action")
    assert verdicts(measured(NURSE, said)) == dict.fromkeys(said, True)
    wrong = measured(NURSE, said, setting="sea", color="blue")
    assert verdicts(wrong) == {"subject": True, "color": False, "action": True}
    assert backlot_prompt_accuracy(wrong) == pytest.approx(2 / 3)


def test_a_role_read_in_what_is_no_person_is_no_role() -> None:
    said = ("subject", "role")
    assert verdicts(measured(NURSE, said)) == {"subject": True, "role": True}
    assert verdicts(measured(NURSE, said, subject="dog")) == {"subject": False, "role": False}


def test_two_that_collide_may_be_named_either_way_round() -> None:
    said = ("subject", "color", "other", "other_color", "action")
    turned = {"subject": "box", "color": "blue", "other": "ball", "other_color": "red"}
    assert all(verdicts(measured(CRASH, said, **turned)).values())
    assert all(verdicts(measured(CRASH, said)).values())
    mixed = measured(CRASH, said, **{**turned, "color": "red", "other_color": "blue"})
    assert sum(verdicts(mixed).values()) == 2, "the colours belong to the shapes"
    apart = sample_scene(3, subject="ball", color="red", action="spin", other="box", other_color="blue")
    assert sum(verdicts(measured(apart, said, **turned)).values()) == 1, "only what collides is symmetric"


def test_what_the_reader_cannot_tell_is_skipped_not_wrong() -> None:
    eyes = measured(NURSE, ("eye_color",), eye_color="green")
    assert verdicts(eyes) == {}
    with pytest.raises(NotMeasurable, match="nothing that the reader can tell"):
        backlot_prompt_accuracy(eyes)
    with pytest.raises(NotMeasurable, match="does not state the light"):
        METRICS.get("backlot_accuracy_light").function(measured(NURSE, ("subject",)))


def test_a_truth_that_is_no_scene_fails_with_its_value() -> None:
    strange = measured(NURSE, ("subject",))
    assert strange.case is not None
    assert strange.case.truth is not None
    strange.case.truth["scene"]["subject"] = "dragon"
    with pytest.raises(ValueError, match="subject='dragon' is none of the reader's classes"):
        verdicts(strange)


def test_every_metric_is_of_a_factor_that_the_shipped_reader_is_good_at() -> None:
    assert set(FACTORS) <= set(vocabulary().counted)
