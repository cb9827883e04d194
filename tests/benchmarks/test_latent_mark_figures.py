"""The latent mark's figures: conditions do what they say, and a reading becomes a line with its exact interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from benchmarks.latent_mark_figures import BAR, CONDITIONS, KEY, Sample, attacked, figure
from eval.clip import Clip
from eval.marks.bits import random_message
from moviegen.generate import Form, load_reference
from moviegen.latent_mark.marking import MarkRecord, generate_marked
from moviegen.sampling import Sampler
from safety.watermark.attacks.attack import ATTACKS

FORM = Form(32, 64, 64, 8.0)
"""A second of eight sampling steps does not always give every bit back; four seconds do."""


def test_a_condition_is_its_attacks_in_order() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), np.uint8)
    clip = Clip(frames, 8.0)
    assert np.array_equal(attacked(clip, "lost@2").frames_TCHW, frames[2:])
    assert np.array_equal(attacked(clip, "lost@1+hflip@1").frames_TCHW, frames[1:, ..., ::-1])
    assert np.array_equal(attacked(clip, "noise@0.1").frames_TCHW, attacked(clip, "noise@0.1").frames_TCHW)


def test_every_condition_names_an_attack_on_its_ladder() -> None:
    steps = [step.partition("@") for condition in (BAR, *CONDITIONS) for step in condition.split("+")]
    assert all(float(value) in ATTACKS.get(name).ladder for name, _, value in steps if name != "lost")


def test_a_figure_counts_whole_messages_of_the_right_record() -> None:
    reference, message_K = load_reference(), random_message(32, 5)
    clip, record = generate_marked(reference, "a dog", 1, FORM, Sampler(steps=8), message_K, KEY)
    samples = [Sample(clip, message_K, record), Sample(clip, 1 - message_K, record)]
    other = MarkRecord(bytes(12), FORM)
    found = figure(reference, samples, "", with_prompts=False, records=[other, record])
    assert (found.clips, found.recovered, found.found, found.bit_accuracy) == (2, 0.5, 1.0, 0.5)
    assert (found.low, found.high) == pytest.approx((beta.ppf(0.025, 1, 2), beta.ppf(0.975, 2, 1)), abs=1e-4)
    assert found.weakest > 6
