"""Accumulators that hand a clip's frames to a Runner, one by one or in windows, and owe its rows until they are asked.

Shape legend: T frames, S windows, D numbers of a network's row, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.clip import FramesTCHW, Window
from eval.encoders.runner import Runner, Ticket
from eval.feature import Arrays, NotMeasurable

Prepare = Callable[[FramesTCHW], npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Owed:
    """The rows of some tickets, joined under one name: a Pending."""

    name: str
    tickets: Sequence[Ticket]

    def result(self) -> Arrays:
        """The name → float32, the tickets' rows one after the other. Raises what a Ticket raises."""
        return {self.name: np.concatenate([ticket.result() for ticket in self.tickets])}


class FrameEncoding:
    """A row of every frame that it is given, under `name`: features_TD, or score_T of a network with one number."""

    def __init__(self, runner: Runner, name: str = "features_TD") -> None:
        self._runner, self._name = runner, name
        self._tickets: list[Ticket] = []

    def update(self, window: Window) -> None:
        _check(self._tickets)
        if len(window.frames_TCHW):
            self._tickets.append(self._runner.submit(window.frames_TCHW))

    def finish(self) -> Owed:
        if not self._tickets:
            raise NotMeasurable("the clip has no frames")
        return Owed(self._name, self._tickets)


class WindowEncoding:
    """A row of every `frames` consecutive frames, none in two windows, under `name`; an incomplete last one is dropped.

    prepare: what is kept of frames, uint8 T,C,H,W → T,…, where whole windows of large frames would be too much (64 of
        1080p are 400 MB); each frame for itself. None: the frames.
    finish raises NotMeasurable for a clip shorter than one window.
    """

    def __init__(
        self, runner: Runner, frames: int, *, name: str = "features_SD", prepare: Prepare | None = None
    ) -> None:
        self._runner, self._frames, self._name = runner, frames, name
        self._prepare = prepare
        self._kept: list[npt.NDArray[Any]] = []  # one array per frame, of less than two windows
        self._tickets: list[Ticket] = []

    def update(self, window: Window) -> None:
        _check(self._tickets)
        for start in range(0, len(window.frames_TCHW), self._frames):
            self._kept.extend(self._copy(window.frames_TCHW[start : start + self._frames]))
            if len(self._kept) >= self._frames:
                items_TX, self._kept = np.stack(self._kept[: self._frames]), self._kept[self._frames :]
                self._tickets.append(self._runner.submit(items_TX[None]))

    def finish(self) -> Owed:
        kept, self._kept = len(self._kept), []
        if not self._tickets:
            raise NotMeasurable(f"{self._runner.name} sees {self._frames} frames at a time: the clip has {kept}")
        return Owed(self._name, self._tickets)

    def _copy(self, frames_TCHW: FramesTCHW) -> npt.NDArray[Any]:
        return frames_TCHW.copy(order="K") if self._prepare is None else np.array(self._prepare(frames_TCHW))


def _check(tickets: Sequence[Ticket]) -> None:
    """Raise the failure of what was handed in last: a network that fails is not asked again for this clip."""
    if tickets and tickets[-1].failed:
        tickets[-1].result()
