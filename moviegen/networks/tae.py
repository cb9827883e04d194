"""The Temporal Autoencoder: clips to latents and back, 2.5-dimensional (Movie Gen, arXiv 2410.13720, section 3.1.1).

Every 2D convolution is followed by a 1D convolution in time, every spatial attention by a temporal one. Time is padded
by replication on both sides alike: the model is not causal, and an image is a clip of one frame. Convolutions in time
start as the identity, so that an untrained model treats a clip as so many images.

Beside the networks runs one linear step from pixels to latents and one back (`BlockCode`): training starts it as the
principal components of the training clips, and the networks, whose outputs start at zero, learn what it gets wrong.

Shape legend: B clips, C channels, T frames (or latent frames), H height, W width; N = B*T frames in a row,
P = H*W places, L tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.errors import UserError

PresetName = Literal["f8t4", "f8t8"]

LATENT_RMS = 0.4
"""What normalised latents come to over all channels, where the noise of flow matching has 1.

One scale serves all channels: a channel of small variance is fine detail, and noise shall cover it first. At 0.4 the
coarse channels, which decide what is shown where, are settled at times that training draws often.
"""


@dataclass(frozen=True, slots=True)
class TAEConfig:
    """The form of an autoencoder.

    widths: channels at 1/2, 1/4 and 1/8 of the picture's size. temporal_strides: of the stem and the two steps between
    those sizes. decoder_blocks: residual blocks at 1/8, 1/4 and 1/2.
    """

    preset: PresetName
    widths: tuple[int, int, int] = (24, 48, 96)
    temporal_strides: tuple[int, int, int] = (1, 2, 2)
    latent_channels: int = 208
    encoder_blocks: tuple[int, int, int] = (0, 1, 1)
    decoder_blocks: tuple[int, int, int] = (2, 2, 1)
    head_channels: int = 32

    @property
    def spatial_factor(self) -> int:
        """Pixels per latent along each side of the picture."""
        return 8

    @property
    def temporal_factor(self) -> int:
        """Frames per latent frame."""
        stem, first, second = self.temporal_strides
        return stem * first * second

    def latent_frames(self, frames: int) -> int:
        """How many latent frames a clip of `frames` frames has: rounded up."""
        return -(-frames // self.temporal_factor)

    def check_frames(self, latent_frames: int, frames: int) -> None:
        """Raise ValueError unless a clip of `frames` frames has that many latent frames."""
        if frames < 1 or self.latent_frames(frames) != latent_frames:
            most = latent_frames * self.temporal_factor
            raise ValueError(
                f"{latent_frames} latent frames of {self.preset} hold {most - self.temporal_factor + 1} to {most} "
                f"frames; {frames} were asked for"
            )


PRESETS: dict[PresetName, TAEConfig] = {
    "f8t4": TAEConfig("f8t4"),
    "f8t8": TAEConfig("f8t8", temporal_strides=(2, 2, 2), latent_channels=16),
}
"""f8t8: the paper's compression. f8t4: the default, with channels enough for 32 dB on drawings of 64 pixels, where a
block of 4x8x8 holds whole limbs and faces; 16 channels come to 24 dB there (README)."""


def preset(name: str) -> TAEConfig:
    """The configuration called `name`. Raises UserError with the names there are."""
    for known, config in PRESETS.items():
        if known == name:
            return config
    raise UserError(f"unknown autoencoder preset '{name}': choose one of {', '.join(PRESETS)}")


class TemporalConv(nn.Module):
    """A 1D convolution in time at every place of the picture, with symmetric replicate padding.

    stride 1: kernel 3, starts as the identity. stride 2: kernel 4, starts as the mean of a pair; latent frame i covers
    frames 2i and 2i+1, an odd last frame is repeated.
    """

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        assert stride in (1, 2)
        self.stride = stride
        taps = (0.0, 1.0, 0.0) if stride == 1 else (0.0, 0.5, 0.5, 0.0)
        identity = torch.eye(channels)[:, :, None, None] * torch.tensor(taps)[:, None]
        self.weight = nn.Parameter(identity)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        """N = B*frames in, B*ceil(frames/stride) out."""
        height, width = frames_NCHW.shape[2:]
        clips_BTPC = frames_NCHW.permute(0, 2, 3, 1).reshape(-1, frames, height * width, frames_NCHW.shape[1])
        first, last = clips_BTPC[:, :1], clips_BTPC[:, -1:]
        spare = [last] * (frames % self.stride)
        padded_BCTP = torch.cat([first, clips_BTPC, last, *spare], dim=1).permute(0, 3, 1, 2)
        # As a 2D convolution over time and place: on a CPU oneDNN is twice as fast so as with conv3d.
        out_BCTP: Tensor = functional.conv2d(padded_BCTP, self.weight, self.bias, stride=(self.stride, 1))
        return out_BCTP.permute(0, 2, 3, 1).reshape(-1, height, width, out_BCTP.shape[1]).permute(0, 3, 1, 2)


def regrouped(frames_NCHW: Tensor, channels: int) -> Tensor:
    """As many channels as asked for: means of neighbouring channels, or copies of each. No parameters.

    The shortcut of DC-AE (arXiv 2410.10733): steps that change the number of channels learn a residual, too.
    """
    have = frames_NCHW.shape[1]
    if have == channels:
        return frames_NCHW
    if have > channels:
        assert have % channels == 0
        count, _, height, width = frames_NCHW.shape
        return frames_NCHW.reshape(count, channels, have // channels, height, width).mean(dim=2)
    assert channels % have == 0
    return frames_NCHW.repeat_interleave(channels // have, dim=1)


class Conv(nn.Module):
    """A 3x3 convolution plus a shortcut, then a convolution in time: the 2.5D unit where channels or sizes change."""

    def __init__(self, channels: int, out: int, *, stride: int = 1, temporal_stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.out = out
        self.space = nn.Conv2d(channels, out, 3, stride=stride, padding=1)
        self.time = TemporalConv(out, temporal_stride)
        with torch.no_grad():
            self.space.weight.mul_(0.1)

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        short = functional.pixel_unshuffle(frames_NCHW, 2) if self.stride == 2 else frames_NCHW
        out: Tensor = self.time(self.space(frames_NCHW) + regrouped(short, self.out), frames)
        return out


class End(nn.Module):
    """A 3x3 convolution, then one in time, without a shortcut: where a network meets latents or pixels.

    zero: it starts at zero.
    """

    def __init__(self, channels: int, out: int, *, zero: bool = False) -> None:
        super().__init__()
        self.space = nn.Conv2d(channels, out, 3, padding=1)
        self.time = TemporalConv(out)
        if zero:
            nn.init.zeros_(self.space.weight)
            nn.init.zeros_(self.space.bias)  # type: ignore[arg-type]

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        out: Tensor = self.time(self.space(frames_NCHW), frames)
        return out


class ResidualBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))); the second convolution starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(channels // 8, channels) for _ in range(2))
        self.spaces = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.times = nn.ModuleList(TemporalConv(channels) for _ in range(2))
        last = self.spaces[1]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        x = frames_NCHW
        for norm, space, time in zip(self.norms, self.spaces, self.times, strict=True):
            x = time(space(functional.silu(norm(x))), frames)
        return frames_NCHW + x


class Attention(nn.Module):
    """Full self-attention over tokens; its output starts at zero. No positions: the order of the tokens is theirs."""

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.heads = channels // head_channels
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens_BLC: Tensor) -> Tensor:
        count, length, channels = tokens_BLC.shape
        qkv: Tensor = self.qkv(self.norm(tokens_BLC))
        q, k, v = qkv.reshape(count, length, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Tensor = tokens_BLC + self.out(mixed)
        return out


class SpaceThenTime(nn.Module):
    """Attention between the places of each frame, then between the frames at each place."""

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.space = Attention(channels, head_channels)
        self.time = Attention(channels, head_channels)

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        height, width = frames_NCHW.shape[2:]
        places, channels = height * width, frames_NCHW.shape[1]
        tokens_NPC: Tensor = self.space(frames_NCHW.flatten(2).transpose(1, 2))
        clips_BPTC = tokens_NPC.reshape(-1, frames, places, channels).transpose(1, 2)
        mixed: Tensor = self.time(clips_BPTC.flatten(0, 1))
        clips_BTPC = mixed.reshape(-1, places, frames, channels).transpose(1, 2)
        return clips_BTPC.reshape(-1, height, width, channels).permute(0, 3, 1, 2)


class Upsample(nn.Module):
    """Nearest neighbour and convolution: twice the size in the picture, then `temporal` times the frames."""

    def __init__(self, channels: int, out: int, temporal: int) -> None:
        super().__init__()
        self.temporal = temporal
        self.conv = Conv(channels, out)

    def forward(self, frames_NCHW: Tensor, frames: int, wanted: int) -> Tensor:
        """From `frames` frames per clip to `wanted`; a spurious last frame is dropped."""
        short = functional.pixel_shuffle(regrouped(frames_NCHW, 4 * self.conv.out), 2)
        larger = self.conv.space(functional.interpolate(frames_NCHW, scale_factor=2.0, mode="nearest")) + short
        out: Tensor = self.conv.time(_longer(larger, frames, self.temporal, wanted), wanted)
        return out


def _longer(frames_NCHW: Tensor, frames: int, factor: int, wanted: int) -> Tensor:
    """Every frame `factor` times over, without the spurious ones after `wanted`."""
    if factor == 1:
        return frames_NCHW
    clips_BTCHW = _as_clips(frames_NCHW, frames)
    order = torch.arange(wanted, device=frames_NCHW.device) // factor
    return clips_BTCHW[:, order].flatten(0, 1)


def _as_clips(frames_NCHW: Tensor, frames: int) -> Tensor:
    """B,T,C,H,W, of frames in a row."""
    return frames_NCHW.reshape(-1, frames, *frames_NCHW.shape[1:])


def _halved(frames: int, stride: int) -> int:
    return -(-frames // stride)


class Encoder(nn.Module):
    """Frames (NCHW, -1 to 1) to what is added to their block code."""

    def __init__(self, config: TAEConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        stem, first, second = config.temporal_strides
        self.strides = config.temporal_strides
        self.stem = Conv(12, half, temporal_stride=stem)
        self.downs = nn.ModuleList(
            [
                Conv(half, quarter, stride=2, temporal_stride=first),
                Conv(quarter, eighth, stride=2, temporal_stride=second),
            ]
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(ResidualBlock(width) for _ in range(count))
            for width, count in zip(config.widths, config.encoder_blocks, strict=True)
        )
        self.attention = SpaceThenTime(eighth, config.head_channels)
        self.norm = nn.GroupNorm(eighth // 8, eighth)
        self.out = End(eighth, config.latent_channels, zero=True)

    def forward(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        x = self.stem(functional.pixel_unshuffle(frames_NCHW, 2), frames)
        frames = _halved(frames, self.strides[0])
        for level, stride in enumerate((*self.strides[1:], 1)):
            for block in _modules(self.blocks[level]):
                x = block(x, frames)
            if level < 2:
                x = self.downs[level](x, frames)
                frames = _halved(frames, stride)
        x = self.attention(x, frames)
        out: Tensor = self.out(functional.silu(self.norm(x)), frames)
        return out


class Decoder(nn.Module):
    """Raw latents (NCHW) to what is added to the frames that their block code gives."""

    def __init__(self, config: TAEConfig) -> None:
        super().__init__()
        half, quarter, eighth = config.widths
        stem, first, second = config.temporal_strides
        self.strides = config.temporal_strides
        self.stem = End(config.latent_channels, eighth)
        self.attention = SpaceThenTime(eighth, config.head_channels)
        self.blocks = nn.ModuleList(
            nn.ModuleList(ResidualBlock(width) for _ in range(count))
            for width, count in zip((eighth, quarter, half), config.decoder_blocks, strict=True)
        )
        self.ups = nn.ModuleList([Upsample(eighth, quarter, second), Upsample(quarter, half, first)])
        self.lengthen = TemporalConv(half) if stem > 1 else None
        self.norm = nn.GroupNorm(half // 8, half)
        self.out = End(half, 12, zero=True)

    def forward(self, latents_NCHW: Tensor, frames: int) -> Tensor:
        """`frames` counts the frames of a clip that are wanted in the end."""
        at_half = _halved(frames, self.strides[0])
        at_quarter = _halved(at_half, self.strides[1])
        lengths = (_halved(at_quarter, self.strides[2]), at_quarter, at_half)
        x = self.stem(latents_NCHW, lengths[0])
        x = self.attention(x, lengths[0])
        for level, length in enumerate(lengths):
            if level == 2 and self.lengthen is not None:
                x = self.lengthen(_longer(x, length, self.strides[0], frames), frames)
            now = frames if level == 2 else length
            for block in _modules(self.blocks[level]):
                x = block(x, now)
            if level < 2:
                x = self.ups[level](x, length, lengths[level + 1])
        return functional.pixel_shuffle(self.out(functional.silu(self.norm(x)), frames), 2)


def _modules(blocks: nn.Module) -> Sequence[nn.Module]:
    return list(blocks.children())


class BlockCode(nn.Module):
    """Pixels to latents and back, block by block, in one linear step each way.

    A block is 8x8 pixels of the frames of one latent: the pixels of a frame become channels, and a convolution in time
    whose stride is its length takes the frames together. A clip that ends within a block repeats its last frame.
    """

    def __init__(self, config: TAEConfig) -> None:
        super().__init__()
        self.side, self.length = config.spatial_factor, config.temporal_factor
        values = 3 * self.side**2 * self.length
        self.into = nn.Conv2d(values, config.latent_channels, 1)
        self.out = nn.Conv2d(config.latent_channels, values, 1)
        with torch.no_grad():
            nn.init.orthogonal_(self.into.weight.flatten(1))
        self.start_from(torch.zeros(values), self.into.weight.detach().flatten(1).clone(), 1.0)

    def start_from(self, mean_D: Tensor, basis_KD: Tensor, scale: float) -> None:
        """Latents are `scale` times the coordinates in an orthonormal basis around a mean; D as `blocks` orders it."""
        with torch.no_grad():
            self.into.weight.copy_(scale * basis_KD[:, :, None, None])
            self.into.bias.copy_(-scale * basis_KD @ mean_D)  # type: ignore[union-attr]
            self.out.weight.copy_(basis_KD.T[:, :, None, None] / scale)
            self.out.bias.copy_(mean_D)  # type: ignore[union-attr]

    def blocks(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        """N, D, H/8, W/8: the values of each block along D, frame by frame."""
        clips_BTCHW = _as_clips(functional.pixel_unshuffle(frames_NCHW, self.side), frames)
        spare = [clips_BTCHW[:, -1:]] * (-frames % self.length)
        whole_BTCHW = torch.cat([clips_BTCHW, *spare], dim=1) if spare else clips_BTCHW
        return whole_BTCHW.reshape(-1, self.length * whole_BTCHW.shape[2], *whole_BTCHW.shape[3:])

    def encode(self, frames_NCHW: Tensor, frames: int) -> Tensor:
        """N = B*frames frames to N = B*ceil(frames/length) latents."""
        latents: Tensor = self.into(self.blocks(frames_NCHW, frames))
        return latents

    def decode(self, latents_NCHW: Tensor, frames: int) -> Tensor:
        """Latents to `frames` frames of each clip; spurious ones at the end are dropped."""
        blocks_NDHW: Tensor = self.out(latents_NCHW)
        height, width = blocks_NDHW.shape[2:]
        latent_frames = -(-frames // self.length)
        clips_BTCHW = blocks_NDHW.reshape(-1, latent_frames * self.length, 3 * self.side**2, height, width)
        return functional.pixel_shuffle(clips_BTCHW[:, :frames].flatten(0, 1), self.side)


class TAE(nn.Module):
    """The Temporal Autoencoder.

    Mean and deviation of every latent channel over training clips are kept as buffers. Normalised latents have mean 0
    in each channel and LATENT_RMS over all of them. The code's channels are principal components, the strongest first
    and a hundred times the weakest: normalised, the strongest is ten times the weakest (latent_scale).
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: TAEConfig) -> None:
        super().__init__()
        self.config = config
        self.code = BlockCode(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))
        _lay_out_channels_last(self)

    def encode(self, frames_BCTHW: Tensor) -> Tensor:
        """Frames, float B,3,T,H,W in [-1, 1] -> normalised latents B,C,ceil(T/4 or 8),H/8,W/8.

        Any number of frames. Raises ValueError unless height and width are multiples of 8.
        """
        scale_C111 = self.latent_scale[:, None, None, None]
        return (self.encode_raw(frames_BCTHW) - self.latent_mean[:, None, None, None]) / scale_C111

    def decode(self, latents_BCTHW: Tensor, frames: int | None = None) -> Tensor:
        """Normalised latents -> frames in [-1, 1], B,3,frames,8H,8W; all there are when `frames` is None.

        Latents of fewer channels are the leading ones, which hold most; the others are taken at their means.
        Raises ValueError when the latents are not those of a clip of `frames` frames.
        """
        if latents_BCTHW.ndim == 5 and 0 < latents_BCTHW.shape[1] < self.config.latent_channels:
            missing = self.config.latent_channels - latents_BCTHW.shape[1]
            latents_BCTHW = functional.pad(latents_BCTHW, (0, 0, 0, 0, 0, 0, 0, missing))
        _check_latents(latents_BCTHW, frames, self.config)
        raw = latents_BCTHW * self.latent_scale[:, None, None, None] + self.latent_mean[:, None, None, None]
        return self.decode_raw(raw, frames).clamp(-1.0, 1.0)

    def encode_raw(self, frames_BCTHW: Tensor) -> Tensor:
        """As encode, before the normalisation."""
        _check_frames(frames_BCTHW, self.config)
        frames_NCHW, frames = _in_a_row(frames_BCTHW)
        latents_NCHW = self.code.encode(frames_NCHW, frames) + self.encoder(frames_NCHW, frames)
        return _as_clips(latents_NCHW, self.config.latent_frames(frames)).transpose(1, 2)

    def decode_raw(self, latents_BCTHW: Tensor, frames: int | None = None) -> Tensor:
        """As decode, from latents before the normalisation and without the clamp."""
        wanted = _check_latents(latents_BCTHW, frames, self.config)
        latents_NCHW, _ = _in_a_row(latents_BCTHW)
        frames_NCHW = self.code.decode(latents_NCHW, wanted) + self.decoder(latents_NCHW, wanted)
        return _as_clips(frames_NCHW, wanted).transpose(1, 2)

    def set_statistics(self, mean_C: Tensor, std_C: Tensor) -> None:
        """Store the mean and standard deviation of raw latents, per channel. Raises ValueError for a dead channel."""
        if not bool(torch.isfinite(mean_C).all() and torch.isfinite(std_C).all() and (std_C > 1e-6).all()):
            raise ValueError("a latent channel never varies over these clips: measure on more of them or train longer")
        self.latent_mean.copy_(mean_C)
        self.latent_std.copy_(std_C)

    @property
    def latent_scale(self) -> Tensor:
        """What raw latents are divided by: the root of each channel's deviation, which evens half of the differences.

        Left as they are, a few strong channels rise above the noise so early in flow matching that hardly a training
        step falls there; all made equal, the weakest weigh in the loss as much as the strongest.
        """
        return (self.latent_std * self.latent_std.mean()).sqrt() / LATENT_RMS


def _lay_out_channels_last(network: nn.Module) -> None:
    """Weights in the memory order of the activations: on a CPU a step is a tenth faster without the reordering."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _in_a_row(clips_BCTHW: Tensor) -> tuple[Tensor, int]:
    """Clips as N = B*T frames in channels-last memory, and T."""
    frames_NCHW = clips_BCTHW.transpose(1, 2).flatten(0, 1)
    return frames_NCHW.contiguous(memory_format=torch.channels_last), clips_BCTHW.shape[2]


def _check_frames(frames_BCTHW: Tensor, config: TAEConfig) -> None:
    shape, factor = tuple(frames_BCTHW.shape), config.spatial_factor
    if frames_BCTHW.ndim != 5 or shape[1] != 3 or not frames_BCTHW.is_floating_point():
        raise ValueError(f"frames to encode are float B,3,T,H,W in [-1, 1]; got {frames_BCTHW.dtype} {shape}")
    if 0 in shape or shape[3] % factor or shape[4] % factor:
        raise ValueError(
            f"a clip needs a frame, and height and width in multiples of {factor}; got {shape[2]} frames of "
            f"{shape[4]}x{shape[3]}: resize or crop it"
        )


def _check_latents(latents_BCTHW: Tensor, frames: int | None, config: TAEConfig) -> int:
    """The number of frames to decode."""
    shape = tuple(latents_BCTHW.shape)
    if latents_BCTHW.ndim != 5 or shape[1] != config.latent_channels or 0 in shape:
        raise ValueError(f"latents of {config.preset} are B,{config.latent_channels},T,H,W; got {shape}")
    wanted = shape[2] * config.temporal_factor if frames is None else frames
    config.check_frames(shape[2], wanted)
    return wanted
