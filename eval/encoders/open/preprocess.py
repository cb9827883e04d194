"""What each network was trained to see: uint8 pictures to normalised floats, exactly as published, on any device.

Two families. VBench's transforms resize floats without antialiasing, as torchvision's Resize(antialias=False) does.
The processors of transformers resize with antialiasing, as Pillow does, and round to whole grey levels before they
normalise.

Shape legend: N frames, C channels (RGB), H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from eval.encoders.open.resize import Mode, resized

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """(value − mean) / std of each channel, for values 0-1."""

    mean: Rgb
    std: Rgb


CLIP = Normalisation((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def clip_input(frames_NCHW: torch.Tensor, *, rounded: bool = False) -> torch.Tensor:
    """VBench's CLIPt: short side 224, bicubic without antialiasing; centre crop; CLIP's mean and std.

    uint8 → float32 N,3,224,224. rounded: torchvision resizes uint8 pictures to whole grey levels, floats not; VBench
    gives it floats for CLIP, and uint8 for ViCLIP.
    """
    small_NCHW = resize_short_side(frames_NCHW.float(), 224, "bicubic")
    if rounded:
        small_NCHW = small_NCHW.round().clamp(0, 255)
    height, width = small_NCHW.shape[-2:]
    # torchvision halves an odd margin to the even side, where transformers rounds it down
    return normalised(_cropped(small_NCHW, 224, round((height - 224) / 2), round((width - 224) / 2)), CLIP)


def dino_input(frames_NCHW: torch.Tensor) -> torch.Tensor:
    """VBench's DINOt: short side 224, bilinear without antialiasing; no crop; ImageNet's mean and std.

    uint8 → float32 N,3,h,w with min(h, w) = 224.
    """
    return normalised(resize_short_side(frames_NCHW.float(), 224, "bilinear"), IMAGENET)


def dinov2_input(frames_NCHW: torch.Tensor) -> torch.Tensor:
    """facebook/dinov2-base: short side 256, bicubic; centre crop of 224; ImageNet's. uint8 → float32 N,3,224,224."""
    return normalised(_levels(frames_NCHW, 256, 224, "bicubic"), IMAGENET)


def videomae_input(frames_NCHW: torch.Tensor) -> torch.Tensor:
    """VideoMAE and X-CLIP: short side 224, bilinear; centre crop; ImageNet's. uint8 → float32 N,3,224,224."""
    return normalised(videomae_levels(frames_NCHW), IMAGENET)


def videomae_levels(frames_NCHW: torch.Tensor) -> torch.Tensor:
    """The same before the mean and std: whole grey levels, float32 N,3,224,224."""
    return _levels(frames_NCHW, 224, 224, "bilinear")


def vjepa2_input(frames_NCHW: torch.Tensor) -> torch.Tensor:
    """V-JEPA 2: short side 292 = int(256·256/224), bilinear; centre crop of 256; ImageNet's. → float32 N,3,256,256."""
    return normalised(_levels(frames_NCHW, 292, 256, "bilinear"), IMAGENET)


def _levels(frames_NCHW: torch.Tensor, short_side: int, crop: int, mode: Mode) -> torch.Tensor:
    """As transformers' image processors: resized with antialiasing, cropped; whole grey levels.

    Pillow, and torchvision with uint8, resize rows first, then columns, and round and clip after each.
    """
    height, width = size_of(frames_NCHW, short_side)
    levels_NCHW = frames_NCHW.float()
    for size in ((frames_NCHW.shape[-2], width), (height, width)):
        if size != levels_NCHW.shape[-2:]:
            values_NCHW = functional.interpolate(levels_NCHW, size, mode=mode, align_corners=False, antialias=True)
            levels_NCHW = (values_NCHW + 0.5).floor().clamp(0, 255)  # halves go up there, not to the even level
    return _cropped(levels_NCHW, crop, (height - crop) // 2, (width - crop) // 2)


def resize_short_side(frames_NCHW: torch.Tensor, side: int, mode: Mode) -> torch.Tensor:
    """Frames with this short side, not antialiased, not rounded."""
    return resized(frames_NCHW, size_of(frames_NCHW, side), mode)


def size_of(frames_NCHW: torch.Tensor, side: int) -> tuple[int, int]:
    """Height and width with this short side; the long one is rounded down, as torchvision and transformers do."""
    height, width = frames_NCHW.shape[-2:]
    short = min(height, width)
    return side * height // short, side * width // short


def _cropped(frames_NCHW: torch.Tensor, side: int, top: int, left: int) -> torch.Tensor:
    return frames_NCHW[..., top : top + side, left : left + side]


def normalised(frames_NCHW: torch.Tensor, by: Normalisation) -> torch.Tensor:
    """0-255 → normalised values of 0-1."""
    values_NCHW = torch.empty(frames_NCHW.shape, dtype=torch.float32, device=frames_NCHW.device)
    torch.div(frames_NCHW, 255, out=values_NCHW)
    for channel_NHW, mean, std in zip(values_NCHW.unbind(dim=-3), by.mean, by.std, strict=True):
        channel_NHW.sub_(mean).div_(std)
    return values_NCHW
