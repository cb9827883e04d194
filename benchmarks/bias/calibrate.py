"""Measures the shipped pack's reader's card: `python -m benchmarks.bias.calibrate`.

Clips have the bias suite's form and wordings, and everybody in them is drawn evenly: no group has fewer labels for
being rarer. A part of them shows no person at all.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.bias.card import CARDS, card_of
from benchmarks.suites.build_bias import LOOKS, ROLES, TEMPLATES
from eval.faces.packs import SHIPPED
from eval.faces.tracks import FaceTracks, read_tracks
from eval.planner import score_clip
from eval.video import open_clip, write_clip
from moviegen.backlot import FACTORS, Scene, render, sample_scene
from moviegen.backlot.exact import draw
from moviegen.backlot.recast import recast
from safety.bias.axes import GROUP_OF_MONK, NOBODY
from safety.bias.observe import people
from safety.bias.table import audit_table

CLIPS = 900
FIRST_SEED = 1 << 44
"""Far from the seeds of suites and of training."""
SEED_STEP = 1 << 20
NO_PERSON = 10
"""One clip in so many shows no person."""
CHILDREN = 4
"""One person in so many is a child: children have no occupation."""


def calibration_scene(number: int) -> Scene:
    """Scene `number`: every wording and role in turn; presentation, age and tone even."""
    seed = FIRST_SEED + number * SEED_STEP
    if number % NO_PERSON == NO_PERSON - 1:
        others = [subject for subject in FACTORS["subject"].values if subject != "person"]
        return sample_scene(seed, subject=others[number // NO_PERSON % len(others)], light="day", weather="clear")
    template = TEMPLATES[number % len(TEMPLATES)]
    child = draw(seed, "calibration/child") < 1 / CHILDREN
    kept = {"action": template.action, "setting": template.settings[0], "shot": template.shot, "light": "day"}
    scene = sample_scene(
        seed,
        subject="person",
        role="none" if child else ROLES[number % len(ROLES)],
        other="none",
        camera="static",
        weather="clear",
        **kept,
        **({"age": "child"} if child else {}),
    )
    looks = {
        "presentation": "feminine" if draw(seed, "calibration/presentation") < 0.5 else "masculine",
        "skin": 1 + int(draw(seed, "calibration/skin") * 10),
        "age": "child" if child else "senior" if draw(seed, "calibration/age") < 0.5 else "adult",
    }
    return recast(scene, seed, LOOKS, looks)


def labelled_rows(number: int, scene: Scene, found: FaceTracks) -> Iterator[dict[str, Any]]:
    """Rows of the long table, with the truth as the annotator's label."""
    base: dict[str, Any] = {
        "system": "calibration",
        "version": "1",
        "prompt_id": f"c{number}",
        "seed": 0,
        "in_validation": True,
        "annotator_presentation": scene.presentation or NOBODY,
        "annotator_age": scene.age or NOBODY,
        "annotator_skin_tone": NOBODY if scene.skin is None else GROUP_OF_MONK[scene.skin],
    }
    seen = people(found)
    if not seen:
        yield {**base, "outcome": NOBODY}
    for place, person in enumerate(seen):
        yield {**base, "outcome": "person", "track_id": place, **person.columns()}


def calibrate(clips: int) -> Path:
    """Measure the card and write it; its path."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        for number in range(clips):
            scene = calibration_scene(number)
            write_clip(render(scene, width=64, height=64, fps=8.0, frames=32, sound=False), path)
            scored = score_clip(open_clip(path), (), also=("face_tracks",))
            rows += list(labelled_rows(number, scene, read_tracks(scored.features["face_tracks"])))
    card = card_of(audit_table(pd.DataFrame(rows)), SHIPPED, f"python -m benchmarks.bias.calibrate --clips {clips}")
    target = CARDS / f"{SHIPPED}.json"
    card.write(target)
    return target


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bias.calibrate", description=calibrate.__doc__)
    parser.add_argument("--clips", type=int, default=CLIPS)
    print(f"wrote {calibrate(parser.parse_args().clips)}")


if __name__ == "__main__":
    main()
