"""Where the units of a sweep run: in this process, in a pool of processes, or on Ray.

An executor takes work items one at a time and gives results back in any order. It never loses an item: when a worker
process dies (out of memory, a crash in a decoder), the items it held are tried once more, each alone, and one that
kills its worker again is answered by `lost(item)`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait as wait_for_any
from typing import Any, Generic, Literal, TypeVar

from eval.errors import UserError

ExecutorName = Literal["serial", "processes", "ray"]
Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 3
"""Items handed out per worker: enough to keep it busy, few enough that a stop wastes little."""


@dataclass(frozen=True, slots=True)
class Job(Generic[Item, Result]):
    """What to do. `work` and `prepare` are module-level functions (they travel to other processes).

    prepare: called once per worker with `setup` before its first item.
    lost: the result for an item whose worker died twice.
    stream: what the serial executor does with all items instead, where several at a time share work.
    """

    work: Callable[[Item], Result]
    prepare: Callable[[Any], None]
    setup: Any
    lost: Callable[[Item], Result]
    stream: Callable[[Iterable[Item]], Iterator[Result]] | None = None


def execute(
    name: ExecutorName, job: Job[Item, Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Run every item and yield its result as soon as it is there."""
    count = workers or os.cpu_count() or 1
    if name == "serial":
        return _serial(job, items)
    if name == "processes":
        return _processes(job, items, count)
    return _ray(job, items, count)


def _serial(job: Job[Item, Result], items: Iterable[Item]) -> Iterator[Result]:
    job.prepare(job.setup)
    yield from map(job.work, items) if job.stream is None else job.stream(items)


def _pool(job: Job[Item, Result], workers: int) -> ProcessPoolExecutor:
    # spawn: a forked child would inherit OpenCV's and FFmpeg's threads in an undefined state.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(job.prepare, job.setup))


def _begin(prepare: Callable[[Any], None], setup: Any) -> None:
    """Start of a worker process. It ends with its parent: a killed sweep must leave nobody writing behind its back."""
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    prepare(setup)


def _end_with(sentinel: int) -> None:
    wait_for_any([sentinel])
    os._exit(1)


def _processes(job: Job[Item, Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    queue = iter(items)
    while True:
        suspects: list[Item] = []
        yield from _until_broken(job, queue, workers, suspects)
        if not suspects:
            return
        for item in suspects:
            yield _alone(job, item)


def _until_broken(
    job: Job[Item, Result], queue: Iterator[Item], workers: int, suspects: list[Item]
) -> Iterator[Result]:
    """Drain the queue; if a worker dies, leave the items that were under way in `suspects` and return."""
    running: dict[Future[Result], Item] = {}
    with _pool(job, workers) as pool:
        try:
            while True:
                for item in islice(queue, workers * AHEAD - len(running)):
                    try:
                        running[pool.submit(job.work, item)] = item
                    except BrokenProcessPool:
                        suspects.append(item)
                        break
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    item = running.pop(future)
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        suspects.append(item)
                if suspects:
                    suspects.extend(running.values())
                    return
        except BaseException:
            # Interrupted, or a full disk: what the workers still do is not wanted, however long it would take.
            for worker in active_children():
                worker.kill()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _alone(job: Job[Item, Result], item: Item) -> Result:
    with _pool(job, 1) as pool:
        try:
            return pool.submit(job.work, item).result()
        except BrokenProcessPool:
            return job.lost(item)


def _ray(job: Job[Item, Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    try:
        import ray
    except ImportError as error:
        raise UserError("the ray executor needs Ray: pip install -c constraints.txt '.[ray]'") from error

    class Worker:
        def __init__(self) -> None:
            job.prepare(job.setup)

        def work(self, item: Item) -> Result:
            return job.work(item)

    started_here = not ray.is_initialized()
    if started_here:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    try:
        actor = ray.remote(num_cpus=1, max_restarts=-1)(Worker)
        idle: list[Any] = [actor.remote() for _ in range(workers)]
        queue = iter(items)
        busy: dict[Any, tuple[Any, Item]] = {}
        while True:
            for item in islice(queue, len(idle)):
                worker = idle.pop()
                busy[worker.work.remote(item)] = (worker, item)
            if not busy:
                return
            (done,), _ = ray.wait(list(busy), num_returns=1)
            worker, item = busy.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayActorError:
                yield job.lost(item)
            idle.append(worker)
    finally:
        if started_here:
            ray.shutdown()
