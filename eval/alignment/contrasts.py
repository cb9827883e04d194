"""contrast_color, contrast_count, contrast_relation and contrast_action: the prompt against its twin.

A twin is the prompt with one thing changed that the clip must tell: "a red car" for "a blue car", "left" for "right",
"sits down" for "stands up". A suite writes it beside the prompt, as `truth: {contrasts: {color: "a red car"}}`. What
both texts share cancels out, so the check asks for that one thing alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from eval.encoders.open.text import prompted_text_features, text_features
from eval.formulas import Numbers, pooled, share_beaten
from eval.metric import Measured, MetricFunction, NotMeasurable, metric

contrast = partial(
    metric,
    version=1,
    family="alignment",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    needs_prompt=True,
    needs_truth=("contrasts",),
)

View = Callable[[Measured, str], tuple[Numbers, Numbers]]
"""The clip's features and a text's, in one space."""


def by_clip(measured: Measured, text: str) -> tuple[Numbers, Numbers]:
    """The mean of the frames' directions, and the text's: what one frame can show."""
    return pooled(measured["clip_b32_frames"]["features_TD"]), text_features("clip-vit-b-32", text)


def by_xclip(measured: Measured, text: str) -> tuple[Numbers, Numbers]:
    """The whole clip, and the text as that clip prompts it: what takes time to show."""
    clip = measured["xclip_b32_clip"]
    return clip["features_D"], prompted_text_features("xclip-b-32", text, clip["patches_PD"])


def told_from_twin(measured: Measured, factor: str, view: View) -> float:
    """1 where the prompt fits the clip better than its twin, 0 where the twin does, ½ where both fit alike."""
    assert measured.case is not None
    assert measured.case.truth is not None
    twin = measured.case.truth["contrasts"].get(factor)
    if not twin:
        raise NotMeasurable(f"the case has no twin prompt for {factor}")
    clip_D, right_D = view(measured, measured.case.prompt)
    _, wrong_D = view(measured, twin)
    return share_beaten(clip_D, right_D, [wrong_D])


def _metric_of(factor: str, view: View) -> MetricFunction:
    def told(measured: Measured) -> float:
        return told_from_twin(measured, factor, view)

    told.__doc__ = f"1, ½ or 0: the prompt fits the clip better than the prompt with another {factor} does."
    return told


for _factor, _view, _feature, _encoder, _blind in (
    ("color", by_clip, "clip_b32_frames", "clip-vit-b-32", "a color anywhere in the picture counts"),
    ("count", by_clip, "clip_b32_frames", "clip-vit-b-32", "CLIP counts to three or so"),
    ("relation", by_clip, "clip_b32_frames", "clip-vit-b-32", "CLIP tells left from right little better than chance"),
    ("action", by_xclip, "xclip_b32_clip", "xclip-b-32", "X-CLIP knows short names of human actions best"),
):
    contrast(
        name=f"contrast_{_factor}",
        needs=(_feature,),
        encoders=(_encoder,),
        source="ours, after Winoground (Thrush et al. 2022): the right text against a minimally different one",
        summary=f"1 where the prompt fits the clip better than the same prompt with another {_factor}; 0.5 is chance",
        blind_spots=f"{_blind}; a yes or no, so few clips tell little",
    )(_metric_of(_factor, _view))
