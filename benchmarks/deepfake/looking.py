"""Looking at many clips, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.executors import ExecutorName, Job, execute
from safety.deepfake.canonical import Change, Form
from safety.deepfake.controls import plant
from safety.deepfake.observe import ClipRef, Observed, observe

FEW = 24
"""Looks that are not worth starting processes for."""


@dataclass(frozen=True, slots=True)
class Look:
    """One clip to look at: as it is, with a planted fault, or with a mark."""

    number: int
    clip: ClipRef
    fault: str = ""
    mark: str = ""


def look_at_all(
    looks: Sequence[Look],
    form: Form,
    executor: ExecutorName | None,
    workers: int | None,
    step: Callable[[int, str], None],
) -> list[Observed]:
    """What was seen, in the order of the looks."""
    numbered = [Look(number, look.clip, look.fault, look.mark) for number, look in enumerate(looks)]
    job = Job(_work, _prepare, form, _lost)
    found: dict[int, Observed] = {}
    name = executor or ("serial" if len(looks) <= FEW else "processes")
    for number, seen in execute(name, job, numbered, workers):
        found[number] = seen
        step(len(found), seen.clip.name)
    return [found[number] for number in range(len(looks))]


# One per process: the common form.
_FORM: list[Form] = []


def _prepare(form: Form) -> None:
    import cv2

    cv2.setNumThreads(1)
    _FORM[:] = [form]


def _work(look: Look) -> tuple[int, Observed]:
    change: Change | None = partial(plant, look.fault) if look.fault else None
    return look.number, observe(look.clip, _FORM[0], change, _marking(look))


def _marking(look: Look) -> Change | None:
    if not look.mark:
        return None
    import torch

    from eval.marks.mark import find_mark
    from safety.deepfake.marked import Marking

    torch.set_num_threads(1)
    return Marking(find_mark(look.mark), look.clip.name)


def _lost(look: Look) -> tuple[int, Observed]:
    reason = "the worker process died (out of memory, or a crash in a library) twice on this clip"
    return look.number, Observed(look.clip, reason=reason)
