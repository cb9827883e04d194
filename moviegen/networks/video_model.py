"""Movie Gen Video whole: prompts, noisy latents and time in, velocity out.

Shape legend: B batch, C latent channels, T H W latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from moviegen.networks.open_text import OpenTextConfig
from moviegen.networks.text import SmallText, SmallTextConfig, TextProjection
from moviegen.networks.transformer import Condition, TransformerConfig, VideoTransformer
from moviegen.networks.words import with_fps

Features = Callable[[Sequence[str]], list[tuple[Tensor, Tensor]]]
"""Prompts to the features and mask of each text branch: SmallText, or OpenText."""


class VideoModel(nn.Module):
    """The text branches' projections and the transformer, and the small branches where the text is ours.

    Frozen encoders are no part of the model: hand them over as `encoders` (and they are neither trained nor saved).
    """

    def __init__(
        self, transformer: TransformerConfig, text: SmallTextConfig | OpenTextConfig, encoders: Features | None = None
    ) -> None:
        super().__init__()
        self.text = SmallText(text) if isinstance(text, SmallTextConfig) else None
        self.projection = TextProjection(text.widths, transformer.width)
        self.transformer = VideoTransformer(transformer)
        self._encoders = (encoders,)  # in a tuple, which nn.Module does not look into

    def condition(self, prompts: Sequence[str], fps: float) -> Condition:
        """Prompts, each after the FPS prefix, as condition tokens. The empty prompt is the unconditional one."""
        features = self.text or self._encoders[0]
        assert features is not None, "a preset with frozen text encoders needs them: VideoModel(encoders=OpenText(...))"
        return self.projection(features([with_fps(prompt, fps) for prompt in prompts]))  # type: ignore[no-any-return]

    def forward(self, latents_BCTHW: Tensor, time_B: Tensor, condition: Condition) -> Tensor:
        """The velocity, in the shape of the latents."""
        return self.transformer(latents_BCTHW, time_B, condition)  # type: ignore[no-any-return]
