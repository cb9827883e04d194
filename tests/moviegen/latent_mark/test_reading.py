"""The latent mark read from clips of the shipped model: through a codec, shifted, turned; and where there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from eval.clip import Clip, Window, concatenate
from eval.marks.bits import matches, random_message
from eval.marks.mark import Bits, MarkError
from eval.video import open_clip, write_clip
from moviegen.generate import Form, Reference, load_reference
from moviegen.latent_mark.marking import MarkRecord, generate_marked
from moviegen.latent_mark.reading import Reading, read_mark
from moviegen.sampling import Sampler

KEY = 99
FORM = Form(16, 64, 64, 8.0)
MESSAGE = random_message(32, 1)
OTHERS = [MarkRecord(hashlib.sha256(bytes([n])).digest()[:12], FORM) for n in range(20)]


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_reference()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(reference: Reference) -> tuple[Clip, MarkRecord]:
    prompt, nonce = "A dog runs through a park", bytes(12)
    return generate_marked(reference, prompt, 3, FORM, Sampler(steps=8), MESSAGE, KEY, nonce=nonce)


def read(reference: Reference, clip: Clip, record: MarkRecord, message_K: Bits = MESSAGE) -> Reading:
    """Every bit right, its own record named among others, and beyond doubt."""
    reading = read_mark(reference, clip, [*OTHERS, record], KEY)
    assert matches(reading.detection, message_K) == 32
    assert reading.record == record
    assert reading.detection.p_presence is not None
    assert reading.detection.p_presence < 1e-9
    assert reading.detection.local_T is not None
    assert reading.detection.local_T.shape == clip.frames_TCHW.shape[:1]
    return reading


def through_codec(clip: Clip, path: Path, crf: float) -> Clip:
    write_clip(clip, path, crf=crf)
    items = open_clip(path).stream(sound=False)
    return Clip(concatenate([item for item in items if isinstance(item, Window)]).frames_TCHW, clip.fps)


def test_the_message_survives_a_codec(reference: Reference, made: tuple[Clip, MarkRecord], tmp_path: Path) -> None:
    clip, record = made
    scores = [
        read(reference, clip, record).detection.score,
        read(reference, through_codec(clip, tmp_path / "28.mp4", 28), record).detection.score,
    ]
    assert scores[0] > scores[1]


def test_a_known_prompt_helps(reference: Reference, made: tuple[Clip, MarkRecord]) -> None:
    clip, record = made
    found = [read_mark(reference, clip, [record], KEY, with_prompts=known).detection for known in (False, True)]
    assert found[1].score > found[0].score
    assert matches(found[1], MESSAGE) == 32


@pytest.mark.parametrize(
    ("change", "shifts"),
    [
        (lambda frames: frames[1:], {1}),
        (lambda frames: frames[6:], {6}),
    ],
    ids=["one frame lost", "six frames lost"],
)
def test_shifts_are_found(reference: Reference, made: tuple[Clip, MarkRecord], change, shifts: set[int]) -> None:
    clip, record = made
    reading = read(reference, replace(clip, frames_TCHW=change(clip.frames_TCHW)), record)
    near = {shift for shift in reading.shifts_T if shift is not None}
    assert all(abs(shift - wanted) <= 3 for shift in near for wanted in shifts)
    assert None in reading.shifts_T or min(shifts) < 6


@pytest.mark.parametrize(
    ("change", "way"),
    [
        (lambda frames: frames[..., ::-1], "mirrored"),
        (lambda frames: frames[::-1], "backwards"),
        (lambda frames: np.repeat(frames, 2, axis=0), "fitted"),
    ],
    ids=["mirrored", "backwards", "half the speed"],
)
def test_turned_and_stretched_clips_are_read(
    reference: Reference, made: tuple[Clip, MarkRecord], change, way: str
) -> None:
    clip, record = made
    reading = read(reference, replace(clip, frames_TCHW=np.ascontiguousarray(change(clip.frames_TCHW))), record)
    assert getattr(reading.way, way)


def test_other_sizes_and_rates_are_brought_back(reference: Reference, made: tuple[Clip, MarkRecord]) -> None:
    clip, record = made
    larger = clip.frames_TCHW.repeat(2, axis=2).repeat(2, axis=3).repeat(3, axis=0)
    assert read(reference, Clip(larger, 24.0), record).stage == "as it is"


def test_evidence_lies_where_the_mark_is(reference: Reference, made: tuple[Clip, MarkRecord]) -> None:
    clip, record = made
    frames = clip.frames_TCHW.copy()
    frames[12:] = np.random.default_rng(0).integers(0, 256, frames[12:].shape, np.uint8)
    local_T = read_mark(reference, replace(clip, frames_TCHW=frames), [record], KEY).detection.local_T
    assert local_T is not None
    assert local_T[:12].min() > 2.5
    assert local_T[12:].max() < local_T[:12].min() / 2


def test_frames_without_a_mark_do_not_testify_for_themselves(
    reference: Reference, made: tuple[Clip, MarkRecord]
) -> None:
    """Under another key the bits are made of chance: held against all of it, each frame would agree with itself."""
    clip, record = made
    found = [read_mark(reference, clip, [record], key).detection.local_T for key in range(3)]
    assert abs(np.mean([local_T.mean() for local_T in found if local_T is not None])) < 1


def check_another_key(reference: Reference, made: tuple[Clip, MarkRecord], keys: int) -> None:
    """The whole search over several nonces: p-values are no smaller than they should be, and bits are fair."""
    clip, record = made
    records = [*OTHERS[:3], record]
    found = [read_mark(reference, clip, records, key).detection for key in range(keys)]
    p = np.array([one.p_presence for one in found])
    assert (p > 0.001).all()
    assert (p < 0.05).sum() <= 1 + keys // 6
    agreeing = sum(matches(one, MESSAGE) for one in found)
    assert binomtest(agreeing, 32 * keys).pvalue > 0.001


def test_under_another_key_there_is_nothing(reference: Reference, made: tuple[Clip, MarkRecord]) -> None:
    check_another_key(reference, made, 3)


@pytest.mark.slow
def test_under_many_other_keys_there_is_nothing(reference: Reference, made: tuple[Clip, MarkRecord]) -> None:
    check_another_key(reference, made, 30)


def test_an_unmarked_clip_reads_as_unmarked(reference: Reference) -> None:
    flat = Clip(np.full((8, 3, 64, 64), 120, np.uint8), 8.0)
    detection = read_mark(reference, flat, OTHERS, KEY).detection
    assert detection.p_presence is not None
    assert detection.p_presence > 0.001


@pytest.mark.parametrize(
    ("clip", "records", "message"),
    [
        (Clip(np.zeros((4, 3, 64, 64), np.uint8), 8.0), [], "no marked clips are on record"),
        (Clip(np.zeros((2000, 3, 8, 8), np.uint8), 8.0), OTHERS, "cut it to at most 1024 frames"),
        (Clip(np.zeros((0, 3, 64, 64), np.uint8), 8.0), OTHERS, "a clip of 0 frames"),
    ],
    ids=["no records", "too long", "no frames"],
)
def test_what_cannot_be_read_is_said_in_one_line(
    reference: Reference, clip: Clip, records: list[MarkRecord], message: str
) -> None:
    with pytest.raises(MarkError, match=message) as raised:
        read_mark(reference, clip, records, KEY)
    assert "\n" not in str(raised.value)
