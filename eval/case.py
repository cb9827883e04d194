"""The case: one thing a generator is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Task = Literal["text-to-video", "personalised", "edit", "video-to-audio", "text-to-audio-video"]
TASKS: tuple[str, ...] = get_args(Task)
PORTRAIT = "portrait"
"""How the names of references begin that are portraits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The technical form asked for. None means that nothing was asked."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration_s: float | None = None
    sound: bool | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request. `id` names the case in its suite; the same case with several seeds shares its id.

    prompt: what the user wrote; always data, never markup, a path or a command.
    references: name → path of a portrait or source clip. Names that begin with `portrait` are the people asked for.
    truth: what is known exactly of the right answer (Backlot scenes), JSON-able; None for open prompts.
    """

    id: str
    task: Task = "text-to-video"
    prompt: str = ""
    seed: int = 0
    asked: Asked = field(default_factory=Asked)
    references: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    truth: Mapping[str, Any] | None = None

    @property
    def portraits(self) -> dict[str, str]:
        """Name → path of the portraits, one for each person asked for, by name."""
        return {name: path for name, path in sorted(self.references.items()) if name.startswith(PORTRAIT)}


def different_prompts(prompts: Iterable[str]) -> tuple[str, ...]:
    """Each prompt once, in order of first appearance, without the empty ones."""
    return tuple(dict.fromkeys(prompt for prompt in prompts if prompt.strip()))
