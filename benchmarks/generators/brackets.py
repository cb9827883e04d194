"""Brackets: generators whose place on the leaderboard is known before the sweep.

The oracle renders the very scene that a case describes. Each floor spoils the oracle's clip in one known way, so a
metric that ranks a floor above the oracle shows its own blind spot. All need cases with a Backlot scene as truth.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.generator import KINDS, Bracket, Generator, Kind, NoClip
from eval.case import Case
from eval.clip import AudioCN, Clip, FramesTCHW
from moviegen.backlot import Scene, render
from moviegen.backlot.recast import recast
from moviegen.training.mixture import looks_of

DEFAULT_SIZE = 64
DEFAULT_FPS = 8.0
DEFAULT_SECONDS = 4.0

SEED_STEP = 1_000_003
SEED_LIMIT = 2**53
"""Scene seeds are whole numbers below this."""


def scene_of(case: Case) -> Scene:
    """The scene that a Backlot case asks for. Seed 0 is the suite's; others vary only what is not asked.

    Who is in it varies where the truth says `open`, a list of factors that the prompt leaves open: those are cast anew
    for every seed, presentation and skin tone as the declared training mixture has them for the role.
    Raises NoClip for a case without a scene.
    """
    if case.truth is None or "scene" not in case.truth:
        raise NoClip("brackets need a case with a Backlot scene as truth")
    scene = Scene.from_dict(case.truth["scene"])
    seed = (scene.seed + case.seed * SEED_STEP) % SEED_LIMIT
    if "open" in case.truth:
        return recast(scene, seed, tuple(case.truth["open"]), looks_of(seed, str(scene.role)))
    return replace(scene, seed=seed)


def render_case(case: Case) -> Clip:
    """The clip that answers a Backlot case exactly."""
    scene, asked = scene_of(case), case.asked
    fps = asked.fps or DEFAULT_FPS
    return render(
        scene,
        width=asked.width or DEFAULT_SIZE,
        height=asked.height or DEFAULT_SIZE,
        fps=fps,
        frames=max(1, round((asked.duration_s or DEFAULT_SECONDS) * fps)),
        sound=asked.sound is not False,
    )


def random_for(case: Case, purpose: str) -> np.random.Generator:
    """A stream of random numbers that depends on the case, its seed and the purpose only."""
    return np.random.default_rng([zlib.crc32(f"{purpose}/{case.id}".encode()), case.seed])


def oracle(case: Case, _cases: Sequence[Case]) -> Clip:
    return render_case(case)


def still(case: Case, _cases: Sequence[Case]) -> Clip:
    """The middle frame, held for the whole clip, under the right sound."""
    clip = render_case(case)
    total = clip.frames_TCHW.shape[0]
    frames = np.repeat(clip.frames_TCHW[total // 2 : total // 2 + 1], total, axis=0)
    return Clip(frames, clip.fps, clip.audio_CN, clip.rate_hz)


def shuffled(case: Case, _cases: Sequence[Case]) -> Clip:
    """The right frames in a random order, under the right sound."""
    clip = render_case(case)
    order = random_for(case, "shuffled").permutation(clip.frames_TCHW.shape[0])
    return Clip(clip.frames_TCHW[order], clip.fps, clip.audio_CN, clip.rate_hz)


def mismatched(case: Case, cases: Sequence[Case]) -> Clip:
    """A good clip of the wrong scene: the oracle's answer to the case half-way round the suite."""
    ids = list(dict.fromkeys(other.id for other in cases))
    if len(ids) < 2:
        raise NoClip("mismatched needs a suite of at least two cases")
    wrong = ids[(ids.index(case.id) + len(ids) // 2) % len(ids)]
    other = next(c for c in cases if c.id == wrong)
    return render_case(Case(other.id, other.task, other.prompt, case.seed, case.asked, truth=other.truth))


def degraded(case: Case, _cases: Sequence[Case]) -> Clip:
    """Blurred, blocky and noisy frames, every second one held; dull, overdriven sound."""
    clip = render_case(case)
    random = random_for(case, "degraded")
    frames = np.stack([_spoil(frame, random) for frame in clip.frames_TCHW])
    frames[1::2] = frames[0::2][: len(frames[1::2])]
    audio = None if clip.audio_CN is None else _overdrive(clip.audio_CN)
    return Clip(frames, clip.fps, audio, clip.rate_hz)


def noise(case: Case, _cases: Sequence[Case]) -> Clip:
    """White noise to see and to hear, in the form that was asked for."""
    clip = render_case(case)
    random = random_for(case, "noise")
    frames: FramesTCHW = random.integers(0, 256, clip.frames_TCHW.shape, dtype=np.uint8)
    if clip.audio_CN is None:
        return Clip(frames, clip.fps)
    audio = random.uniform(-0.5, 0.5, clip.audio_CN.shape).astype(np.float32)
    return Clip(frames, clip.fps, audio, clip.rate_hz)


def _spoil(frame_CHW: FramesTCHW, random: np.random.Generator) -> FramesTCHW:
    image_HWC = np.ascontiguousarray(frame_CHW.transpose(1, 2, 0))
    height, width = image_HWC.shape[:2]
    small = cv2.resize(image_HWC, (max(1, width // 3), max(1, height // 3)), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    noisy = np.clip(soft + random.normal(0.0, 12.0, soft.shape), 0, 255).astype(np.uint8)
    ok, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 8])
    assert ok
    decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded.transpose(2, 0, 1))


def _overdrive(audio_CN: AudioCN) -> AudioCN:
    kernel = np.ones(24, np.float32) / 24
    dull = np.stack([np.convolve(channel, kernel, mode="same") for channel in audio_CN])
    return np.clip(dull * 12.0, -1.0, 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class BracketGenerator:
    """One bracket, bound to the cases of a suite."""

    answer: Callable[[Case, Sequence[Case]], Clip]
    cases: Sequence[Case]

    def generate(self, case: Case, folder: Path) -> Clip:  # noqa: ARG002 - brackets answer in memory
        return self.answer(case, self.cases)


def _register(answer: Callable[[Case, Sequence[Case]], Clip], bracket: Bracket, summary: str) -> None:
    def make(_argument: str, cases: Sequence[Case]) -> Generator:
        return BracketGenerator(answer, cases)

    KINDS.add(answer.__name__, Kind(answer.__name__, 1, summary, make, bracket))


_register(oracle, "ceiling", "the exact rendering of what was asked")
_register(still, "floor", "the oracle's middle frame, held")
_register(shuffled, "floor", "the oracle's frames in random order")
_register(mismatched, "floor", "the oracle's clip of another case")
_register(degraded, "floor", "the oracle's clip, blurred, blocky, noisy and at half rate")
_register(noise, "floor", "white noise in picture and sound")
