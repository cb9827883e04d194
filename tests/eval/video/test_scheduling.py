"""Encoders may not make the process a real-time one: it would stop everything else on the machine."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from eval.clip import Clip
from eval.video.recode import _CODECS, PictureCodec, _encoded
from eval.video.scheduling import ordinary_scheduling

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scheduling is read from /proc")


def policies() -> set[int]:
    return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize("codec", list(_CODECS))
def test_no_encoder_changes_how_this_process_is_scheduled(codec: PictureCodec) -> None:
    frames_TCHW = np.random.default_rng(0).integers(0, 256, (12, 3, 128, 128), dtype=np.uint8)
    packets = _encoded(Clip(frames_TCHW, 8.0), _CODECS[codec], 40, None)
    next(packets)
    assert policies() == {os.SCHED_OTHER}
    assert len(list(packets)) == 11
    assert policies() == {os.SCHED_OTHER}


def real_time() -> None:
    """Make the calling thread a real-time one, or skip."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pytest.skip("only root may make threads real-time ones")


def test_what_was_changed_is_changed_back() -> None:
    with ordinary_scheduling():
        real_time()
        assert os.SCHED_FIFO in policies()
    assert policies() == {os.SCHED_OTHER}


def test_threads_that_the_block_started_are_the_callers() -> None:
    ready, done = threading.Event(), threading.Event()
    refused: list[BaseException] = []

    def work() -> None:
        try:
            real_time()
        except BaseException as error:  # pytest's Skipped is none of Exception
            refused.append(error)
        ready.set()
        done.wait(30)

    with ordinary_scheduling():
        thread = threading.Thread(target=work)
        thread.start()
        assert ready.wait(30)
    try:
        if refused:
            raise refused[0]
        assert policies() == {os.SCHED_OTHER}
    finally:
        done.set()
        thread.join()


def test_an_error_changes_it_back_too() -> None:
    def broken() -> None:
        with ordinary_scheduling():
            real_time()
            raise ValueError("no such codec")

    with pytest.raises(ValueError, match="no such"):
        broken()
    assert policies() == {os.SCHED_OTHER}


def test_a_process_that_was_a_real_time_one_stays_so() -> None:
    real_time()
    try:
        with ordinary_scheduling():
            pass
        assert os.sched_getscheduler(0) == os.SCHED_FIFO
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def test_elsewhere_the_block_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.video.scheduling._THREADS", Path("/proc/self/no-such-folder"))
    ran = []
    with ordinary_scheduling():
        ran.append(True)
    assert ran == [True]
