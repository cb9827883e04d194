"""clip_score and clip_text_rank: whether the frames go with the prompt, by CLIP ViT-B/32."""

from __future__ import annotations

from functools import partial

from eval.encoders.open.text import text_features
from eval.formulas import clip_score as mean_clip_score
from eval.formulas import pooled, share_beaten
from eval.metric import Measured, metric

NAME = "clip-vit-b-32"

of_frames = partial(
    metric,
    version=1,
    family="alignment",
    direction="higher",
    needs=("clip_b32_frames",),
    encoders=(NAME,),
    needs_prompt=True,
)


@of_frames(
    name="clip_score",
    unit="1",
    low=0.0,
    high=100.0,
    source="CLIPScore (Hessel et al. 2021), eq. 1 without references, with w = 100 for 2.5 as torchmetrics has it",
    summary="mean over all frames of 100 times the cosine with the prompt; good clips reach 25 to 35",
    blind_spots="hardly sees motion, order, number, or who does what to whom; words after the 77th token are cut off; "
    "its scale differs from prompt to prompt: compare on the same prompts",
)
def clip_score(measured: Measured) -> float:
    """Mean over frames of 100 · max(0, cos(frame, prompt)); 0-100. The prompt stands alone, without "A photo of"."""
    assert measured.case is not None
    return mean_clip_score(measured["clip_b32_frames"]["features_TD"], text_features(NAME, measured.case.prompt))


@of_frames(
    name="clip_text_rank",
    unit="1",
    low=0.0,
    high=1.0,
    source="ours: the rank of the right text among the suite's, as in text retrieval with CLIP (Luo et al. 2021)",
    summary="share of the suite's other prompts that fit the clip less than its own; 0.5 is chance",
    blind_spots="depends on how unlike the suite's prompts are: compare within one suite only; else as clip_score",
)
def clip_text_rank(measured: Measured) -> float:
    """(N − rank) / (N − 1) of the case's prompt among the suite's N, by cosine with the mean of the frames; 0-1.

    Raises NotMeasurable where the suite has no other prompt.
    """
    assert measured.case is not None
    prompt = measured.case.prompt
    others = [text_features(NAME, other) for other in measured.prompts if other != prompt]
    clip_D = pooled(measured["clip_b32_frames"]["features_TD"])
    return share_beaten(clip_D, text_features(NAME, prompt), others)
