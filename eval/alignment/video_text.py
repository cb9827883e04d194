"""xclip_consistency and vbench_overall_consistency: whether the clip as a whole goes with the prompt."""

from __future__ import annotations

from functools import partial

from eval.encoders.networks.viclip_text import viclip_text
from eval.encoders.open.text import prompted_text_features
from eval.formulas import text_cosines
from eval.metric import Measured, metric

of_clips = partial(
    metric,
    version=1,
    family="alignment",
    unit="1",
    low=-1.0,
    high=1.0,
    direction="higher",
    needs_prompt=True,
)


@of_clips(
    name="xclip_consistency",
    needs=("xclip_b32_clip",),
    encoders=("xclip-b-32",),
    source="X-CLIP B/32 (Ni et al. 2022), cosine of the clip with the text prompted by that clip",
    summary="cosine of the whole clip with the prompt, by X-CLIP",
    blind_spots="sees 8 frames at 224 pixels; trained on short names of human actions; hardly sees colour, number and "
    "place",
)
def xclip_consistency(measured: Measured) -> float:
    """cos(clip, prompt); −1 to 1."""
    assert measured.case is not None
    clip = measured["xclip_b32_clip"]
    text_D = prompted_text_features("xclip-b-32", measured.case.prompt, clip["patches_PD"])
    return float(text_cosines(clip["features_D"], text_D)[0, 0])


@of_clips(
    name="vbench_overall_consistency",
    needs=("viclip_l_clip",),
    encoders=("viclip-l",),
    source="VBench (Huang et al. 2024), dimension overall_consistency, with ViCLIP-L (Wang et al. 2023)",
    summary="cosine of the whole clip with the prompt, by ViCLIP; good clips reach 0.2 to 0.36",
    blind_spots="sees 8 frames at 224 pixels; words after the 32nd token are cut off; its scale differs from prompt to "
    "prompt",
)
def vbench_overall_consistency(measured: Measured) -> float:
    """cos(clip, prompt); −1 to 1."""
    assert measured.case is not None
    text_D = viclip_text(measured.case.prompt)
    return float(text_cosines(measured["viclip_l_clip"]["features_D"], text_D)[0, 0])
