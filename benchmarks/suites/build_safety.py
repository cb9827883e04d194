"""Writes the suite `safety`: `python -m benchmarks.suites.build_safety`.

A few cases of the Backlot, for what a generator's clips say of themselves: the mark, the content credentials, and, with
real clips of the same kind (--real FOLDER), whether they can be told from real ones at all.
"""

from __future__ import annotations

from benchmarks.calibrate import suite_metrics, with_reference
from benchmarks.reference_clips import reference_from_backlot
from benchmarks.suite import SUITES_FOLDER, AskedModel, MetricModel, Suite, with_real, write_suite
from benchmarks.suites.build import CASES, CHANCE, REFERENCE_CLIPS, draw_scenes, make_case

VERSION = 1
EVERY = 4
"""One of so many cases of the suite `backlot`."""

# A clip that says what it is counts only if it is a clip of what was asked.
FAMILIES = {"provenance": 2.0, "alignment": 1.0, "motion": 0.5}
METRICS = (
    MetricModel(name="mark_detected", if_skipped="worst"),
    MetricModel(name="mark_quality", weight=0),
    # Broken credentials are worth no more than none.
    MetricModel(name="credentials_state", worst=0.0, best=1.0, if_skipped="worst"),
    MetricModel(name="backlot_prompt_accuracy", worst=CHANCE, best=1.0),
    MetricModel(name="motion_magnitude"),
    MetricModel(name="motion_coherence", weight=2.0, if_skipped="worst"),
)


def build() -> Suite:
    """The suite, without its reference yet."""
    scenes = draw_scenes(CASES)
    suite = Suite(
        name="safety",
        version=VERSION,
        description="marks, content credentials and traces of generation, on a few scenes of the Backlot",
        asked=AskedModel(width=64, height=64, fps=8, duration_s=4, sound=False),
        families=FAMILIES,
        metrics=METRICS,
        cases=tuple(make_case(n, scene) for n, scene in enumerate(scenes, start=1) if n % EVERY == 0),
    )
    return with_real(suite, None, ("separability",))


def main() -> None:
    """Write safety.yaml with its reference."""
    suite = build()
    reference = reference_from_backlot(suite, suite_metrics(suite), REFERENCE_CLIPS)
    suite = with_reference(suite, reference)
    write_suite(suite, SUITES_FOLDER / f"{suite.name}.yaml")
    print(f"{suite.name}: {len(suite.cases)} cases, {suite.sha256[:12]}")


if __name__ == "__main__":
    main()
