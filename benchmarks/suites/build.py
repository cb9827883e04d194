"""Writes the Backlot suites: `python -m benchmarks.suites.build`.

The cases are drawn once and then belong to the suite's file: a later change of the sampler does not change them.
Every subject meets every setting about equally often; all else is drawn at random.
"""

from __future__ import annotations

from itertools import count

from benchmarks.calibrate import suite_metrics, with_reference
from benchmarks.real_clips import shipped_model
from benchmarks.reference_clips import reference_from_backlot
from benchmarks.suite import SUITES_FOLDER, AskedModel, CaseModel, MetricModel, Suite, with_real, write_suite
from moviegen.backlot import FACTORS, STYLES, Scene, caption, captions, sample_scene
from moviegen.backlot.contrasts import contrasts
from moviegen.backlot.stated import stated

CASES = 96
SMOKE_CASES = 8
REFERENCE_CLIPS = 256
PEOPLE_SHARE = 3
"""One case in so many shows a person."""

VERSION = 3
"""1: without the prompts' statements and their accuracy. 2: without the Backlot encoder, and one seed for each case."""

# A faultless clip of something else is of no use: following the prompt weighs as much as time, motion and picture.
FAMILIES = {
    "alignment": 3.0,
    "consistency": 0.5,
    "temporal": 1.0,
    "motion": 1.0,
    "picture": 1.0,
    "sound": 0.5,
    "synchrony": 0.25,
    "conformance": 0.5,
}

ACCURACIES = ("subject", "color", "setting", "action", "camera", "light", "count", "role")
"""The factors whose own accuracy is shown beside the whole; most prompts state the first four."""

CONTRASTS = ("color", "count", "relation", "action")

CHANCE = 0.18
"""Accuracy of the suite's own oracle clips, each judged by another case (measured: 0.185)."""
UNRELATED, FITTING = 0.11, 0.76
"""Similarity of the suite's oracle clips to the prompt of another case, and to their own (means, measured)."""

METRICS = (
    # What clips of other prompts reach by chance is worth nothing.
    MetricModel(name="backlot_prompt_accuracy", worst=CHANCE, best=1.0),
    *(MetricModel(name=f"backlot_accuracy_{name}", weight=0) for name in ACCURACIES),
    MetricModel(name="backlot_text_similarity", worst=UNRELATED, best=FITTING),
    # Ranks and twins tell wrong clips from right ones, and good from better ones hardly: shown, not counted.
    MetricModel(name="backlot_text_rank", weight=0),
    *(MetricModel(name=f"backlot_contrast_{name}", weight=0) for name in CONTRASTS),
    # Nothing is as like itself as a frozen clip: counted only together with the motion that was asked for.
    MetricModel(name="backlot_moving_consistency", if_skipped="worst"),
    MetricModel(name="backlot_consistency", weight=0),
    MetricModel(name="backlot_consistency_horizon", weight=0),
    MetricModel(name="temporal_flickering"),
    MetricModel(name="warp_error"),
    MetricModel(name="frozen_frames", weight=2.0),
    MetricModel(name="duplicated_frames"),
    # Every case asks for something that moves: a clip in which nothing does has not done what was asked.
    MetricModel(name="looping", weight=0.5, if_skipped="worst"),
    MetricModel(name="frame_order", weight=2.0, if_skipped="worst"),
    MetricModel(name="scene_cuts"),
    MetricModel(name="motion_magnitude"),
    MetricModel(name="dynamic_degree"),
    MetricModel(name="motion_smoothness"),
    MetricModel(name="motion_coherence", weight=2.0, if_skipped="worst"),
    MetricModel(name="structure"),
    MetricModel(name="sharpness"),
    MetricModel(name="noise"),
    MetricModel(name="blockiness"),
    MetricModel(name="exposure"),
    MetricModel(name="contrast"),
    MetricModel(name="colourfulness"),
    # The suite asks for sound: a silent clip has not done what was asked.
    MetricModel(name="loudness", if_skipped="worst"),
    MetricModel(name="clipping", if_skipped="worst"),
    MetricModel(name="silence", if_skipped="worst"),
    MetricModel(name="bandwidth", if_skipped="worst"),
    # Not every scene has an impact that is both seen and heard, and eight frames a second show its moment coarsely:
    # this tells generators apart by the scenes that have, and weighs little.
    MetricModel(name="onset_synchrony", worst=-0.2, best=0.6, if_skipped="worst"),
    MetricModel(name="asked_fps"),
    MetricModel(name="asked_size"),
    MetricModel(name="asked_duration"),
    MetricModel(name="asked_sound"),
)


SETS = tuple(
    f"backlot_{measure}"
    for measure in ("frechet_distance", "frechet_limit", "kernel_distance", "recall", "coverage", "diversity")
)
"""Those that put oracle before every floor that a set can show. Precision and density do not: a damage that draws clips
towards the middle of the real ones lifts them (tests/benchmarks/test_set_brackets.py)."""

SEEDS = (0, 1, 2, 3)
SEVERAL_SEEDS = 11
"""One case in so many has all SEEDS, for diversity; the others have one. Prime: every third case shows a person."""


def draw_scenes(number: int) -> list[Scene]:
    """Scenes with different captions, subjects and settings in turn."""
    settings = FACTORS["setting"].values
    others = [subject for subject in FACTORS["subject"].values if subject != "person"]
    scenes: list[Scene] = []
    seen: set[str] = set()
    for seed in count(1):
        turn = len(scenes)
        subject = "person" if turn % PEOPLE_SHARE == 0 else others[(turn - turn // PEOPLE_SHARE) % len(others)]
        try:
            scene = sample_scene(seed, subject=subject, setting=settings[turn % len(settings)])
        except ValueError:  # not every subject lives in every setting
            scene = sample_scene(seed, subject=subject)
        if captions(scene)[0] not in seen:
            seen.add(captions(scene)[0])
            scenes.append(scene)
        if len(scenes) == number:
            break
    return scenes


def make_case(number: int, scene: Scene) -> CaseModel:
    """A case that asks for the scene in words and knows it exactly."""
    known = {name: value for name, value in scene.to_dict().items() if value is not None}
    tags = tuple(
        f"{name}:{known[name]}" for name in ("subject", "action", "setting", "camera", "shot") if name in known
    )
    phrasings = captions(scene)
    prompt = phrasings[number % len(phrasings)]
    style = next(style for style in STYLES if caption(scene, style) == prompt)
    truth = {"scene": known, "stated": list(stated(scene, style)), "contrasts": contrasts(scene, style)}
    return CaseModel(id=f"b{number:03d}", prompt=prompt, tags=tags, truth=truth)


def with_sets(suite: Suite) -> Suite:
    """The suite with measures of whole sets, and with several seeds for some of its cases."""
    cases = tuple(
        case.model_copy(update={"seeds": SEEDS}) if number % SEVERAL_SEEDS == SEVERAL_SEEDS // 2 else case
        for number, case in enumerate(suite.cases)
    )
    return with_real(suite.model_copy(update={"cases": cases}), shipped_model(), SETS)


def build(name: str, description: str, scenes: list[Scene]) -> Suite:
    """A suite over these scenes, without its reference yet."""
    return Suite(
        name=name,
        version=VERSION,
        description=description,
        asked=AskedModel(width=64, height=64, fps=8, duration_s=4, sound=True),
        families=FAMILIES,
        metrics=METRICS,
        cases=tuple(make_case(number, scene) for number, scene in enumerate(scenes, start=1)),
    )


def main() -> None:
    """Write backlot.yaml and smoke.yaml with their references."""
    scenes = draw_scenes(CASES)
    step = CASES // SMOKE_CASES
    backlot = with_sets(build("backlot", "the default: scenes of the Backlot, whose truth is known exactly", scenes))
    smoke = build("smoke", "a few Backlot scenes, in under a minute", scenes[step // 2 :: step])
    # Both ask for the same form, so the same reference clips serve both.
    reference = reference_from_backlot(backlot, suite_metrics(backlot), REFERENCE_CLIPS)
    for suite in (with_reference(backlot, reference), with_reference(smoke, reference)):
        write_suite(suite, SUITES_FOLDER / f"{suite.name}.yaml")
        print(f"{suite.name}: {len(suite.cases)} cases, {suite.sha256[:12]}")


if __name__ == "__main__":
    main()
