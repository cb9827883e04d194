"""backlot_text_similarity, backlot_text_rank, backlot_contrast_…: how near a Backlot clip is to its prompt.

By a small encoder that was trained to put clips and captions of the Backlot on one sphere (eval/weights). It sees what
eval/alignment/backlot_prompt.py reads, but judges the prompt as a whole, and needs no list of what it states.
"""

from __future__ import annotations

from functools import partial

from eval.alignment.contrasts import told_from_twin
from eval.features.backlot_encoder.weights import text_points
from eval.formulas import Numbers, share_beaten, text_cosines
from eval.metric import Measured, MetricFunction, NotMeasurable, metric

FEWEST = 10
"""Prompts of a suite among which a rank means something."""

alignment = partial(
    metric,
    version=1,
    family="alignment",
    unit="1",
    direction="higher",
    high=1.0,
    needs=("backlot_encoding",),
    source="ours: an encoder trained on the Backlot with InfoNCE (van den Oord et al. 2018); see eval/weights",
    invariant_to=frozenset({"fps", "size"}),
    needs_prompt=True,
)


@alignment(
    name="backlot_text_similarity",
    low=-1.0,
    summary="cosine of the clip and its prompt, by the Backlot encoder; faultless clips reach 0.6 to 0.9",
    blind_spots="knows drawn scenes of the Backlot only; sees 4 s at 64 pixels; longer prompts state more and are "
    "nearer or farther for it: compare on the same prompts",
)
def backlot_text_similarity(measured: Measured) -> float:
    """cos(clip, prompt); -1 to 1."""
    return float(text_cosines(measured["backlot_encoding"]["clip_D"], text_points((prompt_of(measured),)))[0, 0])


@alignment(
    name="backlot_text_rank",
    low=0.0,
    summary="share of the suite's other prompts that fit the clip less than its own; 0.5 is chance",
    blind_spots="depends on how unlike the suite's prompts are: compare within one suite only; small faults change no "
    "rank; else as backlot_text_similarity",
)
def backlot_text_rank(measured: Measured) -> float:
    """(N - rank) / (N - 1) of the case's prompt among the suite's N, by cosine with the clip; ties count half; 0-1.

    Raises NotMeasurable for suites of fewer than ten prompts.
    """
    if len(measured.prompts) < FEWEST:
        raise NotMeasurable(f"the suite has {len(measured.prompts)} prompts: a rank needs {FEWEST} to mean something")
    prompt = prompt_of(measured)
    others = tuple(other for other in measured.prompts if other != prompt)
    return share_beaten(measured["backlot_encoding"]["clip_D"], text_points((prompt,))[0], text_points(others))


def prompt_of(measured: Measured) -> str:
    """The case's prompt."""
    assert measured.case is not None
    return measured.case.prompt


def _beside(measured: Measured, text: str) -> tuple[Numbers, Numbers]:
    return measured["backlot_encoding"]["clip_D"], text_points((text,))[0]


def _contrast_of(factor: str) -> MetricFunction:
    def told(measured: Measured) -> float:
        return told_from_twin(measured, factor, _beside)

    told.__doc__ = f"1, ½ or 0: the prompt is nearer to the clip than the prompt with another {factor}; 0.5 is chance."
    return told


for _factor, _other in (
    ("color", "with the color changed, or those of two subjects exchanged"),
    ("count", "with another number"),
    ("relation", "with left and right exchanged"),
    ("action", "with the action turned round, or another one"),
):
    alignment(
        name=f"backlot_contrast_{_factor}",
        low=0.0,
        summary=f"1 where the prompt is nearer to the clip than the same prompt {_other}; 0.5 is chance",
        blind_spots="knows the Backlot only, and not without fault (its card says how well it tells each factor); a "
        "yes or no, so few clips tell little",
        needs_truth=("contrasts",),
    )(_contrast_of(_factor))
