"""The sweep's view of content credentials: they hold, there are none, they are broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import Score, score_clip
from eval.video import open_clip, write_clip
from safety.metrics.credentials import credentials_state
from safety.provenance.authority import make_authority
from safety.provenance.claim import Claim
from safety.provenance.keys import signing_key
from safety.provenance.sign import sign_clip


@pytest.fixture(scope="module")
def clip() -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (8, 3, 8, 8), dtype=np.uint8)
    return Clip(frames.repeat(8, axis=2).repeat(8, axis=3), 8.0)


@pytest.fixture(scope="module")
def plain(clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "plain.mp4"
    write_clip(clip, path)
    return path


@pytest.fixture(scope="module")
def signed(plain: Path) -> Path:
    path = plain.with_name("signed.mp4")
    sign_clip(
        plain, path, Claim(title="signed", model="reference", prompt_sha256="0" * 64), signing_key(make_authority())
    )
    return path


def state(source: object) -> Score:
    import benchmarks  # noqa: F401 - it is what has sweeps search this floor

    (score,) = score_clip(source, [METRICS.get("credentials_state")]).scores  # type: ignore[arg-type]
    return score


def test_credentials_that_hold_are_one(signed: Path) -> None:
    assert state(open_clip(signed)).value == 1.0


def test_no_credentials_are_nought(plain: Path) -> None:
    assert state(open_clip(plain)).value == 0.0


def test_a_changed_picture_is_minus_one(signed: Path) -> None:
    data = bytearray(signed.read_bytes())
    place = data.index(b"mdat") + 200
    data[place] ^= 1
    broken = signed.with_name("broken.mp4")
    broken.write_bytes(bytes(data))
    assert state(open_clip(broken)).value == -1.0


def test_a_reencoded_copy_has_lost_them(signed: Path, clip: Clip) -> None:
    copy = signed.with_name("copy.mp4")
    write_clip(clip, copy)
    assert state(open_clip(copy)).value == 0.0


def test_a_clip_in_memory_is_skipped(clip: Clip) -> None:
    score = state(MemorySource(clip))
    assert score.status == "skipped"
    assert "not read from" in score.reason


def test_it_is_one_of_the_sweeps_metrics() -> None:
    assert METRICS.get("credentials_state").function is credentials_state
