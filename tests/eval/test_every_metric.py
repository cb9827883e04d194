"""One table of checks that every metric passes: a metric that is missing from a table here fails.

Known answers, range, monotone under graded damage, fps and size invariance where promised, invariance to windows,
batch and order, and clips that are too short or too small.

Open networks are small and random here, in the real formats (`small_networks`), so that their loading, views and
batches are the real ones. What they find in a clip means nothing: known answers are asked of known features (`Fed`).

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.signal import butter, sosfilt

from eval.cache import FeatureCache, FeatureKey
from eval.case import Asked, Case
from eval.clip import Clip, MemorySource
from eval.encoders.folder import VARIABLE
from eval.encoders.networks import viclip
from eval.encoders.networks.viclip_text import viclip_text
from eval.encoders.open import architectures
from eval.encoders.open.text import prompted_text_features, text_features
from eval.feature import FEATURES, Arrays
from eval.features.backlot_encoder.weights import text_points
from eval.marks.bits import random_message
from eval.marks.keys import PUBLIC_KEY
from eval.marks.learned.embed import write
from eval.marks.learned.lattice import pattern, secret_of
from eval.marks.learned.weights import load_trained, shipped_path
from eval.marks.mark import find_mark
from eval.metric import METRICS
from eval.planner import Score, score_clip
from moviegen.backlot import Scene, caption, render, sample_scene
from moviegen.backlot.contrasts import contrasts


def _module(path: str) -> ModuleType:
    """A module of the tests; pytest's importlib mode keeps test folders off the import path."""
    spec = importlib.util.spec_from_file_location(f"eval_test_{Path(path).stem}", Path(__file__).parent / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Made = _module("conftest.py").Made
checkpoints = _module("encoders/open/checkpoints.py")
identity = _module("identity/table.py")
viclip_tests = _module("encoders/networks/test_viclip.py")
randomised = _module("encoders/networks/conftest.py")._randomised
OURS = [each for each in METRICS if each.function.__module__.startswith("eval.")]
"""The metrics of this floor. Once `benchmarks` is imported the registry holds those of `safety` too, tested there."""
NAMES = [each.spec.name for each in OURS]
"""Those of this floor; metrics of other floors, which read files, have tests of their own."""

PROMPT = "a red dog runs on the left"
TWINS = {
    "color": "a blue dog runs on the left",
    "count": "two red dog run on the left",
    "relation": "a red dog runs on the right",
    "action": "a red dog sleeps on the left",
}
PROMPTS = (PROMPT, "a blue cat", "city of night", "rain and a fox", "beach")
"""Those of a suite. The small tokenizers know all these words."""

OPEN = ("clip-vit-b-32", "clip-vit-l-14", "dino-vit-b-16", "xclip-b-32", "raft-things", "amt-s")


@pytest.fixture(scope="module", autouse=True)
def small_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A user's weights folder with all open networks that the metrics need but MUSIQ, which has no small form."""
    folder = tmp_path_factory.mktemp("weights")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        patch.setitem(checkpoints.NETWORKS, "clip-vit-l-14", wide_clip)
        for name in OPEN:
            checkpoints.write(name, folder)
            if name in architectures.ARCHITECTURES:
                patch.setitem(architectures.ARCHITECTURES, name, checkpoints.facts(name, folder))
        patch.setattr(viclip, "PUBLISHED", viclip_tests.SMALL)
        write_viclip(folder)
        write_aesthetic_head(folder)
        identity.patch_portraits(patch)
        yield
    torch.set_num_threads(threads)


def wide_clip() -> Any:
    """As wide a space of pictures as the aesthetic head takes."""
    import transformers

    config = checkpoints.NETWORKS["clip-vit-b-32"]().config
    config.vision_config.patch_size = 14
    config.projection_dim = config.vision_config.projection_dim = config.text_config.projection_dim = 768
    return transformers.CLIPModel(config)


def write_viclip(folder: Path) -> None:
    (folder / "viclip-l").mkdir()
    save_file(randomised(viclip.Viclip(viclip_tests.SMALL)), folder / "viclip-l" / "model.safetensors")
    (folder / "viclip-l" / "tokenizer.json").write_bytes(viclip_tests.tokenizer())
    checkpoints.lock_folder("viclip-l", folder)


def write_aesthetic_head(folder: Path) -> None:
    """One that gives 5 and five times the first feature."""
    weight = torch.zeros(1, 768)
    weight[0, 0] = 5.0
    (folder / "laion-aesthetic").mkdir()
    save_file({"weight": weight, "bias": torch.tensor([5.0])}, folder / "laion-aesthetic" / "model.safetensors")
    checkpoints.lock_folder("laion-aesthetic", folder)


@dataclass(frozen=True)
class Fed:
    """A clip of which some features are given, as if their networks had found them."""

    features: Mapping[str, Arrays]
    clip: Clip = field(default_factory=Made.pan)


class Given(FeatureCache):
    """A cache that holds these features of any clip, whatever the weights."""

    def __init__(self, features: Mapping[str, Arrays]) -> None:
        super().__init__(Path())
        self._features = features

    def get(self, key: FeatureKey) -> Arrays | None:
        return self._features.get(key.feature)

    def put(self, key: FeatureKey, arrays: Arrays) -> None:
        pass


def asking(**factors: Any) -> Case:
    """A case that asks for a Backlot scene with these factors, and states them all."""
    known = {name: value for name, value in scene_of(**factors).to_dict().items() if value is not None}
    asked = Asked(width=64, height=64, fps=8, duration_s=2.0, sound=True)
    truth = {"scene": known, "stated": list(factors), "contrasts": TWINS}
    return Case(id="c", prompt=PROMPT, asked=asked, truth=truth, references=identity.ONE)


def scene_of(**factors: Any) -> Scene:
    return sample_scene(11, **factors)


PAIR = {"subject": "dog", "action": "run", "color": "orange", "other": "box", "relation": "left of",
        "setting": "beach", "light": "day", "weather": "rain", "camera": "pan left"}  # fmt: skip
UNLIKE_PAIR = {"subject": "car", "action": "drive", "color": "green", "other": "balloon", "relation": "right of",
               "setting": "city", "light": "night", "weather": "clear", "camera": "zoom in"}  # fmt: skip
ALONE = {name: value for name, value in PAIR.items() if name != "relation"} | {"other": "none"}
PAIRWISE = {"backlot_accuracy_relation", "backlot_contrast_relation"}
TRIO = {"subject": "ball", "color": "red", "count": 3, "action": "bounce", "setting": "park", "light": "day"}
CHEF = {"subject": "person", "color": "green", "role": "chef", "action": "wave", "setting": "park", "shot": "medium"}
ASKED = asking(**PAIR)
ASKED_FOR = {"backlot_accuracy_count": TRIO, "backlot_accuracy_role": CHEF, "backlot_contrast_count": TRIO,
             "backlot_contrast_color": TRIO}  # fmt: skip
"""What the metrics that ASKED says nothing about are asked for."""

BY_TEXT = ("backlot_text_", "backlot_contrast_")
"""Metrics that compare a Backlot clip with its own caption, as the Backlot suites ask."""


def described(case: Case) -> Case:
    """The case with its scene's own detailed caption, and that caption's twins."""
    assert case.truth is not None
    scene = Scene.from_dict(case.truth["scene"])
    truth = {**case.truth, "contrasts": contrasts(scene, "detailed")}
    return replace(case, prompt=caption(scene, "detailed"), truth=truth)


CAPTIONS = (described(ASKED).prompt, *(caption(sample_scene(seed), "detailed") for seed in range(11)))


@functools.cache
def filmed(fps: float = 8, size: int = 64, **factors: Any) -> Clip:
    """The Backlot's own clip of such a scene, four seconds long."""
    return render(scene_of(**factors), width=size, height=size, fps=fps, frames=round(4 * fps))


def unlike(*wrong: str) -> Clip:
    """What ASKED asks for, but for these factors."""
    return filmed(**{name: (UNLIKE_PAIR if name in wrong else PAIR)[name] for name in PAIR})


def value(name: str, made: Clip | Fed, case: Case | None = None) -> float:
    asked = case or (asking(**ASKED_FOR[name]) if name in ASKED_FOR else ASKED)
    if name in identity.SEVERAL:
        asked = replace(asked, references=identity.TWO)
    clip, cache = (made.clip, Given(made.features)) if isinstance(made, Fed) else (made, None)
    prompts = PROMPTS
    if name.startswith(BY_TEXT):
        asked, prompts = described(asked), CAPTIONS
    scored = score_clip(MemorySource(clip), [METRICS.get(name)], case=asked, cache=cache, prompts=prompts)
    (score,) = scored.scores
    assert score.status == "ok", score
    assert score.value is not None
    return score.value


def frames_of(clip: Clip) -> list[np.ndarray]:
    return list(clip.frames_TCHW.transpose(0, 2, 3, 1))


def each_frame(clip: Clip, change: Callable[[np.ndarray, int], np.ndarray]) -> Clip:
    changed = [np.clip(change(f.astype(np.float32), i), 0, 255).astype(np.uint8) for i, f in enumerate(frames_of(clip))]
    return Clip(np.stack(changed).transpose(0, 3, 1, 2), clip.fps, clip.audio_CN, clip.rate_hz)


def noisy(clip: Clip, sigma: float) -> Clip:
    rng = np.random.default_rng(1)
    return each_frame(clip, lambda f, _: f + sigma * rng.normal(size=f.shape))


def jittered(clip: Clip, pixels: int) -> Clip:
    return each_frame(clip, lambda f, i: np.roll(f, pixels * (-1) ** i, axis=0))


def jpeg(clip: Clip, quality: int) -> Clip:
    def once(frame: np.ndarray, _: int) -> np.ndarray:
        ok, data = cv2.imencode(".jpg", frame.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert ok
        return cv2.imdecode(data, cv2.IMREAD_COLOR)

    return each_frame(clip, once)


def held(clip: Clip, times: int) -> Clip:
    """Every frame shown `times` times, in the same time: what padding a frame rate does."""
    return Clip(np.repeat(clip.frames_TCHW, times, axis=0), clip.fps * times)


def out_of_order(swaps: int) -> Clip:
    """A steady pan in which so many pairs of neighbouring frames have changed places."""
    frames = Made.pan().frames_TCHW.copy()
    for first in range(1, 1 + 2 * swaps, 2):
        frames[[first, first + 1]] = frames[[first + 1, first]]
    return Clip(frames, 8)


def stopped(clip: Clip, after: int) -> Clip:
    frames = clip.frames_TCHW.copy()
    frames[after:] = frames[after]
    return Clip(frames, clip.fps)


def shots(count: int) -> Clip:
    return Made.clip([Made.texture(64, 64, seed) for seed in range(count) for _ in range(24 // count)])


def stripes() -> Clip:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, ::2] = 255
    return Made.clip([frame] * 2)


def half_white() -> Clip:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, 32:] = 255
    return Made.clip([frame] * 2)


def flicker(low: int, high: int) -> Clip:
    return Made.clip([np.full((64, 64, 3), (low, high)[i % 2], np.uint8) for i in range(16)])


def ramp() -> Clip:
    return Made.clip([np.full((64, 64, 3), 40 + 10 * i, np.uint8) for i in range(16)])


def blocks() -> Clip:
    cells = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    return Made.clip([np.kron(cells, np.ones((8, 8, 1), np.uint8))] * 2)


def loop(sigma: float = 0) -> Clip:
    once = Made.pan(0.5, seconds=1.0).frames_TCHW
    return noisy(Clip(np.concatenate([once] * 4), 8), sigma)


def hiss(seconds: float = 2.0) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).normal(size=(1, round(16_000 * seconds)))).astype(np.float32)


def low_passed(hz: float) -> Clip:
    return Made.with_sound(sosfilt(butter(8, hz, fs=16_000, output="sos"), hiss()).astype(np.float32))


def muted(share: float) -> Clip:
    sound = hiss()
    sound[:, : round(share * sound.shape[1])] = 0
    return Made.with_sound(sound)


def late(shift_s: float) -> Clip:
    impacts_s = (0.5, 1.25, 1.75, 2.75, 3.25)
    return Made.bounce(impacts_s, tuple(time_s + shift_s for time_s in impacts_s))


def form(fps: float = 8, size: int = 64, seconds: float = 2.0) -> Clip:
    clip = Made.still(size=size, frames=round(seconds * fps), fps=fps)
    return Clip(clip.frames_TCHW, fps, np.zeros((1, 1600), np.float32), 16_000)


def turning(feature: str, angle: float, clip: Clip | None = None) -> Fed:
    """A clip whose frames' features turn by so many radians from frame to frame."""
    clip = clip or Made.pan(0.25, seconds=3.0)
    angles_T = angle * np.arange(len(clip.frames_TCHW))
    return Fed({feature: {"features_TD": np.column_stack([np.cos(angles_T), np.sin(angles_T)])}}, clip)


def half_fast(made: Fed) -> Fed:
    """The same, its fastest twentieth at half of what VBench calls dynamic."""
    frames = len(made.clip.frames_TCHW)
    flow = {"top_P": np.full(frames - 1, 3 / 256), "times_T": np.arange(frames) / 8}
    return Fed({**made.features, "flow": flow}, made.clip)


def turned(feature: str, direction_D: Any, angle: float, **more: Any) -> Fed:
    """A clip whose features lie so many radians off a direction."""
    off_D = aside(direction_D, angle)
    one, frames = ("features_D", off_D) if feature.endswith("_clip") else ("features_TD", np.stack([off_D] * 16))
    return Fed({feature: {one: frames, **more}})


def aside(direction_D: Any, angle: float) -> np.ndarray:
    """A direction so many radians off another."""
    unit_D = np.asarray(direction_D, np.float64) / np.linalg.norm(direction_D)
    aside_D = np.eye(len(unit_D))[0] - unit_D[0] * unit_D
    return math.cos(angle) * unit_D + math.sin(angle) * aside_D / np.linalg.norm(aside_D)


def by_backlot(angle: float, text: str = CAPTIONS[0]) -> Fed:
    """A clip so many radians off a caption."""
    return Fed({"backlot_encoding": {"clip_D": aside(text_points((text,))[0], angle)}})


def backlot_ranked(rank: int) -> Fed:
    """A clip to which its caption has this rank among CAPTIONS."""
    wanted_N = np.array([0.0, *(0.1 if index < rank else -0.1 for index in range(1, len(CAPTIONS)))])
    return Fed({"backlot_encoding": {"clip_D": np.linalg.pinv(text_points(CAPTIONS).astype(np.float64)) @ wanted_N}})


def backlot_turning(angle: float, clip: Clip | None = None) -> Fed:
    """A clip whose frames turn by so many radians from frame to frame."""
    made = turning("backlot_encoding", angle, clip)
    frames_TD = made.features["backlot_encoding"]["features_TD"]
    arrays = {"frames_TD": frames_TD, "times_T": np.arange(len(frames_TD)) / 8}
    return Fed({"backlot_encoding": arrays}, made.clip)


def flowing(made: Fed, speed: float = 1.0, turn: float = 0.0) -> Fed:
    """The same, its fastest twentieth at so many times what VBench calls dynamic; turn: what of velocity changes."""
    frames = len(made.clip.frames_TCHW)
    flow = {"top_P": np.full(frames - 1, speed * 6 / 256), "times_T": np.arange(frames) / 8}
    flow |= {"travel_R": np.ones(frames - 2), "turn_R": np.full(frames - 2, turn)}
    return Fed({**made.features, "flow": flow}, made.clip)


def spliced(frames: int) -> Clip:
    """What ASKED asks for, the last so many frames of it from another scene."""
    right, wrong = unlike().frames_TCHW, unlike(*PAIR).frames_TCHW
    return Clip(np.concatenate([right[: 32 - frames], wrong[32 - frames :]]), 8)


def by_clip(angle: float, text: str = PROMPT) -> Fed:
    return turned("clip_b32_frames", text_features("clip-vit-b-32", text), angle)


def by_xclip(angle: float, text: str = PROMPT) -> Fed:
    patches_PD = np.random.default_rng(0).normal(size=(49, 8)).astype(np.float32)
    text_D = prompted_text_features("xclip-b-32", text, patches_PD)
    return turned("xclip_b32_clip", text_D, angle, patches_PD=patches_PD)


def by_viclip(angle: float) -> Fed:
    return turned("viclip_l_clip", viclip_text(PROMPT), angle)


def ranked(rank: int) -> Fed:
    """A clip to which the prompt has this rank among PROMPTS."""
    texts_ND = np.stack([text_features("clip-vit-b-32", text) for text in PROMPTS]).astype(np.float64)
    wanted_N = np.array([0.0, *(0.1 if index < rank else -0.1 for index in range(1, len(PROMPTS)))])
    return Fed({"clip_b32_frames": {"features_TD": (np.linalg.pinv(texts_ND) @ wanted_N)[None]}})


def beautiful(*scores: float) -> Fed:
    """Frames to which the aesthetic head gives these scores."""
    features_TD = np.zeros((len(scores), 768), np.float32)
    features_TD[:, 0] = [score / 5 - 1 for score in scores]
    features_TD[:, 1] = np.sqrt(1 - features_TD[:, 0] ** 2)
    return Fed({"clip_l14_frames": {"features_TD": 9 * features_TD}})


def imaged(*scores: float) -> Fed:
    return Fed({"musiq_frames": {"score_T": np.array(scores, np.float32)}})


def marked(sigma: float) -> Clip:
    """A clip with the shipped mark under the public key, and then so much noise."""
    plain = Made.pan(size=128)
    message_K = random_message(32, 0)
    return noisy(find_mark("learned").embed(plain, message_K, key=PUBLIC_KEY), sigma)


def marked_at(psnr_db: float) -> Clip:
    """A clip with the shipped mark, as loud as this PSNR."""
    plain, pen = Made.pan(size=128), replace(load_trained(shipped_path()).pen, psnr_db=psnr_db)
    waves_HW = pattern(secret_of(PUBLIC_KEY, 32), random_message(32, 0), pen.amplitude_F, 128, 128)
    return replace(plain, frames_TCHW=write(plain.frames_TCHW, waves_HW, pen))


def turned_mean(angle: float, frames: int) -> float:
    """VBench's consistency of frames that turn by so much each."""
    to_first = [max(0.0, math.cos(angle * index)) for index in range(1, frames)]
    return (math.cos(angle) + sum(to_first) / len(to_first)) / 2


# A clip, the value that the metric must have on it, and the tolerance.
KNOWN: dict[str, list[tuple[Callable[[], Clip | Fed], float, float]]] = {
    "temporal_flickering": [(lambda: flicker(100, 110), 1 - 10 / 255, 1e-12), (Made.still, 1, 0)],
    "motion_magnitude": [(lambda: Made.pan(0.25), 0.25, 0.005), (lambda: Made.pan(0.25, size=256), 0.25, 0.005)],
    "dynamic_degree": [(lambda: Made.pan(0.25), 1, 0), (lambda: Made.pan(0.12), 0, 0)],
    "mark_detected": [(lambda: marked(0), 1, 0), (lambda: Made.pan(size=128), 0, 0)],
    "mark_quality": [(lambda: marked_at(42), 42, 0.8), (lambda: marked_at(36), 36, 0.8)],
    "motion_smoothness": [(lambda: flicker(100, 120), 1 - 20 / 255, 1e-6), (Made.still, 1, 0)],
    "motion_coherence": [(Made.pan, 1, 0.05), (lambda: jittered(Made.pan(0.0), 2), 0, 0.05)],
    "warp_error": [(lambda: flicker(100, 110), 10 / 255, 1e-6), (lambda: Made.pan(0.25), 0, 0.001)],
    "frozen_frames": [(Made.still, 1, 0), (Made.pan, 0, 0), (lambda: stopped(Made.pan(), 8), 7 / 15, 1e-9)],
    "duplicated_frames": [(Made.pan, 0, 0), (lambda: held(Made.pan(), 2), 16 / 31, 1e-9), (Made.still, 0, 0)],
    "looping": [(loop, 1, 1e-6), (lambda: Made.pan(0.2, seconds=4), 0, 0.1)],
    # of a steady ramp D(L) grows as L²: mean over lags 4 to 8 is 38
    "frame_order": [(ramp, 1 - 1 / 38, 1e-6), (Made.noise, 0, 0.05)],
    "scene_cuts": [(lambda: shots(3), 2 / (23 / 8), 1e-9), (Made.pan, 0, 0)],
    # a 9-tap mean leaves a ninth of a one-pixel stripe's contrast
    "sharpness": [(stripes, 8 / 9, 0.01)],
    "noise": [(lambda: noisy(each_frame(Made.still(size=128), lambda f, _: f), 0), 0, 0), (lambda: grain(10), 10, 0.2)],
    "blockiness": [(blocks, 1, 0), (Made.noise, 0, 0.02)],
    "exposure": [(lambda: Made.still(51), 0.2, 1e-9)],
    "contrast": [(half_white, 0.5, 1e-9), (Made.still, 0, 1e-9)],
    "colourfulness": [(lambda: Made.still((255, 0, 0)), 0.3 * math.hypot(255, 127.5), 1e-9), (Made.still, 0, 1e-9)],
    "structure": [(lambda: Made.noise(size=128), 0, 0.03), (half_white, 1, 1e-3), (Made.still, 0, 0)],
    # EBU Tech 3341, case 1: a stereo sine of 1 kHz with peaks at -23 dBFS
    "loudness": [(lambda: Made.with_sound(np.repeat(Made.sine(1000, 10 ** (-23 / 20), 20), 2, axis=0)), -23, 0.1)],
    "clipping": [
        (lambda: Made.with_sound(Made.sine(100, 2.0)), 1 - 2 / math.pi * math.asin(0.999 / 2), 0.005),
        (lambda: Made.with_sound(Made.sine(100, 0.99)), 0, 0),
    ],
    "silence": [(lambda: muted(0.5), 0.5, 1e-9), (lambda: muted(0), 0, 0)],
    "bandwidth": [
        (lambda: Made.with_sound(Made.sine(1000)), 1000, 50),
        (lambda: Made.with_sound(hiss(8)), 0.99 * 8000, 30),
    ],
    # one impact: the motion changes most within half a frame and 20 ms of it, 0.082 s of 1.958
    "onset_synchrony": [(lambda: Made.bounce((1.0,), seconds=2.0), 1 - 0.082 / 1.958, 0.03)],
    "asked_fps": [(form, 1, 0), (lambda: form(fps=16), 0.5, 1e-12)],
    "asked_size": [(form, 1, 0), (lambda: form(size=32), 0.5, 1e-12)],
    "asked_duration": [(form, 1, 0), (lambda: form(seconds=8), 0.25, 1e-12)],
    "asked_sound": [(form, 1, 0), (Made.still, 0, 0)],
    "backlot_prompt_accuracy": [(unlike, 1, 0), (lambda: unlike("light", "weather", "camera"), 5 / 8, 1e-12)],
    "backlot_accuracy_count": [(lambda: filmed(**TRIO), 1, 0), (lambda: filmed(**{**TRIO, "count": 2}), 0, 0)],
    "backlot_accuracy_role": [(lambda: filmed(**CHEF), 1, 0), (lambda: filmed(**{**CHEF, "role": "nurse"}), 0, 0)],
    "vbench_temporal_flickering": [(lambda: flicker(100, 110), 1 - 10 / 255, 1e-12), (Made.still, 1, 0)],
    # the small network guesses the mean of both neighbours
    "vbench_motion_smoothness": [(lambda: flicker(100, 120), 1 - 20 / 255, 1e-7), (Made.still, 1, 0)],
    # the small network's flow is the difference, in pixels
    "vbench_dynamic_degree": [(lambda: flicker(100, 120), 1, 0), (Made.still, 0, 0), (lambda: flicker(100, 101), 0, 0)],
    "vbench_subject_consistency": [
        (lambda: turning("dino_b16_frames", 0.1), turned_mean(0.1, 24), 1e-12),
        (Made.still, 1, 1e-9),
    ],
    "vbench_background_consistency": [
        (lambda: turning("clip_b32_frames", 0.1), turned_mean(0.1, 24), 1e-12),
        (Made.still, 1, 1e-9),
    ],
    # three seconds at eight frames: 1 s and 2 s apart
    "long_subject_consistency": [
        (lambda: turning("dino_b16_frames", 0.05), (math.cos(0.4) + math.cos(0.8)) / 2, 1e-12),
        (Made.still, 1, 1e-9),
    ],
    "long_background_consistency": [
        (lambda: turning("clip_b32_frames", 0.05), (math.cos(0.4) + math.cos(0.8)) / 2, 1e-12),
        (Made.still, 1, 1e-9),
    ],
    "moving_subject_consistency": [
        (lambda: turning("dino_b16_frames", 0.1), turned_mean(0.1, 24), 1e-12),
        (lambda: turning("dino_b16_frames", 0.0, Made.still()), 0, 1e-3),
        (lambda: half_fast(turning("dino_b16_frames", 0.1)), turned_mean(0.1, 24) / 2, 1e-12),
    ],
    "vbench_aesthetic_quality": [(lambda: beautiful(4, 5, 7.5), 0.55, 1e-6)],
    "vbench_imaging_quality": [(lambda: imaged(40, 50, 75), 0.55, 1e-12)],
    "clip_score": [
        (lambda: by_clip(0), 100, 1e-5),
        (lambda: by_clip(1.2), 100 * math.cos(1.2), 1e-4),
        (lambda: by_clip(2), 0, 0),
    ],
    "clip_text_rank": [(lambda: ranked(1), 1, 0), (lambda: ranked(3), 0.5, 0), (lambda: ranked(5), 0, 0)],
    "xclip_consistency": [(lambda: by_xclip(0), 1, 1e-6), (lambda: by_xclip(2), math.cos(2), 1e-6)],
    "vbench_overall_consistency": [(lambda: by_viclip(0), 1, 1e-6), (lambda: by_viclip(2), math.cos(2), 1e-6)],
    **{
        f"contrast_{name}": [(lambda by=by: by(0), 1, 0), (lambda by=by, twin=TWINS[name]: by(0, twin), 0, 0)]
        for name, by in (("color", by_clip), ("count", by_clip), ("relation", by_clip), ("action", by_xclip))
    },
    "backlot_text_similarity": [(lambda: by_backlot(0), 1, 1e-6), (lambda: by_backlot(2), math.cos(2), 1e-6)],
    "backlot_text_rank": [
        (unlike, 1, 0),
        (lambda: backlot_ranked(7), 5 / 11, 1e-9),
        (lambda: backlot_ranked(12), 0, 0),
    ],
    **{
        f"backlot_contrast_{name}": [
            (lambda asked=asked: filmed(**asked), 1, 0),
            (lambda asked=asked, name=name: by_backlot(0, contrasts(scene_of(**asked), "detailed")[name]), 0, 0),
        ]
        for name, asked in (("color", TRIO), ("count", TRIO), ("relation", PAIR), ("action", PAIR))
    },
    "backlot_consistency": [(lambda: backlot_turning(0.1), turned_mean(0.1, 24), 1e-12), (Made.still, 1, 1e-6)],
    "backlot_consistency_horizon": [
        (lambda: backlot_turning(0.05), (math.cos(0.4) + math.cos(0.8)) / 2, 1e-12),
        (Made.still, 1, 1e-6),
    ],
    "backlot_moving_consistency": [
        (lambda: flowing(backlot_turning(0.1)), turned_mean(0.1, 24), 1e-12),
        (lambda: flowing(backlot_turning(0.1), speed=0.5), turned_mean(0.1, 24) / 2, 1e-12),
        (lambda: flowing(backlot_turning(0.1), turn=0.25), turned_mean(0.1, 24) * 0.75, 1e-12),
        (Made.still, 0, 0),
    ],
    **{f"backlot_accuracy_{name}": [(unlike, 1, 0), (lambda: unlike(*PAIR), 0, 0)] for name in PAIR if name != "other"},
    **{
        name: [(lambda make=make: Fed(make()), expected, tolerance) for make, expected, tolerance in answers]
        for name, answers in identity.KNOWN.items()
    },
}


def grain(sigma: float) -> Clip:
    """The same noise in all channels, so that the luma's is known."""
    rng = np.random.default_rng(1)
    return each_frame(Made.still(size=128), lambda f, _: np.rint(f + sigma * rng.normal(size=(*f.shape[:2], 1))))


EITHER = ("backlot_accuracy_", "backlot_contrast_", "contrast_")

# How the metric moves (+1 or -1) along clips of growing damage, least first.
DAMAGE: dict[str, tuple[int, Sequence[Callable[[], Clip | Fed]]]] = {
    "temporal_flickering": (-1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "mark_detected": (-1, [lambda s=s: marked(s) for s in (10, 250)]),
    "mark_quality": (-1, [lambda db=db: marked_at(db) for db in (42, 38, 34, 30)]),
    "motion_magnitude": (-1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "dynamic_degree": (-1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "motion_smoothness": (-1, [lambda p=p: jittered(Made.pan(0.1), p) for p in (0, 1, 2, 4)]),
    "motion_coherence": (-1, [lambda n=n: out_of_order(n) for n in (0, 1, 3, 6)]),
    "warp_error": (+1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "frozen_frames": (+1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "duplicated_frames": (+1, [lambda t=t: held(Made.pan(), t) for t in (1, 2, 3, 4)]),
    "looping": (-1, [lambda s=s: loop(s) for s in (0, 10, 20, 40)]),
    "frame_order": (-1, [lambda n=n: out_of_order(n) for n in (0, 1, 3, 6)]),
    "scene_cuts": (+1, [lambda n=n: shots(n) for n in (1, 2, 3, 4)]),
    "sharpness": (-1, [lambda s=s: blurred(s) for s in (0, 0.7, 1.4, 2.8)]),
    "noise": (+1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "blockiness": (+1, [lambda q=q: jpeg(Made.pan(size=128), q) for q in (95, 60, 30, 10)]),
    "exposure": (-1, [lambda g=g: each_frame(Made.pan(), lambda f, _: g * f) for g in (1, 0.7, 0.4, 0.1)]),
    "contrast": (-1, [lambda g=g: each_frame(Made.pan(), lambda f, _: 128 + g * (f - 128)) for g in (1, 0.7, 0.4)]),
    "colourfulness": (
        -1,
        [
            lambda g=g: each_frame(Made.pan(), lambda f, _: g * f + (1 - g) * f.mean(axis=2, keepdims=True))
            for g in (1, 0.6, 0.3, 0)
        ],
    ),
    "structure": (-1, [lambda s=s: noisy(Made.pan(size=128), s) for s in (0, 15, 30, 60)]),
    "loudness": (-1, [lambda g=g: Made.with_sound(g * hiss()) for g in (1, 0.5, 0.2, 0.05)]),
    "clipping": (+1, [lambda g=g: Made.with_sound(Made.sine(100, g)) for g in (0.9, 1.2, 2, 4)]),
    "silence": (+1, [lambda s=s: muted(s) for s in (0, 0.2, 0.5, 0.8)]),
    "bandwidth": (-1, [lambda hz=hz: low_passed(hz) for hz in (7000, 4000, 2000, 1000)]),
    "onset_synchrony": (-1, [lambda s=s: late(s) for s in (0, 0.1, 0.2, 0.3)]),
    "asked_fps": (-1, [lambda r=r: form(fps=r) for r in (8, 6, 4)]),
    "asked_size": (-1, [lambda s=s: form(size=s) for s in (64, 48, 32)]),
    "asked_duration": (-1, [lambda d=d: form(seconds=d) for d in (2, 1.5, 1)]),
    "asked_sound": (-1, [form, Made.still]),
    "backlot_prompt_accuracy": (-1, [lambda n=n: unlike(*list(PAIR)[:n]) for n in (0, 3, 6, 9)]),
    "backlot_text_similarity": (-1, [lambda n=n: unlike(*list(PAIR)[:n]) for n in (0, 3, 6, 9)]),
    "backlot_text_rank": (-1, [lambda r=r: backlot_ranked(r) for r in (1, 4, 7, 12)]),
    "backlot_consistency": (-1, [lambda n=n: spliced(n) for n in (0, 4, 8, 16)]),
    "backlot_consistency_horizon": (-1, [lambda n=n: spliced(n) for n in (0, 4, 8, 16)]),
    "backlot_moving_consistency": (-1, [lambda n=n: stopped(unlike(), n) for n in (31, 23, 15, 7)]),
    "vbench_temporal_flickering": (-1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "vbench_motion_smoothness": (-1, [lambda p=p: jittered(Made.pan(0.1), p) for p in (0, 1, 2, 4)]),
    "vbench_dynamic_degree": (-1, [Made.pan, lambda: stopped(Made.pan(), 2)]),
    **{
        name: (-1, [lambda s=s: noisy(Made.pan(0.1, seconds=3.0), s) for s in (0, 8, 24, 72)])
        for name in (
            "vbench_subject_consistency",
            "vbench_background_consistency",
            "long_subject_consistency",
            "long_background_consistency",
        )
    },
    "moving_subject_consistency": (-1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "vbench_aesthetic_quality": (-1, [lambda n=n: beautiful(7, 7 - n) for n in range(4)]),
    "vbench_imaging_quality": (-1, [lambda n=n: imaged(70, 70 - n) for n in range(4)]),
    "clip_score": (-1, [lambda a=a: by_clip(a) for a in (0, 0.3, 0.6, 0.9)]),
    "clip_text_rank": (-1, [lambda r=r: ranked(r) for r in range(1, 6)]),
    "xclip_consistency": (-1, [lambda a=a: by_xclip(a) for a in (0, 0.8, 1.6, 2.4)]),
    "vbench_overall_consistency": (-1, [lambda a=a: by_viclip(a) for a in (0, 0.8, 1.6, 2.4)]),
    **{name: (-1, [make for make, *_ in known]) for name, known in KNOWN.items() if name.startswith(EITHER)},
    **{
        name: (sign, [lambda make=make: Fed(make()) for make in grades])
        for name, (sign, grades) in identity.DAMAGE.items()
    },
}
BINARY = {"asked_sound", "mark_detected", "vbench_dynamic_degree", *(name for name in NAMES if name.startswith(EITHER))}
"""1 or 0: two grades are all there are."""


def blurred(sigma: float) -> Clip:
    clip = noisy(Made.pan(size=128), 3)
    return each_frame(clip, lambda f, _: cv2.GaussianBlur(f, (0, 0), sigma) if sigma else f)


# Largest difference allowed between copies of one scene, for the metrics that promise invariance.
TOLERANCE: dict[str, float] = {
    "motion_magnitude": 0.01,
    "dynamic_degree": 0.05,
    "motion_smoothness": 0.005,
    "motion_coherence": 0.05,
    "warp_error": 0.005,
    "frozen_frames": 0.05,
    "duplicated_frames": 1e-9,
    "looping": 0.02,
    "frame_order": 0.02,
    "scene_cuts": 0.05,
    "sharpness": 0.01,
    "noise": 0.2,
    "blockiness": 0.02,
    "exposure": 0.01,
    "contrast": 0.01,
    "colourfulness": 2.0,
    "structure": 0.02,
    "loudness": 0,
    "clipping": 0,
    "silence": 0,
    "bandwidth": 0,
    "asked_fps": 0,
    "mark_detected": 0,
    "asked_size": 0,
    "asked_duration": 0,
    "asked_sound": 0,
    "long_subject_consistency": 0.01,
    "long_background_consistency": 0.01,
    **dict.fromkeys((name for name in NAMES if name.startswith("backlot_")), 0.0),
    "backlot_text_similarity": 0.05,
    "backlot_consistency": 0.02,
    "backlot_consistency_horizon": 0.03,
    "backlot_moving_consistency": 0.03,
}


def scenes(name: str, fps: float, size: int) -> list[Clip]:
    """A pan, and a pan that stops, at any rate and size with the same sound; for scene_cuts also two shots.

    For the metrics that read the Backlot, what they are asked for.
    """
    if name.startswith("backlot_"):
        asked = PAIR if name in PAIRWISE else ASKED_FOR.get(name, ALONE)
        return [filmed(fps, size, **asked)]
    sound = np.concatenate([Made.sine(440, 1.5, 1.0), hiss(1.0)], axis=1)
    pan = Made.pan(0.25, size=size, fps=fps).frames_TCHW
    stop = pan.copy()
    stop[round(fps) :] = stop[round(fps)]
    made = [pan, stop]
    if name == "scene_cuts":  # the flow across a cut is arbitrary
        first, second = (Made.pan(0.1, size=size, fps=fps, seed=seed).frames_TCHW for seed in (0, 5))
        made.append(np.concatenate([first[: round(fps)], second[round(fps) :]]))
    return [Clip(frames, fps, sound, 16_000) for frames in made]


def test_every_metric_is_in_every_table() -> None:
    assert set(KNOWN) == set(NAMES)
    assert set(DAMAGE) == set(NAMES)
    assert set(TOLERANCE) == {m.spec.name for m in OURS if m.spec.invariant_to}


def test_the_readme_lists_every_metric_and_feature() -> None:
    text = (Path(__file__).parents[2] / "eval" / "README.md").read_text(encoding="utf-8")
    needed = {feature for metric in OURS for feature in metric.spec.needs}
    assert [name for name in sorted({*NAMES, *needed}) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_spec_is_complete(name: str) -> None:
    spec = METRICS.get(name).spec
    assert spec.name == name
    assert spec.version >= 1
    assert spec.low < spec.high
    for text in (spec.unit, spec.source, spec.summary, spec.blind_spots):
        assert text.strip()
        assert "\n" not in text
    features = [FEATURES.get(needed) for needed in spec.needs]
    assert spec.needs_sound == any(feature.stream == "sound" for feature in features)
    assert METRICS.get(name).function.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_known_answers(name: str) -> None:
    for make, expected, tolerance in KNOWN[name]:
        assert value(name, make()) == pytest.approx(expected, abs=tolerance, rel=0)


@pytest.mark.parametrize("name", NAMES)
def test_monotone_under_graded_damage(name: str) -> None:
    sign, grades = DAMAGE[name]
    values = [sign * value(name, make()) for make in grades]
    assert values == sorted(set(values)), f"{name} along growing damage: {[sign * v for v in values]}"
    assert len(values) >= 3 or name in BINARY


@pytest.mark.parametrize("name", [m.spec.name for m in OURS if "fps" in m.spec.invariant_to])
def test_frame_rate_does_not_matter(name: str) -> None:
    for copies in zip(*(scenes(name, fps, 64) for fps in (8, 16, 24)), strict=True):
        values = [value(name, copy) for copy in copies]
        assert max(values) - min(values) <= TOLERANCE[name], values


@pytest.mark.parametrize("name", [m.spec.name for m in OURS if "size" in m.spec.invariant_to])
def test_size_does_not_matter(name: str) -> None:
    for copies in zip(*(scenes(name, 8, size) for size in (64, 128, 192)), strict=True):
        values = [value(name, copy) for copy in copies]
        assert max(values) - min(values) <= TOLERANCE[name], values


def ordinary() -> list[Clip]:
    pan = Made.pan(0.3, fps=24, seconds=1.5, width=96)
    sound = Made.thuds((0.4, 1.1), 1.5)
    return [
        Clip(pan.frames_TCHW, 24, np.repeat(sound, 2, axis=0), 16_000),
        Made.bounce((0.5, 1.25), seconds=2.0),
        Made.noise(frames=20),
        shots(3),
        Clip(loop().frames_TCHW[:20], 8, Made.sine(300, 1.2, 2.5, 44_100), 44_100),
    ]


def outcomes(clip: Clip, names: Sequence[str] = NAMES, window: int | None = None) -> dict[str, tuple[Any, ...]]:
    def told(score: Score) -> tuple[Any, ...]:
        return score.value, score.status, score.reason

    metrics = [METRICS.get(name) for name in names]
    scores = score_clip(MemorySource(clip, window=window), metrics, case=ASKED, prompts=PROMPTS).scores
    return {score.metric: told(score) for score in scores}


def test_values_lie_in_their_range_and_nothing_fails() -> None:
    for clip in ordinary():
        for name, (number, status, reason) in outcomes(clip).items():
            assert status in {"ok", "skipped"}, (name, reason)
            spec = METRICS.get(name).spec
            assert number is None or spec.low <= number <= spec.high


def test_windows_order_company_and_repetition_do_not_matter() -> None:
    for clip in ordinary():
        reference = outcomes(clip, window=64)
        assert outcomes(clip, window=2) == reference
        assert outcomes(clip, NAMES[::-1], window=7) == reference
        assert {name: outcomes(clip, [name])[name] for name in NAMES} == reference


def test_memory_layout_does_not_matter() -> None:
    clip = Made.pan(0.3, size=64, width=100)
    packed = Clip(np.ascontiguousarray(clip.frames_TCHW), clip.fps)
    assert packed.frames_TCHW.strides != clip.frames_TCHW.strides
    assert outcomes(packed) == outcomes(clip)


@pytest.mark.parametrize(
    ("frames", "height", "width"),
    [(1, 64, 64), (2, 64, 64), (9, 16, 16), (9, 8, 8), (9, 1, 1), (9, 20, 300), (9, 300, 20), (3, 17, 33)],
)
def test_short_small_and_odd_clips_are_scored_or_skipped(frames: int, height: int, width: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), np.uint8)
    for audio_CN in (np.zeros((1, 0), np.float32), np.ones((2, 5), np.float32), hiss(0.3)):
        clip = Clip(pictures.transpose(0, 3, 1, 2), 8, audio_CN, 16_000)
        for name, (number, status, reason) in outcomes(clip).items():
            assert status in {"ok", "skipped"}, (name, reason)
            assert (number is None) == (status == "skipped")
            assert bool(reason) == (status == "skipped")
