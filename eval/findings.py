"""What the numbers say about one clip, in plain words: noise, a freeze, a silent track, padded frames, …

Thresholds were set on six clips of public generators and several hundred scenes of the Backlot, and are meant to
leave ordinary clips alone: a finding is worth a look, its absence is no praise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.clip import ClipInfo, StreamFacts
from eval.planner import Score

Severity = Literal["failed", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("failed", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One plain sentence about a clip.

    severity: `failed`: not usable as a video of anything; `warning`: something is probably wrong; `note`: good to know.
    metric: the metric behind it; empty where it comes from the file itself.
    """

    severity: Severity
    sentence: str
    metric: str = ""


Values = Mapping[str, float]


def findings(info: ClipInfo, facts: StreamFacts, scores: Sequence[Score]) -> tuple[Finding, ...]:
    """Everything worth saying about one clip, the gravest first. Metrics that were not scored say nothing."""
    values = {score.metric: score.value for score in scores if score.value is not None}
    rules: tuple[Callable[[ClipInfo, Values], Iterator[Finding]], ...] = (_content, _motion, _time, _picture, _sound)
    found = [finding for rule in rules for finding in rule(info, values)]
    found += [*_asked(info, values), *_file(info, facts)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


NO_CONTENT = 0.12
"""Structure: noise, blobs and flat colour have 0 to 0.02, a failed generation of brown noise 0.08, the least
structured of 400 Backlot scenes (snowfall in a forest) 0.15, real footage 0.6 and more."""


def _content(_info: ClipInfo, values: Values) -> Iterator[Finding]:
    structure, contrast = values.get("structure", 1.0), values.get("contrast", 1.0)
    if structure >= NO_CONTENT:
        return
    what = "one flat colour" if contrast < 0.01 else "noise or haze without content"
    yield Finding("failed", f"looks like {what}: structure is {structure:.2f}, footage has 0.2 or more", "structure")


FROZEN_ALL, FROZEN_SOME = 0.95, 0.25
NEARLY_STILL, HARDLY_DYNAMIC = 0.015, 0.2
"""Short sides per second, and share of the time. A nearly still drawing has 0.014 and 0.14; a hand lifting a lemon
in an otherwise still picture 0.036 and 0.63."""


def _motion(_info: ClipInfo, values: Values) -> Iterator[Finding]:
    frozen, speed = values.get("frozen_frames", 0.0), values.get("motion_magnitude", 1.0)
    if frozen >= FROZEN_ALL:
        yield Finding("failed", f"frozen: nothing changes in {frozen:.0%} of the time", "frozen_frames")
        return
    if frozen >= FROZEN_SOME:
        yield Finding("warning", f"stands still for {frozen:.0%} of the time", "frozen_frames")
    if speed < NEARLY_STILL and values.get("dynamic_degree", 1.0) < HARDLY_DYNAMIC:
        sentence = f"nearly still: the picture moves by {speed:.1%} of its short side per second"
        yield Finding("warning", sentence, "motion_magnitude")


PADDED = 0.17
"""Of the frames. 24 fps made from 16 has a third, 30 from 24 a fifth; of 300 Backlot scenes one has 0.13."""
LOOPS = 0.95


def _time(info: ClipInfo, values: Values) -> Iterator[Finding]:
    repeats = values.get("duplicated_frames", 0.0)
    if repeats >= PADDED:
        rate = info.fps * (1 - repeats)
        sentence = f"{repeats:.0%} of the frames repeat the one before: the real rate is about {rate:.2g} fps"
        yield Finding("warning", sentence, "duplicated_frames")
    loop = values.get("looping", 0.0)
    if loop >= LOOPS:
        # a note only: pendulums, wheels and walkers on the spot return as exactly
        yield Finding("note", f"returns to where it was at even intervals (looping is {loop:.2f})", "looping")
    cuts = values.get("scene_cuts", 0.0)
    if cuts > 0:
        count = max(1, round(cuts * info.duration_s))
        yield Finding("note", f"about {count} scene cut{'s' if count > 1 else ''}", "scene_cuts")


DARK, BRIGHT = 0.06, 0.94
"""Mean luma. Backlot nights have 0.22 and its white studio 0.82."""
BLOCKY = 0.4
"""JPEG at quality 15 gives 0.4 to 0.55 on the real clips, at 60 about 0.24; undamaged they stay under 0.09."""
BLURRED = 0.27
"""A Gaussian blur of 4 pixels gives 0.20 to 0.24 on the real clips at 480 lines; undamaged they have 0.60 and more."""
NOISY = 30.0
"""Grey levels. A GIF's dither reaches 21; independent uniform noise has 50 to 75."""


def _picture(_info: ClipInfo, values: Values) -> Iterator[Finding]:
    light = values.get("exposure", 0.5)
    if light < DARK:
        yield Finding("warning", f"very dark: mean brightness is {light:.1%}", "exposure")
    elif light > BRIGHT:
        yield Finding("warning", f"very bright: mean brightness is {light:.1%}", "exposure")
    if values.get("blockiness", 0.0) >= BLOCKY:
        yield Finding("warning", f"blocky: an 8×8 grid shows (blockiness {values['blockiness']:.2f})", "blockiness")
    if values.get("sharpness", 1.0) < BLURRED:
        yield Finding("warning", f"blurred: sharpness is {values['sharpness']:.2f} of 1", "sharpness")
    if values.get("noise", 0.0) >= NOISY:
        yield Finding("warning", f"noisy: pixels vary by {values['noise']:.0f} of 255 grey levels", "noise")


SILENT = 0.98
CLIPPED = 0.001
QUIET, LOUD = -50.0, -5.0
"""LUFS: speech mixed for streaming has about -16, a quiet Backlot beach -42."""


def _sound(info: ClipInfo, values: Values) -> Iterator[Finding]:
    if not info.has_audio:
        yield Finding("note", "no sound track")
        return
    silence = values.get("silence", 0.0)
    if silence >= SILENT:
        yield Finding("warning", f"the sound track is silent in {silence:.0%} of the time", "silence")
    if values.get("clipping", 0.0) >= CLIPPED:
        yield Finding("warning", f"clipped sound: {values['clipping']:.1%} of the samples are cut off", "clipping")
    loudness = values.get("loudness")
    if loudness is not None and silence < SILENT and not QUIET <= loudness <= LOUD:
        word = "quiet" if loudness < QUIET else "loud"
        yield Finding("warning", f"very {word}: {loudness:.0f} LUFS", "loudness")


ASKED = {
    "asked_fps": "the frame rate is not what was asked for",
    "asked_size": "the picture size is not what was asked for",
    "asked_duration": "the length is not what was asked for",
    "asked_sound": "there is sound where none was asked for, or none where it was",
}
CONFORMS = 0.99


def _asked(info: ClipInfo, values: Values) -> Iterator[Finding]:
    given = {
        "asked_fps": f"{info.fps:.5g} fps",
        "asked_size": f"{info.width}×{info.height}",
        "asked_duration": f"{info.duration_s:.2f} s",
        "asked_sound": "a sound track" if info.has_audio else "no sound track",
    }
    for name, sentence in ASKED.items():
        if values.get(name, 1.0) < CONFORMS:
            yield Finding("warning", f"{sentence}: it has {given[name]}", name)


def _file(info: ClipInfo, facts: StreamFacts) -> Iterator[Finding]:
    if facts.frames == 1:
        yield Finding("warning", "a single frame: a picture, not a video")
    elif facts.timestamps == "variable":
        yield Finding("note", "the frame rate varies")
    elif facts.timestamps != "regular":
        yield Finding("warning", f"the timestamps are {facts.timestamps}: speeds and lengths may be wrong")
    for note in dict.fromkeys((*info.notes, *facts.notes)):
        yield Finding("note", note)
