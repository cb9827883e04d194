"""Through a codec and back: as many frames, of the same size, the same every time; sound without delay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from eval.clip import AudioCN, FramesTCHW
from eval.video.recode import MAX_CRF, PictureCodec, SoundCodec, recode_picture, recode_sound

PICTURES: tuple[PictureCodec, ...] = ("h264", "h264-rgb", "h265", "av1", "vp9")
SOUNDS: tuple[SoundCodec, ...] = ("aac", "mp3", "opus")


def scene(frames: int = 8, height: int = 64, width: int = 64) -> FramesTCHW:
    """A box that crosses smooth noise."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(40, 200, (3, height // 4 + 1, width // 4 + 1), np.uint8)
    ground = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
    frames_TCHW = np.repeat(ground[None], frames, axis=0)
    for time in range(frames):
        frames_TCHW[time, :, height // 3 : height // 2, 2 * time : 2 * time + width // 4] = 220
    return frames_TCHW


def sound(samples: int, channels: int = 1) -> AudioCN:
    """Noise without its lowest and highest tones, which some codecs cut."""
    noise = np.random.default_rng(2).normal(size=(channels, samples + 8))
    smooth = np.stack([np.convolve(row, [1, 1, 0, -1, -1], "valid")[:samples] for row in noise])
    return (0.1 * smooth).astype(np.float32)


def psnr(first: FramesTCHW, second: FramesTCHW) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


@pytest.mark.parametrize("codec", PICTURES)
def test_worse_quality_is_further_away(codec: PictureCodec) -> None:
    frames_TCHW = scene()
    near = [psnr(frames_TCHW, recode_picture(frames_TCHW, 24.0, codec, crf)) for crf in (10, 30, MAX_CRF[codec])]
    assert near[0] > near[1] > near[2]
    assert near[0] > 30


@pytest.mark.parametrize("codec", PICTURES)
def test_every_encode_is_the_same(codec: PictureCodec) -> None:
    frames_TCHW = scene(16, 48, 80)
    first = recode_picture(frames_TCHW, 24.0, codec, 30)
    for size in (10, 3_000_000, 700):  # what lies in freed memory must not matter
        kept = np.random.default_rng(size).bytes(size)
        np.testing.assert_array_equal(recode_picture(frames_TCHW, 24.0, codec, 30), first)
        del kept


@pytest.mark.parametrize("codec", PICTURES)
@pytest.mark.parametrize("size", [(33, 47), (16, 16), (7, 90), (40, 48)])
def test_sizes_survive(codec: PictureCodec, size: tuple[int, int]) -> None:
    """Odd ones too, and those at which x265 breaks the heap when it is given them as they are."""
    frames_TCHW = scene(3, *size)
    coded_TCHW = recode_picture(frames_TCHW, 23.976, codec, 20)
    assert coded_TCHW.shape == frames_TCHW.shape
    assert coded_TCHW.dtype == np.uint8
    assert psnr(frames_TCHW, coded_TCHW) > 20


@pytest.mark.parametrize("codec", PICTURES)
def test_frames_keep_their_order(codec: PictureCodec) -> None:
    levels = np.array([0, 240, 60, 180, 120, 20, 200], np.uint8)
    frames_TCHW = np.broadcast_to(levels[:, None, None, None], (7, 3, 32, 32)).copy()
    coded_TCHW = recode_picture(frames_TCHW, 30.0, codec, 20, keyframe_every=4)
    np.testing.assert_allclose(coded_TCHW.mean((1, 2, 3)), levels, atol=12)


def test_colours_come_back_with_the_matrix_that_they_were_written_with() -> None:
    frames_TCHW = np.zeros((4, 3, 32, 32), np.uint8)
    frames_TCHW[:, :] = np.array([200, 40, 90], np.uint8)[:, None, None]
    for codec in PICTURES:
        mean = recode_picture(frames_TCHW, 24.0, codec, 15).mean((0, 2, 3))
        np.testing.assert_allclose(mean, [200, 40, 90], atol=5, err_msg=codec)


def test_a_quality_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="h264: crf 52 is not within 0 to 51"):
        recode_picture(scene(2), 24.0, "h264", 52)
    with pytest.raises(ValueError, match="no frames"):
        recode_picture(scene(2)[:0], 24.0, "h264", 23)


@pytest.mark.parametrize("codec", SOUNDS)
@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 24_000, 11_025, 8_000])
def test_sound_comes_back_without_delay(codec: SoundCodec, rate_hz: int) -> None:
    """AAC from an mp4 that forgot its delay is 1024 samples late."""
    audio_CN = sound(rate_hz + 137)
    coded_CN = recode_sound(audio_CN, rate_hz, codec, 64)
    assert coded_CN.shape == audio_CN.shape
    assert coded_CN.dtype == np.float32
    lag = int(correlate(coded_CN[0], audio_CN[0], "full", "fft").argmax()) - (audio_CN.shape[1] - 1)
    assert lag == 0


@pytest.mark.parametrize("codec", SOUNDS)
def test_fewer_bits_are_further_away(codec: SoundCodec) -> None:
    audio_CN = sound(24_000)
    noise = [float(np.square(recode_sound(audio_CN, 24_000, codec, kbps) - audio_CN).mean()) for kbps in (96, 32, 12)]
    assert noise[0] < noise[1] < noise[2]


def test_channels_stay_apart() -> None:
    audio_CN = sound(24_000, 2)
    audio_CN[1] *= 0.1
    coded_CN = recode_sound(audio_CN, 24_000, "aac", 128)
    assert np.std(coded_CN[1]) == pytest.approx(np.std(audio_CN[1]), rel=0.2)


def test_no_sound_and_no_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="needs sound and a positive bit rate"):
        recode_sound(sound(24_000)[:, :0], 24_000, "aac", 64)
    with pytest.raises(ValueError, match="needs sound and a positive bit rate"):
        recode_sound(sound(24_000), 24_000, "aac", 0)


def test_nothing_is_said_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    for codec in PICTURES:
        recode_picture(scene(3), 24.0, codec, 30)
    assert capfd.readouterr().err == ""
