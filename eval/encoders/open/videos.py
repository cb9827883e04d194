"""Networks that see several frames at a time: VideoMAE, V-JEPA 2, X-CLIP, I3D.

Each function loads one, on the device, and gives its encode: uint8 N,T,C,H,W → float N,D, not normalised.

Shape legend: N windows, T frames, C channels, H height, W width, P patches (tokens), D width of the features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from eval.encoders.open.preprocess import videomae_input, vjepa2_input
from eval.encoders.open.programs import answer
from eval.encoders.open.weights import load_program, load_transformers

if TYPE_CHECKING:
    from eval.encoders.runner import Encode


def each_frame(preprocess: Callable[[torch.Tensor], torch.Tensor], windows_NTCHW: torch.Tensor) -> torch.Tensor:
    """Preprocess pictures of windows: N,T,C,H,W → N,T,C,h,w."""
    pixels_MCHW = preprocess(windows_NTCHW.flatten(0, 1))
    return pixels_MCHW.view(*windows_NTCHW.shape[:2], *pixels_MCHW.shape[1:])


def videomae(name: str, device: torch.device) -> Encode:
    """The mean of VideoMAE's tokens."""
    network = load_transformers(name, "VideoMAEModel").to(device)

    def encode(windows_NTCHW: torch.Tensor) -> torch.Tensor:
        pixels_NTCHW = each_frame(videomae_input, windows_NTCHW)
        tokens_NPD: torch.Tensor = network(pixels_NTCHW).last_hidden_state
        return tokens_NPD.mean(dim=1)

    return encode


def vjepa2(name: str, device: torch.device) -> Encode:
    """The mean of the tokens of V-JEPA 2's encoder."""
    network = load_transformers(name, "VJEPA2Model").to(device)

    def encode(windows_NTCHW: torch.Tensor) -> torch.Tensor:
        pixels_NTCHW = each_frame(vjepa2_input, windows_NTCHW)
        tokens_NPD: torch.Tensor = network(pixels_NTCHW, skip_predictor=True).last_hidden_state
        return tokens_NPD.mean(dim=1)

    return encode


def i3d(name: str, device: torch.device) -> Encode:
    """I3D's 400 numbers before the softmax, from the TorchScript file of StyleGAN-V, which rescales and resizes."""
    program = load_program(name).to(device)

    def encode(windows_NTCHW: torch.Tensor) -> torch.Tensor:
        video_NCTHW = windows_NTCHW.transpose(1, 2).contiguous()
        flags = {"rescale": True, "resize": True, "return_features": True}
        return answer(name, program, (len(video_NCTHW), None), video_NCTHW, **flags)

    return encode
