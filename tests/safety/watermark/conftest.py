"""A small picture mark and attacks with known effects, so that an audit's arithmetic can be tested in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eval.clip import Clip, ClipError
from eval.hashing import json_sha256
from eval.marks.mark import Bits, Detection, MarkError, Stream
from safety.watermark.figures import Tables
from safety.watermark.marker import Marker, PostHoc
from safety.watermark.plan import Form, WatermarkPlan, choose_attacks
from safety.watermark.run import Worker
from safety.watermark.subjects import Facts, Held, Subject
from safety.watermark.trial import Encoding, Tax, Trial, record
from safety.watermark.units import Setup, units

SIDE = 64


@dataclass(frozen=True)
class Cells:
    """Adds or takes `strength` grey levels in K cells of the picture, and reads their sign under a keyed order."""

    name: str = "cells"
    bits: int = 32
    strength: float = 12.0
    version: int = 1
    stream: Stream = "picture"
    summary: str = "cells brighter or darker"
    source: str = "test"
    weights_sha256: str = ""

    def _signs(self, key: int) -> np.ndarray:
        return np.random.default_rng(key).choice([-1.0, 1.0], (self.bits, SIDE * SIDE // self.bits))

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        if clip.frames_TCHW.shape[2:] != (SIDE, SIDE):
            raise MarkError(f"cells: needs {SIDE}x{SIDE} pixels")
        pattern = (self._signs(key) * (2.0 * message_K[:, None] - 1)).reshape(SIDE, SIDE) * self.strength
        return Clip(np.clip(np.rint(clip.frames_TCHW + pattern), 0, 255).astype(np.uint8), clip.fps)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        if clip.frames_TCHW.shape[2:] != (SIDE, SIDE):
            raise MarkError(f"cells: needs {SIDE}x{SIDE} pixels")
        mean = clip.frames_TCHW.astype(np.float64).mean((0, 1))
        cells = (mean - mean.mean()).reshape(self.bits, -1) * self._signs(key)
        soft = cells.sum(1)
        score = float((soft**2).sum() / (cells**2).sum())
        p = float(stats.chi2.sf(score * SIDE * SIDE / self.bits, self.bits))
        return Detection((soft > 0).astype(np.uint8), soft, score, p, 1, None, 0.01)


MARKS = {
    "cells": Cells(),
    "faint": Cells("faint", strength=1.0),
    "short": Cells("short", bits=16),
}


def find(name: str) -> Marker:
    return PostHoc(MARKS[name])


def subject(number: int, cluster: str = "", tags: tuple[str, ...] = ()) -> Subject:
    name = f"clip {number}"
    return Subject(name, cluster or name, json_sha256(number), start=number, tags=tags)


def load(subject: Subject, form: Form) -> Held:
    """Noise of its own for each subject; number 99 cannot be read, 98 is too small."""
    if subject.start == 99:
        raise ClipError("clip 99: cut off")
    side = 32 if subject.start == 98 else SIDE
    noise = np.random.default_rng(subject.start).integers(60, 200, (form.frames, 3, side, side), dtype=np.uint8)
    return Held(Clip(noise, 8.0), 0.01, form.frames)


@pytest.fixture(scope="session")
def planned() -> Callable[..., Setup]:
    """A setup of `clips` subjects and `negatives` further ones under the marks and attacks named."""

    def make(
        marks: tuple[str, ...] = ("cells",), attacks: str = "none", clips: int = 4, negatives: int = 0, **more: Any
    ) -> Setup:
        subjects = tuple(subject(number) for number in range(clips))
        others = tuple(subject(1_000 + number) for number in range(negatives))
        plan = WatermarkPlan(
            marks=tuple(find(name).facts for name in marks),
            attacks=choose_attacks(attacks),
            clips=tuple((one.id, one.sha256) for one in subjects),
            negatives=tuple((one.id, one.sha256) for one in others),
            form=Form(frames=8),
            **more,
        )
        return Setup(plan, subjects, others, find, load)

    return make


@pytest.fixture(scope="session")
def worked() -> Callable[[Setup], Tables]:
    """All units of a setup done in this process, as tables."""

    def work(setup: Setup) -> Tables:
        worker = Worker(setup)
        results = [worker.do(unit) for unit in units(setup)]
        frames = {
            name: pd.DataFrame([record(row) for one in results for row in getattr(one, name)], columns=columns(kind))
            for name, kind in (("trials", Trial), ("tax", Tax), ("facts", Facts), ("encodings", Encoding))
        }
        return Tables(**frames)

    return work


def columns(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind)]
