from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import ClapFeatureExtractor
from transformers.audio_utils import mel_filter_bank

from eval.encoders.open.mel import RATE_HZ, log_mel, mel_weights
from eval.features.clap_sound import filled


@pytest.fixture(scope="module")
def extractor() -> ClapFeatureExtractor:
    """As laion/clap-htsat-unfused configures it."""
    return ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc", padding="repeatpad")


def sound(samples: int) -> npt.NDArray[np.float32]:
    """A chirp in noise that comes and goes."""
    seconds = np.arange(samples) / RATE_HZ
    noise = np.random.default_rng(samples).normal(0, 0.02, samples)
    return (0.4 * np.sin(2 * np.pi * (200 + 900 * seconds) * seconds) + noise * np.sin(3 * seconds)).astype(np.float32)


@pytest.mark.parametrize("samples", [480_000, 479_999, 240_000, 200_000, 7_000])
def test_log_mel_is_that_of_clap(extractor: ClapFeatureExtractor, samples: int) -> None:
    heard = sound(samples)
    wanted = extractor(heard, sampling_rate=RATE_HZ, return_tensors="np")["input_features"]
    found = log_mel(torch.from_numpy(filled(heard))[None])
    assert found.shape == wanted.shape == (1, 1, 1001, 64)
    np.testing.assert_allclose(found.numpy(), wanted, atol=2e-2)  # decibels; the extractor keeps 32-bit spectra
    assert np.abs(found.numpy() - wanted).mean() < 1e-4


def test_silence_is_the_floor() -> None:
    assert torch.equal(log_mel(torch.zeros(2, 480_000)), torch.full((2, 1, 1001, 64), -100.0))


def test_mel_weights_are_slaneys() -> None:
    wanted = mel_filter_bank(513, 64, 50, 14_000, RATE_HZ, norm="slaney", mel_scale="slaney")
    np.testing.assert_allclose(mel_weights(), wanted, atol=1e-12)
