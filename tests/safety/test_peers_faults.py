"""Faults of other tools for watermarks and for detecting fakes, one test each.

From reading and running Video Seal, OmniSeal, VideoMarkBench, MarkDiffusion, invisible-watermark and DeepfakeBench.
What is tested elsewhere, or cannot happen here:

| fault | where, or why not |
| --- | --- |
| VideoMarkBench: one message for all clips: p-values are invalid | watermark/test_run.py, messages are fresh |
| VideoMarkBench: frames count as independent | watermark/test_statistics.py: files are the clusters |
| Video Seal: no clean negatives | every audit reads unmarked clips (watermark/test_run.py) |
| TPR at an FPR that 16 bits cannot reach | watermark/test_figures.py, sixteen bits decide nothing |
| OmniSeal: one report renames a raw score to TPR | rates are counts with intervals (watermark/test_figures.py) |
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.deepfake.gather import folder_clips
from eval.clip import Clip
from eval.marks.bits import match_p_value, random_message
from eval.marks.dwt_dct import haar, unhaar
from eval.marks.mark import MARKS
from eval.video import write_clip
from moviegen.latent_mark.shading import fresh_nonce, shaded_noise
from safety.watermark.attacks.attack import ATTACKS, rng_of
from safety.watermark.quality import SAME_DB, quality
from safety.watermark.statistics import minimal_matches


def numbered(frames: int = 6) -> Clip:
    """Frame t is grey of level 10 t."""
    levels = (10 * np.arange(frames, dtype=np.uint8))[:, None, None, None]
    return Clip(np.broadcast_to(levels, (frames, 3, 16, 16)).copy(), 8.0)


def numbers(clip: Clip) -> list[int]:
    return [int(frame[0, 0, 0]) // 10 for frame in clip.frames_TCHW]


def textured(seed: int = 0, side: int = 64) -> Clip:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / 16
    frames = [
        np.stack([120 + 40 * np.sin(x + c + 0.2 * t) * np.cos(y) + rng.normal(0, 3, x.shape) for c in range(3)])
        for t in range(16)
    ]
    return Clip(np.stack(frames).astype(np.uint8), 24.0)


def attacked(name: str, clip: Clip, strength: float, seed: int = 0) -> Clip:
    return ATTACKS.get(name).apply(clip, strength, rng_of("clip", name, strength, seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_swap_loses_no_frame(seed: int) -> None:
    """VideoMarkBench frame_switch.py: a view of the tensor it writes to makes [0, 1, 3, 3, 4, 5] of a swap."""
    shown = numbers(attacked("swap", numbered(), 0.34, seed))
    assert sorted(shown) == list(range(6))
    assert shown != list(range(6))


def test_twice_the_speed_is_no_slow_motion() -> None:
    """Video Seal SpeedChange(2.0): the first half, each frame twice; of 64 frames the last is number 31."""
    fast = attacked("speed-up", numbered(24), 2.0)
    assert len(fast.frames_TCHW) == 12
    assert numbers(fast)[-1] == 23
    assert len(set(numbers(fast))) == 12


def test_marks_meet_the_same_crop() -> None:
    """Video Seal full.py: crops are drawn without a seed, so that methods are compared on different windows."""
    clip = textured()
    marked = [MARKS.get(name).embed(clip, random_message(32, 1), key=5) for name in ("spread-dct", "dwt-dct")]
    marked_kept = [attacked("crop", one, 0.71).frames_TCHW.astype(int) for one in marked]
    clip_kept = attacked("crop", clip, 0.71).frames_TCHW
    for kept in marked_kept:
        assert np.abs(kept - clip_kept).mean() < 6  # another window of this clip is 20 away
    assert np.abs(attacked("crop", clip, 0.71, seed=1).frames_TCHW.astype(int) - clip_kept).mean() > 12


def test_quality_compares_the_clips_as_they_are() -> None:
    """Video Seal full.py: VMAF after encoding both sides at CRF 23, which hides what a mark costs."""
    clip = textured()
    one = clip.frames_TCHW.copy()
    one[0, 0, 0, :4] += 1  # four values of 196,608
    assert quality(clip, clip)["psnr_db"] == SAME_DB
    assert quality(clip, Clip(one, clip.fps))["psnr_db"] == pytest.approx(10 * np.log10(255**2 * one.size / 4))


def test_the_peak_is_that_of_the_values() -> None:
    """VideoMarkBench Wevade_adaptive.py: a peak of 2 for values in [0, 1], 6.02 dB too much."""
    grey = np.full((2, 3, 64, 64), 100, np.uint8)
    assert quality(Clip(grey, 8.0), Clip(grey + np.uint8(5), 8.0))["psnr_db"] == pytest.approx(34.1514, abs=1e-3)


def test_a_mark_is_found_by_its_p_value_and_not_by_a_fixed_accuracy() -> None:
    """OmniSeal: bit accuracy over .95. Video Seal turned by 10° has a mean p of 1e-17, and a TPR of .24."""
    assert match_p_value(round(0.9 * 96), 96) < 1e-15
    fewest = minimal_matches(96, 1e-6)
    assert fewest == 72  # an accuracy of .75


@pytest.mark.parametrize("count", [1, 2, 5])
def test_votes_of_an_even_number_decide_without_an_error(count: int) -> None:
    """VideoMarkBench aggregation.py: `bit_g_median` compares arrays in a chain, which is a ValueError."""
    clip = textured()
    marked = MARKS.get("spread-dct").embed(clip, random_message(32, 1), key=5)
    short = Clip(marked.frames_TCHW[:count], clip.fps)
    detection = MARKS.get("spread-dct").detect(short, key=5)
    assert set(detection.bits_K.tolist()) <= {0, 1}
    assert detection.bits_K.shape == (32,)


@pytest.mark.parametrize("shape", [(64, 64), (32, 96)])
def test_a_wavelet_and_its_inverse_are_nothing(shape: tuple[int, int]) -> None:
    """invisible-watermark: the inverse gets its H and V bands swapped, 41 dB for a round trip without any mark."""
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    np.testing.assert_allclose(unhaar(haar(image), *shape), image, atol=1e-3)


def test_bands_are_named_for_what_changes_in_them() -> None:
    stripes = np.tile(np.array([0.0, 100.0], np.float32), (8, 4))
    low, across, down, both = haar(stripes)
    assert np.abs(across).min() > 50
    assert max(np.abs(down).max(), np.abs(both).max()) == 0
    assert np.ptp(low) == 0


def test_clips_of_one_key_share_no_signs() -> None:
    """MarkDiffusion: key and nonce of ChaCha20 are constants; the latents of any two clips have a cosine of .637."""
    noises = [
        shaded_noise(random_message(32, 1), 5, fresh_nonce(), (16, 4, 16, 16), torch.Generator().manual_seed(seed))
        for seed in range(2)
    ]
    cosine = torch.nn.functional.cosine_similarity(noises[0].flatten(), noises[1].flatten(), dim=0)
    assert abs(float(cosine)) < 0.04


def test_files_of_one_name_in_two_folders_are_two_clips(tmp_path: Path) -> None:
    """DeepfakeBench: video AUC groups frames by the folder's name alone, which repeats across manipulations."""
    for folder in ("face swap/videos", "reenactment/videos"):
        (tmp_path / folder).mkdir(parents=True)
        write_clip(numbered(), tmp_path / folder / "000_003.mp4")
    assert len({clip.group for clip in folder_clips(tmp_path, "fake").clips}) == 2
    sides = "--fake", str(tmp_path / "face swap/videos"), "--real", str(tmp_path / "reenactment/videos")
    refused = CliRunner().invoke(app, ["audit", "deepfake", *sides])
    assert refused.exit_code == 2
    assert "two sets are called 'videos'" in " ".join(refused.output.split())
