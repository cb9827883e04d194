"""Prompt lists as cases: Movie Gen Bench (text, tagged CSV, sound JSONL) and VBench (full-info JSON, plain text).

Prompts that occur twice become one case, and are reported: a case must be told from every other by its prompt.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.suite import CaseModel
from eval.case import Task
from eval.errors import UserError


class PromptFileError(UserError):
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
    except (ValueError, csv.Error) as error:
        raise PromptFileError(f"{path.name}: not a prompt list: {' '.join(str(error).split())}") from error


def _collect(entries: Iterator[_Entry]) -> PromptList:
    cases: list[CaseModel] = []
    duplicates: list[Duplicate] = []
    seen: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries, start=1):
        first = seen.setdefault(entry.identity, number)
        if first != number:
            duplicates.append(Duplicate(entry.prompt, first, number))
            continue
        cases.append(_case(number, entry))
    if not cases:
        raise ValueError("it holds no prompts")
    return PromptList(tuple(cases), tuple(duplicates))


def _case(number: int, entry: _Entry) -> CaseModel:
    try:
        return CaseModel(id=f"p{number:04d}", prompt=entry.prompt, tags=entry.tags, task=entry.task)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"item {number}: {first['loc'][0]}: {first['msg']}") from error


def _lines(path: Path) -> Iterator[_Entry]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.strip():
            yield _Entry(line.strip())


def _tagged(path: Path) -> Iterator[_Entry]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        header = next(rows, [])
        if "prompt" not in header:
            raise ValueError("its first line names no column 'prompt'")
        for cells in rows:
            if not cells:
                continue
            if len(cells) != len(header):
                # A longer row is a prompt with a comma and no quotes: half of it would be taken for a tag.
                raise ValueError(f"line {rows.line_num}: {len(cells)} cells, but the first line names {len(header)}")
            row = dict(zip(header, cells, strict=True))
            tags = [f"concept:{row['concept'].strip()}"] if row.get("concept") else []
            tags += [f"motion:{row['motion_level'].strip()}"] if row.get("motion_level") else []
            yield _Entry(row["prompt"].strip(), tuple(tags))


def _sound(path: Path) -> Iterator[_Entry]:
    # Not splitlines: JSON text may hold other line separators, such as U+2028, inside a prompt.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if line.strip():
            place = f"line {number}"
            item = _mapping(_json(line, place), place)
            video = str(_value(item, "id", (str, int), place))
            prompt = _value(item, "audio_prompt", (str,), place).strip()
            yield _Entry(prompt, (f"video:{video}",), "video-to-audio", video)


def _vbench(path: Path) -> Iterator[_Entry]:
    items = _json(path.read_text(encoding="utf-8-sig"), "the file")
    if not isinstance(items, list):
        raise ValueError("it is not a list of items")
    for number, item in enumerate(items, start=1):
        place = f"item {number}"
        prompt = _value(_mapping(item, place), "prompt_en", (str,), place).strip()
        found = _value(item, "dimension", (str, list), place) if "dimension" in item else []
        tags = [found] if isinstance(found, str) else found
        yield _Entry(prompt, tuple(f"dimension:{tag}" for tag in tags))


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{place} is nested too deeply") from error


def _mapping(item: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise ValueError(f"{place} is not an object with named values")
    return item


def _value(item: Mapping[str, Any], name: str, kinds: tuple[type, ...], place: str) -> Any:
    if name not in item:
        raise ValueError(f"{place} has no {name!r}")
    if not isinstance(item[name], kinds):
        raise ValueError(f"{place}: {name!r} is not {' or '.join(kind.__name__ for kind in kinds)}")
    return item[name]
