"""Backlot clips against their prompts and twins, through the planner: what is measured, and why something is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.alignment.backlot_encoder import FEWEST
from eval.case import Case
from eval.clip import Clip, MemorySource
from eval.features.backlot_encoder.weights import ENCODER, weights_sha256
from eval.metric import METRICS
from eval.planner import Score, score_clip
from moviegen.backlot import Scene, caption, render, sample_scene
from moviegen.backlot.contrasts import CONTRASTS, contrasts

SCENES = [sample_scene(seed, shot="medium") for seed in range(700, 716)]
PROMPTS = tuple(caption(scene, "detailed") for scene in SCENES)
NAMES = ("backlot_text_similarity", "backlot_text_rank", *(f"backlot_contrast_{factor}" for factor in CONTRASTS))


def case_of(scene: Scene, **more: Any) -> Case:
    return Case("c", prompt=caption(scene, "detailed"), truth={"contrasts": contrasts(scene, "detailed")}, **more)


def scored(clip: Clip, case: Case, prompts: tuple[str, ...] = PROMPTS) -> dict[str, Score]:
    metrics = [METRICS.get(name) for name in NAMES]
    return {score.metric: score for score in score_clip(MemorySource(clip), metrics, case=case, prompts=prompts).scores}


def filmed(scene: Scene) -> Clip:
    return render(scene, sound=False)


def test_a_clip_of_the_prompt_is_far_above_one_of_another_prompt_and_above_noise() -> None:
    noise = Clip(np.random.default_rng(0).integers(0, 256, (32, 3, 64, 64), np.uint8), 8)
    right, wrong, none = [], [], []
    for scene, other in zip(SCENES[:8], SCENES[8:], strict=True):
        case = case_of(scene)
        for found, clip in ((right, filmed(scene)), (wrong, filmed(other)), (none, noise)):
            scores = scored(clip, case)
            found.append([scores[name].value for name in NAMES[:2]])
    (similar, rank), (other_similar, other_rank), (no_similarity, no_rank) = np.mean([right, wrong, none], axis=1)
    assert similar > other_similar + 0.3
    assert similar > no_similarity + 0.3
    assert rank > 0.97
    assert max(other_rank, no_rank) < 0.8


def test_the_right_prompt_beats_its_twins() -> None:
    values = [
        score.value
        for scene in SCENES
        for name, score in scored(filmed(scene), case_of(scene)).items()
        if name.startswith("backlot_contrast_") and score.status == "ok"
    ]
    assert len(values) > 2 * len(SCENES)
    assert np.mean(values) > 0.85


def test_rows_name_the_encoder() -> None:
    for score in scored(filmed(SCENES[0]), case_of(SCENES[0])).values():
        assert score.status == "skipped" or (score.encoder, score.encoder_sha256) == (ENCODER, weights_sha256())


def test_what_cannot_be_compared_is_skipped_with_the_reason() -> None:
    clip = filmed(SCENES[0])
    few = scored(clip, case_of(SCENES[0]), PROMPTS[: FEWEST - 1])["backlot_text_rank"]
    assert (few.status, few.value) == ("skipped", None)
    assert "a rank needs 10" in few.reason
    for case, wanted in ((Case("c"), "no prompt"), (Case("c", prompt="a dog"), "no 'contrasts'")):
        contrast = scored(clip, case)["backlot_contrast_color"]
        assert contrast.status == "skipped"
        assert wanted in contrast.reason
    unsaid = scored(clip, Case("c", prompt="a dog", truth={"contrasts": {"color": "a blue dog"}}))
    assert unsaid["backlot_contrast_count"].reason == "the case has no twin prompt for count"
    assert unsaid["backlot_contrast_color"].status == "ok"


@pytest.mark.parametrize("prompt", ["\N{CAT FACE}", "x" * 3000, "<script>alert(1)</script>", "\x00\x01"])
def test_any_prompt_has_a_similarity(prompt: str) -> None:
    score = scored(filmed(SCENES[0]), Case("c", prompt=prompt), (prompt, *PROMPTS))["backlot_text_similarity"]
    assert score.status == "ok"
    assert score.value is not None
    assert -1 <= score.value <= 1
