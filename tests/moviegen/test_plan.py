"""Scale on paper: against published sizes and against counted operations."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from moviegen.networks.transformer import Condition
from moviegen.networks.video_model import VideoModel
from moviegen.plan import PlanError, build_on_meta, flops_per_step, forward_flops, plan, training_bytes
from moviegen.presets import preset


def test_the_largest_is_the_published_one() -> None:
    large = plan("30b", 1024)
    assert large.parameters == pytest.approx(29.3e9, rel=0.03)
    assert large.tokens == 73_728
    assert large.sharding.data == 128
    assert large.clips_at_once * large.accumulate * large.sharding.data == large.batch
    assert large.memory_bytes < 80e9
    text = str(large)
    assert "73,728" in text
    assert "29." in text
    assert "4 tensor x 2 context x 128 data" in text
    assert len(text.splitlines()) == len(large.rows())


def test_the_5b_is_mindones() -> None:
    assert plan("5b", 256).parameters == pytest.approx(4.83e9, rel=0.03)


def test_nothing_is_allocated() -> None:
    assert all(parameter.is_meta for parameter in build_on_meta(preset("30b")).parameters())


def test_forward_operations_are_those_torch_counts() -> None:
    config = preset("tiny")
    model = VideoModel(config.transformer, config.text).transformer
    condition = Condition(torch.randn(1, 20, 192), torch.ones(1, 20, dtype=torch.bool))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(torch.randn(1, config.transformer.in_channels, 8, 8, 8), torch.rand(1), condition)
    assert forward_flops(config, 32, 64, 64, 20) == pytest.approx(counter.get_total_flops(), rel=1e-3)


def test_the_state_of_a_training_is_counted() -> None:
    assert training_bytes(preset("tiny")) == 20 * sum(p.numel() for p in build_on_meta(preset("tiny")).parameters())


def test_more_gpus_take_less_memory_and_time() -> None:
    few, many = plan("30b", 512), plan("30b", 1024)
    assert many.memory_bytes < few.memory_bytes
    assert many.days == pytest.approx(few.days / 2)
    assert plan("30b", 512, utilisation=0.2).days == pytest.approx(2 * few.days)


def test_a_step_is_six_operations_per_parameter_and_token_and_attention() -> None:
    config = preset("5b")
    attention = 3 * 4 * 73_728**2 * 3072 * 32
    estimate = config.recipe.batch * (6 * 4.83e9 * 73_728 + attention)
    assert flops_per_step(config) == pytest.approx(estimate, rel=0.1)


@pytest.mark.parametrize(
    ("gpus", "utilisation", "line"),
    [
        (0, 0.4, "at least 1 GPU"),
        (1001, 0.4, "groups of 4 x 2 GPUs; 1001 is no multiple of 8"),
        (24, 0.4, "512 clips per step do not divide among 3 groups"),
        (1024, 0.0, "utilisation is a share"),
        (1024, 1.5, "utilisation is a share"),
    ],
)
def test_plans_that_do_not_add_up_are_one_line(gpus: int, utilisation: float, line: str) -> None:
    with pytest.raises(PlanError, match=line):
        plan("30b", gpus, utilisation=utilisation)
