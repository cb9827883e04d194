from dataclasses import replace

import pytest
import torch
from torch import Tensor

from eval.errors import UserError
from moviegen.networks.tae import LATENT_RMS, PRESETS, TAE, BlockCode, TAEConfig, TemporalConv, preset
from moviegen.networks.tae_tiling import decode_tiled, decoded_parts, encode_tiled

SMALL = {
    name: TAEConfig(
        name,  # type: ignore[arg-type]
        widths=(24, 48, 48),
        temporal_strides=strides,
        latent_channels=16,
        head_channels=16,
        decoder_blocks=(1, 1, 1),
    )
    for name, strides in {"f8t4": (1, 2, 2), "f8t8": (2, 2, 2)}.items()
}


def small(name: str = "f8t4", *, trained: float = 0.0, seed: int = 0) -> TAE:
    """A small autoencoder; `trained` moves every parameter away from its initial value by that much."""
    torch.manual_seed(seed)
    tae = TAE(SMALL[name]).eval().requires_grad_(False)
    for parameter in tae.parameters():
        parameter.add_(trained * torch.randn_like(parameter))
    return tae


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("name", ["f8t4", "f8t8"])
@pytest.mark.parametrize("frames", [1, 2, 5, 8, 9, 17, 33])
def test_any_length_comes_back_at_its_length(name: str, frames: int) -> None:
    tae = small(name, trained=0.02)
    clip = noise(1, 3, frames, 16, 24)
    latents = tae.encode(clip)
    factor = {"f8t4": 4, "f8t8": 8}[name]
    assert latents.shape == (1, 16, -(-frames // factor), 2, 3)
    assert tae.decode(latents, frames).shape == clip.shape
    assert tae.decode(latents).shape[2] == latents.shape[2] * factor


@pytest.mark.parametrize("name", ["f8t4", "f8t8"])
def test_an_image_is_a_clip_of_one_frame_and_a_still_clip_is_that_image(name: str) -> None:
    tae = small(name, trained=0.05)
    image = noise(2, 3, 1, 16, 16)
    latents = tae.encode(image)
    torch.testing.assert_close(
        tae.encode(image.expand(-1, -1, 16, -1, -1)),
        latents.expand(-1, -1, 16 // tae.config.temporal_factor, -1, -1),
        atol=1e-5,
        rtol=1e-4,
    )
    block = tae.decode(latents)  # the frames of a block may differ, but every block of a still clip is the same
    still = tae.decode(latents.expand(-1, -1, 3, -1, -1))
    torch.testing.assert_close(still, block.repeat(1, 1, 3, 1, 1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(tae.decode(latents, 1), block[:, :, :1], atol=1e-5, rtol=1e-4)


def test_untrained_networks_add_nothing_to_the_block_code_which_mixes_no_frames_of_other_latents() -> None:
    tae = small().double()  # processors round convolutions of other batches differently; float64 leaves no doubt
    clip = noise(1, 3, 8, 16, 16).double()
    latents = tae.encode_raw(clip)
    frames_NCHW = clip[0].transpose(0, 1)
    exact = {"atol": 1e-12, "rtol": 1e-12}
    torch.testing.assert_close(latents[0].transpose(0, 1), tae.code.encode(frames_NCHW, 8), **exact)
    decoded_NCHW = tae.code.decode(latents[0].transpose(0, 1), 8)
    torch.testing.assert_close(tae.decode_raw(latents)[0].transpose(0, 1), decoded_NCHW, **exact)
    torch.testing.assert_close(latents[:, :, :1], tae.encode_raw(clip[:, :, :4]), **exact)


def test_blocks_hold_each_value_once_and_the_last_frame_fills_the_last_one() -> None:
    code = small().code
    frames_NCHW = torch.arange(2 * 6 * 3 * 16 * 16).reshape(12, 3, 16, 16).float()
    blocks = code.blocks(frames_NCHW, 6)
    assert blocks.shape == (2 * 2, 3 * 4 * 64, 2, 2)
    block = blocks[2, :, 0, 1].reshape(4, 3, 8, 8)
    assert torch.equal(block, frames_NCHW[6:10, :, :8, 8:])
    assert torch.equal(blocks[3].reshape(4, 192, 2, 2)[2:], blocks[3].reshape(4, 192, 2, 2)[1:2].expand(2, -1, -1, -1))


def test_a_code_as_large_as_its_blocks_loses_nothing_and_a_smaller_one_is_a_projection() -> None:
    torch.manual_seed(0)
    clip = noise(5, 3, 8, 8)
    whole = BlockCode(replace(SMALL["f8t4"], latent_channels=768)).requires_grad_(False)
    torch.testing.assert_close(whole.decode(whole.encode(clip, 5), 5), clip, atol=1e-5, rtol=1e-4)
    code = small().code
    once = code.decode(code.encode(clip, 5), 5)
    torch.testing.assert_close(code.decode(code.encode(once, 5), 5)[:4], once[:4], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_time_is_padded_by_replication_on_both_sides_alike(stride: int) -> None:
    torch.manual_seed(0)
    conv = TemporalConv(4, stride).requires_grad_(False)
    conv.weight.copy_(torch.randn_like(conv.weight))
    conv.weight.add_(conv.weight.clone().flip(2))
    frames = torch.randn(8, 4, 3, 3)
    torch.testing.assert_close(conv(frames.flip(0), 8).flip(0), conv(frames, 8))
    edge = torch.randn(1, 4, 3, 3)
    constant = conv(edge.expand(8, -1, -1, -1), 8)
    torch.testing.assert_close(constant, constant[:1].expand_as(constant))


@pytest.mark.parametrize("name", ["f8t4", "f8t8"])
def test_a_model_with_symmetric_kernels_treats_time_forwards_and_backwards_alike(name: str) -> None:
    tae = small(name, trained=0.05)
    for module in tae.modules():
        if isinstance(module, TemporalConv):
            module.weight.add_(0.1 * torch.randn_like(module.weight))
            module.weight.copy_((module.weight + module.weight.flip(2)) / 2)
    length = tae.config.temporal_factor
    for weights, shape in (
        (tae.code.into.weight, (16, length, -1)),
        (tae.code.out.weight.transpose(0, 1), (16, length, -1)),
    ):
        taps = weights.reshape(shape)
        weights.copy_(((taps + taps.flip(1)) / 2).reshape(weights.shape))
    tae.code.out.bias.copy_(tae.code.out.bias.reshape(length, -1).mean(0).repeat(length))
    clip = noise(1, 3, 16, 16, 16)
    latents = tae.encode(clip)
    torch.testing.assert_close(tae.encode(clip.flip(2)), latents.flip(2), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(tae.decode(latents.flip(2)), tae.decode(latents).flip(2), atol=1e-4, rtol=1e-4)


def test_temporal_convolution_agrees_with_conv1d() -> None:
    torch.manual_seed(0)
    for stride, kernel in ((1, 3), (2, 4)):
        conv = TemporalConv(5, stride).requires_grad_(False)
        conv.weight.copy_(torch.randn_like(conv.weight))
        conv.bias.copy_(torch.randn(5))
        frames = torch.randn(2, 7, 5, 3, 2)
        rows = frames.permute(0, 3, 4, 2, 1).flatten(0, 2)
        after = 1 + 7 % stride
        padded = torch.cat([rows[..., :1], rows, rows[..., -1:].expand(-1, -1, after)], dim=-1)
        wanted = torch.nn.functional.conv1d(padded, conv.weight[..., 0], conv.bias, stride=stride)
        found = conv(frames.flatten(0, 1), 7).unflatten(0, (2, -1)).permute(0, 3, 4, 2, 1).flatten(0, 2)
        assert conv.weight.shape[2] == kernel
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_clips_of_a_batch_do_not_see_each_other() -> None:
    tae = small(trained=0.05)
    clips = noise(3, 3, 9, 16, 16)
    together = tae.decode(tae.encode(clips), 9)
    alone = torch.cat([tae.decode(tae.encode(clip[None]), 9) for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_stored_statistics_normalise_the_latents_and_are_undone() -> None:
    tae = small(trained=0.05)
    clip = noise(4, 3, 8, 32, 32)
    raw = tae.encode_raw(clip)
    plain = tae.decode(tae.encode(clip), 8)
    values = raw.transpose(0, 1).flatten(1)
    tae.set_statistics(values.mean(dim=1), values.std(dim=1))
    latents = tae.encode(clip).transpose(0, 1).flatten(1)
    torch.testing.assert_close(latents.mean(dim=1), torch.zeros(16), atol=1e-4, rtol=0)
    assert float(latents.std(dim=1).square().mean().sqrt()) == pytest.approx(LATENT_RMS, rel=1e-4)
    proportions = latents.std(dim=1) / values.std(dim=1).sqrt()
    torch.testing.assert_close(proportions, proportions.mean().expand(16), atol=0, rtol=1e-3)
    torch.testing.assert_close(tae.decode(tae.encode(clip), 8), plain, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="never varies"):
        tae.set_statistics(torch.zeros(16), torch.zeros(16))


def test_leading_channels_are_decoded_with_the_others_at_their_means() -> None:
    tae = small(trained=0.05)
    tae.set_statistics(torch.linspace(-1, 1, 16), torch.linspace(2, 0.1, 16))
    latents = tae.encode(noise(1, 3, 8, 16, 16))
    cut = latents.clone()
    cut[:, 5:] = 0
    torch.testing.assert_close(tae.decode(latents[:, :5], 8), tae.decode(cut, 8), atol=0, rtol=0)
    assert not torch.equal(tae.decode(cut, 8), tae.decode(latents, 8))


def test_short_clips_are_not_tiled() -> None:
    tae = small(trained=0.05)
    clip = noise(1, 3, 31, 16, 16)
    latents = encode_tiled(tae, clip)
    assert torch.equal(latents, tae.encode(clip))
    assert torch.equal(decode_tiled(tae, latents, 31), tae.decode(latents, 31))


@pytest.mark.parametrize("frames", [33, 48, 49, 70])
def test_untrained_tiling_is_exact_and_any_length_is_kept(frames: int) -> None:
    tae = small()
    clip = noise(1, 3, frames, 16, 16)
    latents = encode_tiled(tae, clip)
    assert latents.shape[2] == -(-frames // 4)
    torch.testing.assert_close(decode_tiled(tae, latents, frames), tae.decode(latents, frames), atol=1e-5, rtol=1e-4)
    parts = list(decoded_parts(tae, latents, frames))
    assert max(part.shape[2] for part in parts) <= 32
    assert sum(part.shape[2] for part in parts) == frames


def test_tiles_equal_the_whole_away_from_their_seams() -> None:
    tae = small(trained=0.05)
    torch.nn.init.zeros_(tae.decoder.attention.time.out.weight)  # convolutions alone: their reach ends
    latents = noise(1, 16, 40, 2, 2)
    whole, tiled = tae.decode(latents), decode_tiled(tae, latents, tile=96, overlap=32)
    difference = (whole - tiled).abs().amax(dim=(0, 1, 3, 4))
    assert difference[:32].max() < 1e-5
    assert difference[-32:].max() < 1e-5
    assert difference[64:96].max() > 1e-4, "the seam should be visible: else this test shows nothing"


def test_the_overlap_fades_linearly() -> None:
    tae = small()
    latents = torch.zeros(1, 16, 12, 1, 1)
    latents[:, :, 8:] = 1.0
    before, after = tae.decode(latents[:, :, :8], 32), tae.decode(latents[:, :, 4:], 32)
    tiled = decode_tiled(tae, latents)
    weight = (torch.arange(16) + 0.5) / 16
    torch.testing.assert_close(
        tiled[:, :, 16:32], torch.lerp(before[:, :, 16:], after[:, :, :16], weight[:, None, None])
    )


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((1, 3, 4, 20, 16), "multiples of 8; got 4 frames of 16x20: resize or crop"),
        ((1, 3, 0, 16, 16), "0 frames"),
        ((1, 4, 4, 16, 16), "B,3,T,H,W"),
        ((3, 4, 16, 16), "B,3,T,H,W"),
    ],
)
def test_impossible_clips_are_refused_in_a_line(shape: tuple[int, ...], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        small().encode(torch.zeros(shape))


def test_impossible_latents_and_tiles_are_refused_in_a_line() -> None:
    tae, latents = small(), torch.zeros(1, 16, 2, 2, 2)
    for frames in (4, 9, 0):
        with pytest.raises(ValueError, match="hold 5 to 8 frames"):
            tae.decode(latents, frames)
    with pytest.raises(ValueError, match="B,16,T,H,W"):
        tae.decode(torch.zeros(1, 17, 2, 2, 2))
    with pytest.raises(ValueError, match="tile must be a multiple of 4"):
        decode_tiled(tae, latents, tile=30)
    with pytest.raises(ValueError, match="at most half"):
        decode_tiled(tae, latents, overlap=20)
    with pytest.raises(UserError, match="choose one of f8t4, f8t8"):
        preset("f8t2")


def test_presets_have_the_published_compression_and_a_size_that_ships() -> None:
    for name, factor, channels in (("f8t4", 4, 208), ("f8t8", 8, 16)):
        tae = TAE(PRESETS[name])
        assert tae.encode(torch.zeros(1, 3, 8, 64, 64)).shape == (1, channels, 8 // factor, 8, 8)
        assert sum(parameter.numel() for parameter in tae.parameters()) * 2 < 6_000_000, "shipped as float16"
