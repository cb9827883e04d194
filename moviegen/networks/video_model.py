"""Movie Gen Video whole: prompts, noisy latents and time in, velocity out.

Shape legend: B batch, C latent channels, T H W latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from moviegen.flow import precondition
from moviegen.networks.open_text import OpenTextConfig
from moviegen.networks.text import SmallText, SmallTextConfig, TextProjection
from moviegen.networks.transformer import Condition, TransformerConfig, VideoTransformer
from moviegen.networks.words import with_fps

Features = Callable[[Sequence[str]], list[tuple[Tensor, Tensor]]]
"""Prompts to the features and mask of each text branch: SmallText, or OpenText."""


CHANNELS_PER_LATENT = 2
"""Channels of the transformer for each of the latents: it sees values and squares, and gives what is to be added and
how much is to be taken back."""


class VideoModel(nn.Module):
    """The text branches' projections and the transformer, and the small branches where the text is ours.

    latent_std_C: the deviation of each latent channel over the training clips, by which the transformer's input and
    output are scaled (flow.precondition); 1 until `set_latent_std`.
    Frozen encoders are no part of the model: hand them over as `encoders` (and they are neither trained nor saved).
    """

    latent_std_C: Tensor

    def __init__(
        self, transformer: TransformerConfig, text: SmallTextConfig | OpenTextConfig, encoders: Features | None = None
    ) -> None:
        super().__init__()
        self.text = SmallText(text) if isinstance(text, SmallTextConfig) else None
        self.projection = TextProjection(text.widths, transformer.width)
        self.transformer = VideoTransformer(transformer)
        self.register_buffer("latent_std_C", torch.ones(transformer.out_channels // CHANNELS_PER_LATENT))
        self._encoders = (encoders,)  # in a tuple, which nn.Module does not look into

    def condition(self, prompts: Sequence[str], fps: float) -> Condition:
        """Prompts, each after the FPS prefix, as condition tokens. The empty prompt is the unconditional one."""
        features = self.text or self._encoders[0]
        assert features is not None, "a preset with frozen text encoders needs them: VideoModel(encoders=OpenText(...))"
        return self.projection(features([with_fps(prompt, fps) for prompt in prompts]))  # type: ignore[no-any-return]

    def forward(self, latents_BCTHW: Tensor, time_B: Tensor, condition: Condition) -> Tensor:
        """The velocity, in the shape of the latents."""
        scales = precondition(time_B, self.latent_std_C, latents_BCTHW.ndim)
        # Squares tell flat places from busy ones, which no projection of the values to a narrow width can.
        unit_BCTHW = scales.unit * latents_BCTHW
        seen_BCTHW = torch.cat([scales.faint * unit_BCTHW, scales.faint * (unit_BCTHW.square() - 1)], dim=1)
        added_BCTHW, taken_BCTHW = self.transformer(seen_BCTHW, time_B, condition).chunk(2, dim=1)
        kept_BCTHW = torch.addcmul(scales.keep, scales.shrink, taken_BCTHW)
        return torch.addcmul(kept_BCTHW * latents_BCTHW, scales.out, added_BCTHW)

    def set_latent_std(self, latents_NCTHW: Tensor) -> None:
        """Measure the deviation of each channel over the latents of training clips."""
        self.latent_std_C.copy_(latents_NCTHW.float().transpose(0, 1).flatten(1).std(dim=1))
