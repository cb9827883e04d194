"""mark_detected: whether a clip carries the mark that generation writes."""

from __future__ import annotations

from eval.marks.chance import p_of
from eval.metric import Measured, metric

FALSE_ALARMS = 1e-3


@metric(
    name="mark_detected",
    version=1,
    family="provenance",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    needs=("learned_mark",),
    source="ours: chi-squared's Chernoff bound over all alignments searched (eval/marks/chance.py)",
    summary="the shipped mark is there under the public key: 1, else 0; one clip in 1,000 without it at most is 1",
    blind_spots="says nothing of other marks and keys; the key is public, so anybody can write this mark, also into "
    "footage; hard coding, rotation and small crops take it off",
    invariant_to=frozenset({"fps"}),
)
def mark_detected(measured: Measured) -> float:
    """1 where the bound on chance is at most 1 in 1,000, else 0.

    A yes or no and not the score, as its mean over clips is a share that can be read; the score's scale depends on a
    clip's length and size.
    """
    return float(p_of(float(measured["learned_mark"]["surprise"][0])) <= FALSE_ALARMS)
