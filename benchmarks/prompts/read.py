"""Prompt lists as cases: Movie Gen Bench (text, tagged CSV, sound JSONL) and VBench (full-info JSON, plain text).

Prompts that occur twice become one case, and are reported: a case must be told from every other by its prompt.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite import CaseModel
from eval.case import Task


class PromptFileError(ValueError):
    """A prompt list that cannot be read; one line with its place."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A prompt that came again: where first, where again (lines or items, from 1)."""

    prompt: str
    first: int
    again: int


@dataclass(frozen=True, slots=True)
class PromptList:
    """The cases of a file, and what was left out of it."""

    cases: tuple[CaseModel, ...]
    duplicates: tuple[Duplicate, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    prompt: str
    tags: tuple[str, ...] = ()
    task: Task = "text-to-video"
    video: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two entries the same request: the prompt, and the silent video that it belongs to, if any."""
        return self.prompt, self.video


def read_prompts(path: Path) -> PromptList:
    """Read a prompt list; the form is told by the suffix (.txt, .csv, .jsonl, .json).

    Tags are kept: `concept:…` and `motion:…` from Movie Gen Bench, `dimension:…` from VBench. Case ids are the file's
    item numbers (p0001, …), so they stay the same when a duplicate is dropped. Raises PromptFileError.
    """
    readers = {".txt": _lines, ".csv": _tagged, ".jsonl": _sound, ".json": _vbench}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PromptFileError(f"{path.name}: prompt lists are {', '.join(readers)}")
    if not path.is_file():
        raise PromptFileError(f"{path}: there is no such file")
    try:
        return _collect(reader(path))
    except (ValueError, KeyError, TypeError) as error:
        raise PromptFileError(f"{path.name}: not a prompt list: {error}") from error


def _collect(entries: Iterator[_Entry]) -> PromptList:
    cases: list[CaseModel] = []
    duplicates: list[Duplicate] = []
    seen: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries, start=1):
        first = seen.setdefault(entry.identity, number)
        if first != number:
            duplicates.append(Duplicate(entry.prompt, first, number))
            continue
        cases.append(CaseModel(id=f"p{number:04d}", prompt=entry.prompt, tags=entry.tags, task=entry.task))
    if not cases:
        raise ValueError("it holds no prompts")
    return PromptList(tuple(cases), tuple(duplicates))


def _lines(path: Path) -> Iterator[_Entry]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.strip():
            yield _Entry(line.strip())


def _tagged(path: Path) -> Iterator[_Entry]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            tags = [f"concept:{row['concept'].strip()}"] if row.get("concept") else []
            tags += [f"motion:{row['motion_level'].strip()}"] if row.get("motion_level") else []
            yield _Entry(row["prompt"].strip(), tuple(tags))


def _sound(path: Path) -> Iterator[_Entry]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        item = json.loads(line)
        yield _Entry(str(item["audio_prompt"]).strip(), (f"video:{item['id']}",), "video-to-audio", str(item["id"]))


def _vbench(path: Path) -> Iterator[_Entry]:
    for item in json.loads(path.read_text(encoding="utf-8-sig")):
        dimensions = item.get("dimension", [])
        tags = [dimensions] if isinstance(dimensions, str) else list(dimensions)
        yield _Entry(str(item["prompt_en"]).strip(), tuple(f"dimension:{tag}" for tag in tags))
