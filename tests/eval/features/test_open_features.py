"""Features of open networks, from clip to arrays: each network once per clip, skipped with a reason where it must be.

The networks are small and random, on disk as the published ones are (tests/eval/encoders/open/checkpoints.py).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file

from eval.cache import FeatureCache
from eval.clip import Clip, MemorySource, Window
from eval.encoders import middle_frames
from eval.encoders.local import pinned
from eval.encoders.middle_frames import MiddleFrames, middles
from eval.encoders.open.runners import runner
from eval.encoders.runner import Runner, Ticket
from eval.feature import FEATURES, Arrays
from eval.metric import Metric, MetricSpec
from eval.planner import ClipScores, score_clip

Pull = Callable[..., Path]

SHAPES = {
    "clip_b32_frames": ("clip-vit-b-32", {"features_TD": (20, 8)}),
    "clip_l14_frames": ("clip-vit-l-14", {"features_TD": (20, 8)}),
    "dino_b16_frames": ("dino-vit-b-16", {"features_TD": (20, 16)}),
    "dinov2_b14_frames": ("dinov2-vit-b-14", {"features_TD": (20, 16)}),
    "videomae_b_clip": ("videomae-vit-b", {"features_SD": (1, 16)}),
    "vjepa2_l_clip": ("vjepa2-vit-l", {"features_SD": (1, 24)}),
    "i3d_k400_clip": ("i3d-k400", {"features_SD": (1, 400)}),
    "xclip_b32_clip": ("xclip-b-32", {"features_D": (8,), "patches_PD": (49, 8)}),
    "raft_flow": ("raft-things", {"strongest_P": (6,)}),
    "amt_interpolation": ("amt-s", {"difference_P": (9,)}),
    "clap_sound": ("clap", {"features_SD": (1, 8)}),
}
"""Feature → its encoder, and the shapes of its arrays for `made()`."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(frames: int = 20, seconds: float = 3.0, fps: float = 24.0, seed: int = 0) -> Clip:
    """Noise that moves, and noise that is heard."""
    rng = np.random.default_rng(seed)
    field = rng.integers(0, 256, (3, 40, 64 + 2 * frames), dtype=np.uint8)
    picture = np.stack([field[:, :, 2 * index : 2 * index + 64] for index in range(frames)])
    sound = rng.normal(0, 0.1, (2, round(22_050 * seconds))).astype(np.float32)
    return Clip(picture, fps, sound, 22_050)


def measure(feature: str, clip: Clip, *, window: int | None = None, cache: FeatureCache | None = None) -> ClipScores:
    """Score a clip with a metric that only counts what the feature gave."""
    spec = MetricSpec("counted", 1, "picture", "1", 0, 1e9, "band", (feature,), "a test", "a test", "a test")
    metric = Metric(spec, lambda measured: float(sum(array.size for array in measured[feature].values())))
    return score_clip(MemorySource(clip, window=window), [metric], cache=cache)


def arrays(feature: str, clip: Clip, *, window: int | None = None) -> Arrays:
    scores = measure(feature, clip, window=window)
    assert scores.scores[0].status == "ok", scores.scores[0].reason
    return scores.features[feature]


def reason(feature: str, clip: Clip, status: str = "skipped") -> str:
    (score,) = measure(feature, clip).scores
    assert (score.status, score.value) == (status, None)
    assert "\n" not in score.reason
    return score.reason


@pytest.mark.parametrize("feature", SHAPES)
def test_a_clip_becomes_arrays_however_it_is_cut(pull_small: Pull, feature: str) -> None:
    encoder, shapes = SHAPES[feature]
    pull_small(encoder)
    whole = arrays(feature, made())
    assert {name: array.shape for name, array in whole.items()} == shapes
    assert {array.dtype for array in whole.values()} == {np.dtype(np.float32)}
    for name, array in arrays(feature, made(), window=3).items():
        assert np.array_equal(array, whole[name])
    other = arrays(feature, made(seed=1))
    assert all(not np.allclose(other[name], whole[name], atol=1e-4) for name in shapes)


@pytest.mark.parametrize("feature", SHAPES)
def test_missing_weights_skip_and_name_the_command(pull_small: Pull, feature: str) -> None:
    encoder, _ = SHAPES[feature]
    pull_small()
    assert FEATURES.get(feature).encoder == encoder
    assert FEATURES.get(feature).weights_sha256 == ""
    assert f"moviegen weights pull {encoder}" in reason(feature, made())


def test_the_hash_of_the_weights_is_in_every_row(pull_small: Pull) -> None:
    pull_small("clip-vit-b-32")
    (score,) = measure("clip_b32_frames", made()).scores
    assert (score.encoder, score.encoder_sha256) == ("clip-vit-b-32", pinned("clip-vit-b-32").sha256)


def test_each_network_runs_once_per_clip_and_not_at_all_from_the_cache(pull_small: Pull, tmp_path: Path) -> None:
    pull_small("clip-vit-b-32")
    before = runner("clip-vit-b-32").items
    cache = FeatureCache(tmp_path / "cache")
    first = measure("clip_b32_frames", made(5, seed=9), cache=cache)
    assert runner("clip-vit-b-32").items == before + 5
    again = measure("clip_b32_frames", made(5, seed=9), cache=cache)
    assert runner("clip-vit-b-32").items == before + 5
    assert again.scores[0].value == first.scores[0].value


@pytest.mark.parametrize("feature", ["videomae_b_clip", "vjepa2_l_clip", "i3d_k400_clip"])
def test_a_clip_shorter_than_the_window_is_skipped(pull_small: Pull, feature: str) -> None:
    pull_small(SHAPES[feature][0])
    assert "16 frames at a time: the clip has 15" in reason(feature, made(15))


@pytest.mark.parametrize(
    ("feature", "frames", "says"),
    [
        ("xclip_b32_clip", 7, "8 frames of a clip: this one has 7"),
        ("raft_flow", 3, "every 3. is taken: the clip has 3"),
        ("amt_interpolation", 2, "from those on both sides: the clip has 2"),
    ],
)
def test_a_clip_too_short_for_its_network_is_skipped(pull_small: Pull, feature: str, frames: int, says: str) -> None:
    pull_small(SHAPES[feature][0])
    assert says in reason(feature, made(frames))


def test_weights_that_give_nan_fail_the_row(pull_small: Pull, checkpoints: Any) -> None:
    folder = pull_small("clip-vit-b-32")
    path = folder / "clip-vit-b-32" / "model.safetensors"
    tensors = load_file(path)
    tensors["visual_projection.weight"][0] = float("nan")
    save_file(tensors, path, metadata={"format": "pt"})
    checkpoints.lock_folder("clip-vit-b-32", folder)
    assert "clip-vit-b-32: gave NaN or infinite numbers" in reason("clip_b32_frames", made(), "failed")


def test_weights_that_cannot_be_used_skip_the_row(pull_small: Pull, checkpoints: Any) -> None:
    folder = pull_small("dino-vit-b-16")
    checkpoints.write("dino-vit-b-16", folder, seed=5)  # not those that another test has loaded
    path = folder / "dino-vit-b-16" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert "was changed since it was pulled" in reason("dino_b16_frames", made())


# Which frames, and which seconds


def numbered(frames: int, fps: float) -> Clip:
    """Frame t is grey t."""
    grey = np.arange(frames, dtype=np.uint8)[:, None, None, None]
    return Clip(np.broadcast_to(grey, (frames, 3, 16, 16)).copy(), fps)


@pytest.mark.parametrize(("fps", "stride"), [(5, 1), (8, 1), (12, 2), (20, 2), (23.976, 3), (24, 3), (30, 4), (60, 8)])
def test_flow_is_of_every_round_fps_over_8th_frame(pull_small: Pull, fps: float, stride: int) -> None:
    """The stand-in's flow is the difference of grey, in two channels."""
    pull_small("raft-things")
    found = arrays("raft_flow", numbered(50, fps))["strongest_P"]
    assert len(found) == len(range(0, 50, stride)) - 1
    np.testing.assert_allclose(found, stride * np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize(("frames", "guesses"), [(3, 1), (4, 1), (5, 2), (16, 7), (17, 8)])
def test_odd_frames_between_even_ones_are_guessed(pull_small: Pull, frames: int, guesses: int) -> None:
    """The stand-in guesses the mean of its neighbours; every odd frame is two levels off it."""
    pull_small("amt-s")
    clip = numbered(frames, 8)
    clip.frames_TCHW[1::2] += 2
    np.testing.assert_allclose(arrays("amt_interpolation", clip)["difference_P"], [2 / 255] * guesses, atol=0.51 / 255)


def test_windows_of_frames_follow_each_other_and_a_rest_is_dropped(pull_small: Pull) -> None:
    pull_small("videomae-vit-b")
    clip = made(45)
    found = arrays("videomae_b_clip", clip)["features_SD"]
    assert len(found) == 2
    second = Clip(clip.frames_TCHW[16:32], clip.fps)
    assert np.array_equal(arrays("videomae_b_clip", second)["features_SD"][0], found[1])


def test_xclip_sees_the_middles_of_eight_equal_parts(pull_small: Pull) -> None:
    pull_small("xclip-b-32")
    clip = made(43)
    chosen = Clip(clip.frames_TCHW[middles(43, 8)], clip.fps)
    assert np.array_equal(arrays("xclip_b32_clip", chosen)["features_D"], arrays("xclip_b32_clip", clip)["features_D"])


@pytest.mark.parametrize("count", [8, 9, 15, 16, 100, 121])
def test_middles_are_vbenchs(count: int) -> None:
    """get_frame_indices(8, count, sample="middle") of VBench's utils."""
    intervals = np.linspace(0, count, 9).astype(int)
    assert middles(count, 8).tolist() == [(a + b - 1) // 2 for a, b in pairwise(intervals)]


def test_of_a_very_long_clip_frames_near_the_middles_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 16 kept at most, off by less than a sixteenth of the clip; memory does not grow with it."""
    monkeypatch.setattr(middle_frames, "KEPT", 16)
    seen: list[npt.NDArray[np.float32]] = []

    def first_pixels(ticket: Ticket) -> Any:
        seen.append(ticket.result())

    one = Runner("kept", lambda items: items.flatten(1).float(), device="cpu")
    keeping = MiddleFrames(one, 8, lambda frames: frames[:, :, :1, :1], first_pixels)
    for start in range(0, 250, 10):
        keeping.update(Window(numbered(250, 8).frames_TCHW[start : start + 10], np.arange(start, start + 10) / 8))
        assert len(keeping._kept) <= 16
    keeping.finish()
    np.testing.assert_allclose(seen[0].reshape(8, 3)[:, 0], middles(250, 8), atol=250 / 16)


@pytest.mark.parametrize(("seconds", "windows"), [(0.01, 1), (3, 1), (10.0, 1), (19.9, 1), (20.1, 2)])
def test_sound_is_heard_in_tens_of_seconds(pull_small: Pull, seconds: float, windows: int) -> None:
    pull_small("clap")
    assert arrays("clap_sound", made(2, seconds))["features_SD"].shape == (windows, 8)


def test_sound_is_heard_alike_at_any_rate(pull_small: Pull) -> None:
    """A sweep below 4 kHz, in stereo at 48 kHz and in mono at 16 kHz."""
    pull_small("clap")
    heard = []
    for rate_hz, channels in ((48_000, 2), (16_000, 1)):
        seconds = np.arange(round(10.5 * rate_hz)) / rate_hz
        sweep = 0.3 * np.sin(2 * np.pi * (100 + 180 * seconds) * seconds)
        audio = np.tile(sweep.astype(np.float32), (channels, 1))
        heard.append(arrays("clap_sound", Clip(made(2).frames_TCHW, 24.0, audio, rate_hz))["features_SD"][0])
    unit = [row / np.linalg.norm(row) for row in heard]
    assert float(unit[0] @ unit[1]) > 0.99


def test_registering_imports_neither_torch_nor_transformers() -> None:
    program = (
        "from eval.feature import FEATURES; import eval.encoders.open.text, sys; names = FEATURES.names(); "
        "assert 'vjepa2_l_clip' in names; "
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'soxr') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
