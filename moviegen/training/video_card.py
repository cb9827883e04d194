"""The card of a video model's weights: what was learnt from, how, on what, how well, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from statistics import fmean
from typing import Any

from moviegen.plan import build_on_meta, in_words
from moviegen.presets import Preset
from moviegen.training.latent_cache import VALIDATION_CLIPS, cache_card
from moviegen.training.mixture import PEOPLE, ROLES, STYLES, held_out_combinations
from moviegen.training.video import TIME_GRID
from moviegen.training.video_data import VALIDATION_SPLITS
from moviegen.training.video_run import VideoRun, lengths, loss_curve, start_of

POINTS = 40
"""Points of a curve in a card."""


def video_card(preset: Preset, run: VideoRun, *, steps: int, minutes: float, hardware: Sequence[str]) -> dict[str, Any]:
    """Everything that is to be known about the average's weights after `steps` steps, beside their hash.

    Curves and held-out losses are read from the run's logs, up to that step.
    """
    return {
        "what": "Movie Gen Video in miniature: flow matching on latents of the Temporal Autoencoder; averaged weights",
        "parameters": in_words(sum(parameter.numel() for parameter in build_on_meta(preset).parameters())),
        "data": {
            "mixture": mixture_summary(),
            "cache": cache_card(run.cache),
            "clips_seen": {b.name: round(steps * share * preset.batch(b)) for b, share in preset.step_shares().items()},
        },
        "autoencoder": {"preset": preset.compression.tae, "id": run.autoencoder_id},
        "steps": steps,
        "of_steps": preset.recipe.steps,
        **({"start": started} if (started := start_of(preset, run)) else {}),
        "lengths": [f"{length} steps, from step {step} on" for step, length in lengths(run) if step < steps],
        "minutes": minutes,
        "hardware": list(hardware),
        "seed": run.seed,
        "settings": asdict(preset),
        "held_out": held_out_losses(run, steps),
        "curves": curves(run, steps),
        "limits": (
            "Knows drawn Backlot scenes only: their subjects, places, actions, colours and camera moves, at "
            f"{preset.form.width}x{preset.form.height} pixels and {preset.form.fps:g} frames per second. The mixture "
            "is skewed on purpose in who appears in which role. No sound, no text in the picture; counting, small "
            "subjects and unseen combinations fail most often."
        ),
    }


def mixture_summary() -> str:
    """What the training clips show, in a sentence."""
    return (
        f"Backlot scenes; {PEOPLE:.0%} about a person, in {len(ROLES) - 1} roles and none, presentation and skin tone "
        f"skewed by role; captions in {len(STYLES)} phrasings; {len(held_out_combinations())} combinations of who with "
        "which setting or colour never shown (moviegen/training/mixture.py)"
    )


def held_out_losses(run: VideoRun, steps: int) -> dict[str, Any]:
    """The last validation of each split up to a step: the mean loss, and the loss at each time of the grid."""
    found: dict[str, Any] = {"what": f"flow-matching loss of the average on {VALIDATION_CLIPS} fixed clips per split"}
    for split in VALIDATION_SPLITS:
        whole = _until(loss_curve(run.out, f"val/{split}/loss"), steps)
        if whole:
            step, loss = list(whole.items())[-1]
            times = {f"{time:.2f}": loss_curve(run.out, f"val/{split}/t={time:.2f}") for time in TIME_GRID}
            found[split] = {
                "step": step,
                "loss": _short(loss),
                "at_time": {time: _short(curve[step]) for time, curve in times.items() if step in curve},
            }
    return found


def curves(run: VideoRun, steps: int) -> dict[str, list[tuple[int, float]]]:
    """Training loss (means over stretches of steps) and validation losses, as pairs of step and value."""
    found = {"train": thinned(_until(loss_curve(run.out), steps))}
    for split in VALIDATION_SPLITS:
        found[split] = thinned(_until(loss_curve(run.out, f"val/{split}/loss"), steps))
    return found


def thinned(curve: Mapping[int, float], points: int = POINTS) -> list[tuple[int, float]]:
    """At most `points` pairs: the last step and the mean value of each of as many equal stretches."""
    items = list(curve.items())
    edges = (
        [round(k * len(items) / min(points, len(items))) for k in range(min(points, len(items)) + 1)] if items else []
    )
    return [
        (items[last - 1][0], _short(fmean(value for _, value in items[first:last]))) for first, last in pairwise(edges)
    ]


def _until(curve: Mapping[int, float], steps: int) -> dict[int, float]:
    return {step: value for step, value in curve.items() if step <= steps}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
