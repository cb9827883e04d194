"""How clips reach networks on a GPU: from one process, several clips in flight, so that their frames share batches.

A GPU that every worker process used for itself would hold each network once per process, and seldom a full batch.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.executors import ExecutorName
from eval.encoders.device import device
from eval.encoders.registry import ENCODERS
from eval.feature import FEATURES
from eval.metric import Metric

IN_FLIGHT = 8
"""Clips. Five seconds at 24 fps fill batches of 64 frames by themselves, but are seven windows of 16 frames: eight such
clips fill a batch of windows."""


def clips_ahead(metrics: Iterable[Metric], also: Iterable[str] = ()) -> int:
    """How many clips to stream ahead of the one that is scored. Raises DeviceError."""
    return IN_FLIGHT if on_a_gpu(metrics, also) else 0


def usual_executor(metrics: Iterable[Metric], also: Iterable[str] = ()) -> ExecutorName:
    """The executor where none is asked for. Raises DeviceError."""
    return "serial" if on_a_gpu(metrics, also) else "processes"


def on_a_gpu(metrics: Iterable[Metric], also: Iterable[str] = ()) -> bool:
    """Whether open encoders on a GPU compute any of these; the Backlot's own networks are small and stay off it."""
    needed = {name for metric in metrics for name in metric.spec.needs} | set(also)
    return any(FEATURES.get(name).encoder in ENCODERS for name in needed) and device().type == "cuda"
