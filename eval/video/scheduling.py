"""Keeps a codec from taking the machine: SVT-AV1, run as root, makes its threads and its caller real-time ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


@contextmanager
def ordinary_scheduling() -> Iterator[None]:
    """Give every thread that is scheduled in another way when the block ends its old way back; new ones the caller's.

    A real-time thread is never pre-empted by others: left alone, everything that the process does afterwards, and every
    process that it starts, would stop the rest of the machine. Linux only; elsewhere the block runs as it is.
    """
    if sys.platform != "linux" or not _THREADS.is_dir():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    before = _policies()
    try:
        yield
    finally:
        for thread, now in _policies().items():
            if now != before.get(thread, policy):
                with suppress(OSError):  # a thread that has ended meanwhile
                    os.sched_setscheduler(thread, policy, parameters)


def _policies() -> dict[int, int]:
    """Scheduling policy of each thread of this process."""
    found = {}
    for entry in _THREADS.iterdir():
        with suppress(OSError):
            found[int(entry.name)] = os.sched_getscheduler(int(entry.name))
    return found
