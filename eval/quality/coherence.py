"""motion_coherence: does what moves go on moving the way it did?

Shape legend: R triples of sampled frames.
"""

from __future__ import annotations

from eval.metric import Measured, NotMeasurable, metric

LEAST_TRAVEL = 0.004
"""Short sides per second, both directions added. Below it the flow of a still picture is its grain: nothing moves."""


@metric(
    name="motion_coherence",
    version=1,
    family="motion",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("flow",),
    source="ours, on DIS flow (Kroeger et al. 2016)",
    summary="how steadily things move: 1 keeps every velocity from one eighth of a second to the next, 0 reverses it",
    blind_spots="quick true reversals (a bounce, a wave) count against it; an empty pan scores 1; says nothing of what "
    "moves",
    invariant_to=frozenset({"fps", "size"}),
)
def motion_coherence(measured: Measured) -> float:
    """1 − Σ_triples mean |v⁺ + v⁻| / Σ_triples (mean |v⁺| + mean |v⁻|), at most the triangle inequality's 1; 0-1.

    v⁺ and v⁻ are the velocities from the middle frame to its two neighbours. It is free of the amount of motion, which
    motion_magnitude tells: frames in the wrong order move like frames in the right one, but not steadily.
    """
    turn_R, travel_R = measured["flow"]["turn_R"], measured["flow"]["travel_R"]
    if not travel_R.size:
        raise NotMeasurable("needs at least three frames")
    if travel_R.mean() < LEAST_TRAVEL:
        raise NotMeasurable("nothing moves")
    return 1.0 - float(turn_R.sum() / travel_R.sum())
