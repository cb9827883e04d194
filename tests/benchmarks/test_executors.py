"""Executors: every item answered once, in this process, in others, and when others die."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.executors import ExecutorName, Job, execute

SETUP: list[int] = []


def prepare(setup: int) -> None:
    SETUP[:] = [setup]


def work(item: int) -> int:
    return item * SETUP[0]


def deadly(item: int) -> int:
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def lost(item: int) -> int:
    return -item


def raising(item: int) -> int:
    if item == 3:
        raise OSError(28, "No space left on device")
    return item


NAMES = [
    "serial",
    "processes",
    pytest.param(
        "ray",
        marks=pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the ray extra is not installed"),
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_item_is_answered_once(name: ExecutorName) -> None:
    assert sorted(execute(name, Job(work, prepare, 10, lost), range(20), workers=2)) == [i * 10 for i in range(20)]


def test_nothing_to_do() -> None:
    assert list(execute("processes", Job(work, prepare, 1, lost), [], workers=2)) == []


def test_a_worker_that_dies_costs_only_the_item_that_kills_it() -> None:
    results = list(execute("processes", Job(deadly, prepare, 1, lost), range(12), workers=2))
    assert sorted(results) == sorted([*(i for i in range(12) if i != 5), -5])


def test_an_exception_reaches_the_caller() -> None:
    with pytest.raises(OSError, match="No space"):
        list(execute("processes", Job(raising, prepare, 1, lost), range(6), workers=2))


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(1000):
            taken.append(i)
            yield i

    results = execute("processes", Job(work, prepare, 1, lost), items(), workers=1)
    next(results)
    assert len(taken) < 10
    results.close()  # type: ignore[attr-defined]


ORPHANS = """
import os, sys, time
from pathlib import Path
from benchmarks.executors import Job, execute

def prepare(folder):
    (Path(folder) / str(os.getpid())).touch()

def work(item):
    time.sleep(120)
    return item

if __name__ == "__main__":
    list(execute("processes", Job(work, prepare, sys.argv[1], work), range(9), workers=2))
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    """Only the parent is killed, as by `kill -9`: nobody may go on writing into the run behind a resumed sweep."""
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(ORPHANS)
    pids.mkdir()
    home = str(Path(__file__).resolve().parents[2])
    parent = subprocess.Popen([sys.executable, str(script), str(pids)], env={**os.environ, "PYTHONPATH": home})
    while len(list(pids.iterdir())) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    for path in pids.iterdir():
        assert _gone(int(path.name)), "a worker outlived its parent"


def test_an_interrupt_does_not_wait_for_what_the_workers_do(tmp_path: Path) -> None:
    script, pids = tmp_path / "parent.py", tmp_path / "pids"
    script.write_text(ORPHANS)
    pids.mkdir()
    home = str(Path(__file__).resolve().parents[2])
    parent = subprocess.Popen(
        [sys.executable, str(script), str(pids)], env={**os.environ, "PYTHONPATH": home}, stderr=subprocess.DEVNULL
    )
    while len(list(pids.iterdir())) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.send_signal(signal.SIGINT)
    parent.wait(timeout=60)  # each item takes 120 s
    for path in pids.iterdir():
        assert _gone(int(path.name))


def _gone(pid: int) -> bool:
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False
