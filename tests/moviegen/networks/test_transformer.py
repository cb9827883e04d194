"""The transformer: sizes by closed form, shared modulation, zero start, and what it must and must not depend on."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional

from moviegen.networks.layers import RMSNorm, SelfAttention, SwiGLU, time_features
from moviegen.networks.transformer import (
    Condition,
    LatentSizeError,
    TransformerConfig,
    VideoTransformer,
    _to_latents,
    _to_patches,
)

CONFIG = TransformerConfig(
    layers=3, width=32, feed_forward=48, heads=2, in_channels=4, out_channels=4, max_t=6, max_h=5, max_w=4
)


def _model(config: TransformerConfig = CONFIG, seed: int = 0) -> VideoTransformer:
    """A transformer whose zeros have been filled, as training would."""
    torch.manual_seed(seed)
    model = VideoTransformer(config)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def _inputs(batch: int = 2, size: tuple[int, int, int] = (4, 6, 8)) -> tuple[torch.Tensor, torch.Tensor, Condition]:
    torch.manual_seed(1)
    condition = Condition(torch.randn(batch, 7, 32), torch.ones(batch, 7, dtype=torch.bool))
    return torch.randn(batch, 4, *size), torch.rand(batch), condition


def _count(config: TransformerConfig) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in VideoTransformer(config).parameters())


def test_the_parameter_count_proves_one_shared_modulation() -> None:
    """One more layer costs 8 d^2 + 3 d f and vectors; a modulation MLP of its own would cost 6 d^2 more."""
    d, f = 64, 128
    config = dataclasses.replace(CONFIG, width=d, feed_forward=f)
    more = _count(dataclasses.replace(config, layers=4)) - _count(config)
    vectors = 3 * d + 6 * d + 4 * (d // 2)
    assert more == 8 * d * d + 3 * d * f + vectors


def test_everything_is_in_the_closed_form() -> None:
    d, f, layers = CONFIG.width, CONFIG.feed_forward, CONFIG.layers
    block = 8 * d * d + 3 * d * f + 9 * d + 4 * (d // 2)
    time = 256 * d + d + d * d + d + 6 * d * d + 6 * d
    ends = (16 * d + d) + (16 * d + 16) + 3 * d
    positions = (CONFIG.max_t + CONFIG.max_h + CONFIG.max_w) * d
    assert _count(CONFIG) == layers * block + time + ends + positions


def test_patches_are_those_of_a_strided_convolution() -> None:
    latents, weight = torch.randn(2, 4, 3, 4, 6), torch.randn(5, 4, 1, 2, 2)
    expected = functional.conv3d(latents, weight, stride=(1, 2, 2)).flatten(2).transpose(1, 2)
    torch.testing.assert_close(_to_patches(latents) @ weight.flatten(1).T, expected)
    torch.testing.assert_close(_to_latents(_to_patches(latents), (3, 2, 3)), latents)


def test_a_fresh_model_says_zero_and_can_learn() -> None:
    torch.manual_seed(0)
    model = VideoTransformer(CONFIG)
    latents, time, condition = _inputs()
    velocity = model(latents, time, condition)
    assert velocity.shape == latents.shape
    assert not velocity.any()
    (velocity - latents).square().mean().backward()
    assert model.patch_out.weight.grad is not None
    assert model.patch_out.weight.grad.any()


@pytest.mark.parametrize("size", [(1, 2, 2), (1, 10, 8), (6, 4, 8), (3, 2, 6)])
def test_any_size_within_the_tables(size: tuple[int, int, int]) -> None:
    latents, time, condition = _inputs(size=size)
    assert _model()(latents, time, condition).shape == latents.shape


@pytest.mark.parametrize("size", [(7, 4, 4), (2, 12, 4), (2, 4, 10), (2, 3, 4), (2, 4, 5)])
def test_other_sizes_are_refused_with_the_remedy(size: tuple[int, int, int]) -> None:
    latents, time, condition = _inputs(size=size)
    with pytest.raises(LatentSizeError, match=r"cannot be made: a multiple of \d up to \d+ can"):
        _model()(latents, time, condition)


def test_rows_of_a_batch_do_not_meet() -> None:
    model, (latents, time, condition) = _model(), _inputs(3)
    together = model(latents, time, condition)
    for row in range(3):
        rows = slice(row, row + 1)
        alone = model(latents[rows], time[rows], Condition(condition.tokens_BSD[rows], condition.mask_BS[rows]))
        torch.testing.assert_close(alone, together[rows])


def test_padding_does_not_matter_and_tokens_do() -> None:
    model, (latents, time, condition) = _model(), _inputs()
    plain = model(latents, time, condition)
    padded = Condition(
        functional.pad(condition.tokens_BSD, (0, 0, 0, 4), value=9.0), functional.pad(condition.mask_BS, (0, 4))
    )
    torch.testing.assert_close(model(latents, time, padded), plain)
    more = Condition(padded.tokens_BSD, torch.ones_like(padded.mask_BS))
    assert (model(latents, time, more) - plain).abs().max() > 1e-3


def test_the_order_of_condition_tokens_does_not_matter() -> None:
    model, (latents, time, condition) = _model(), _inputs()
    turned = Condition(condition.tokens_BSD.flip(1), condition.mask_BS.flip(1))
    torch.testing.assert_close(model(latents, time, turned), model(latents, time, condition))


def test_attention_is_bidirectional_and_full() -> None:
    """Every token's velocity depends on every token's latents."""
    model, (latents, time, condition) = _model(), _inputs(1, (3, 4, 4))
    gradients = torch.autograd.functional.jacobian(
        lambda x: model(x, time, condition).sum(1)[..., ::2, ::2].flatten(), latents
    )
    influence = gradients.abs().sum(2).flatten(0, 1)[:, :, ::2, ::2].flatten(1)
    assert influence.shape == (12, 12)
    assert (influence > 0).all()


def test_positions_enter_every_layer() -> None:
    """With only the last layer's positions removed, the answer changes."""
    model, (latents, time, condition) = _model(), _inputs()
    before = model(latents, time, condition)
    forward = model.blocks[-1].forward
    model.blocks[-1].forward = lambda x, positions, *rest: forward(x, 0 * positions, *rest)  # type: ignore[method-assign]
    assert (model(latents, time, condition) - before).abs().max() > 1e-5


def test_recomputing_changes_neither_answer_nor_gradient() -> None:
    plain, again = _model(), _model(dataclasses.replace(CONFIG, recompute=True))
    latents, time, condition = _inputs()
    for model in (plain, again):
        model(latents, time, condition).square().sum().backward()
    for one, other in zip(plain.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_times_are_told_apart() -> None:
    features = time_features(torch.linspace(0, 1, 101))
    assert features.shape == (101, 256)
    distances = torch.cdist(features, features) + 100 * torch.eye(101)
    assert distances.min() > 1
    assert torch.equal(features[0, :128], torch.ones(128))


def test_rms_norm_and_its_gradients_are_torchs() -> None:
    ours, torchs = RMSNorm(8), torch.nn.RMSNorm(8, eps=1e-6)
    torch.nn.init.normal_(ours.weight)
    torchs.load_state_dict(ours.state_dict())
    x, direction = torch.randn(2, 3, 5, 8).transpose(1, 2), torch.randn(2, 5, 3, 8)
    grads = []
    for layer in (ours, torchs):
        copy = x.clone().requires_grad_()
        y = layer(copy)
        grads.append((y, *torch.autograd.grad((y * direction).sum(), (copy, layer.weight))))
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)


def test_a_modulated_norm_and_its_gradients_are_the_formulas() -> None:
    layer = RMSNorm(8)
    torch.nn.init.normal_(layer.weight)
    x, direction = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 5, 8, dtype=torch.float64)
    layer.double()
    inputs = [x.requires_grad_(), *(torch.randn(2, 1, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))]
    ours = layer.modulated(*inputs)
    formula = torch.addcmul(inputs[1], layer(x), 1 + inputs[2])
    torch.testing.assert_close(ours, formula)
    for one, other in zip(
        torch.autograd.grad((ours * direction).sum(), (*inputs, layer.weight)),
        torch.autograd.grad((formula * direction).sum(), (*inputs, layer.weight)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
    assert torch.autograd.gradcheck(layer.modulated, inputs)


def test_swiglu_against_its_formula() -> None:
    layer, x = SwiGLU(8, 12), torch.randn(3, 8)
    expected = (functional.silu(x @ layer.gate.weight.T) * (x @ layer.into.weight.T)) @ layer.out.weight.T
    torch.testing.assert_close(layer(x), expected)


def test_attention_against_its_formula_and_blind_to_the_scale_of_queries() -> None:
    layer, x = SelfAttention(8, 2), torch.randn(1, 5, 8)
    q, k, v = layer.qkv(x)[0].reshape(5, 2, 3, 4).permute(2, 1, 0, 3)
    q, k = (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-6) for y in (q, k))
    heads = (q @ k.transpose(1, 2) / 2).softmax(-1) @ v
    expected = layer.out(heads.transpose(0, 1).reshape(5, 8))
    torch.testing.assert_close(layer(x)[0], expected)
    before = layer(x)
    with torch.no_grad():
        layer.qkv.weight.view(2, 3, 4, 8)[:, :2] *= 50
    torch.testing.assert_close(layer(x), before, atol=1e-3, rtol=1e-3)
