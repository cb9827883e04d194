"""CLAP's input: the log-mel spectrogram of ten seconds at 48 kHz, as transformers' ClapFeatureExtractor computes it.

That is its branch without fusion (`rand_trunc`): Slaney's mel scale and weights, 64 bands up to 14 kHz.

Shape legend: N items, S samples, F frequency bins, M mel bands, K spectrogram frames.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

RATE_HZ = 48_000
WINDOW = 1024
HOP = 480
BANDS = 64
HIGHEST_HZ = 14_000.0
LOWEST_HZ = 50.0
"""laion/clap-htsat-unfused's own; the extractor's default is 0 Hz."""
FLOOR = 1e-10
"""Power below this counts as this: −100 dB."""


def log_mel(sound_NS: torch.Tensor) -> torch.Tensor:
    """Mono sound, float N,480000 in -1…1 → dB, float32 N,1,1001,64, on the same device."""
    window = torch.hann_window(WINDOW, periodic=True, dtype=torch.float64, device=sound_NS.device)
    spectra = torch.stft(
        sound_NS.double(), WINDOW, HOP, window=window, center=True, pad_mode="reflect", return_complex=True
    )
    power_NKF = (spectra.real**2 + spectra.imag**2).transpose(1, 2)
    mel_NKM = power_NKF @ torch.from_numpy(mel_weights()).to(power_NKF.device)
    return (10 * mel_NKM.clamp(min=FLOOR).log10()).float()[:, None]


@lru_cache(maxsize=1)
def mel_weights() -> npt.NDArray[np.float64]:
    """F,M: triangles on Slaney's mel scale, each of unit area over Hz (librosa's default)."""
    hz_F = np.linspace(0, RATE_HZ / 2, WINDOW // 2 + 1)
    lowest, highest = hz_to_mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges_hz = mel_to_hz(np.linspace(lowest, highest, BANDS + 2))
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising_FM = (hz_F[:, None] - low) / (centre - low)
    falling_FM = (high - hz_F[:, None]) / (high - centre)
    weights: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising_FM, falling_FM)) * 2 / (high - low)
    return weights


def hz_to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear, 3 mel for 200 Hz, up to 1 kHz (15 mel); above it 27 mel for a factor of 6.4."""
    above = 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4)
    return np.asarray(np.where(hz < 1000, 3 * hz / 200, above))


def mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of hz_to_mel."""
    return np.asarray(np.where(mel < 15, 200 * mel / 3, 1000 * 6.4 ** ((np.maximum(mel, 15) - 15) / 27)))
