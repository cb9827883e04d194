"""A folder of finished clips as a generator.

Files are matched to cases by, in this order:
1. a table beside them (`clips.csv`, `.jsonl`, `.parquet`) with columns file and case or prompt, and optionally seed;
2. their name: `CASE.mp4`, `CASE-SEED.mp4` or `CASE/SEED.mp4`;
3. VBench's naming: `PROMPT-INDEX.mp4`, the index counting a case's seeds from 0.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.clip_files import CLIP_SUFFIXES, TableRow, find_clips, read_table
from benchmarks.generator import KINDS, Generator, GeneratorError, Kind, NoClip
from eval.case import Case
from eval.hashing import json_sha256

TRUNCATED_NAME = 150
"""File systems cut names near 255 bytes; a stem at least this long may be the beginning of its prompt."""

NAMES_SHOWN = 5
ID_LENGTH = 80

Unit = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Match:
    """Which file answers which (case, seed), and by what rule."""

    files: dict[Unit, Path]
    rules: dict[Unit, str]
    unmatched: tuple[Path, ...]
    ambiguous: dict[Unit, tuple[Path, ...]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    """Files that the table names and the folder does not hold."""


@dataclass(frozen=True, slots=True)
class FolderGenerator:
    """Answers with the files of a Match."""

    folder: Path
    match: Match

    def generate(self, case: Case, folder: Path) -> Path:  # noqa: ARG002 - the clip lies elsewhere already
        unit = (case.id, case.seed)
        if unit in self.match.ambiguous:
            names = ", ".join(path.name for path in self.match.ambiguous[unit][:NAMES_SHOWN])
            raise NoClip(f"several files match this case and seed: {names}")
        if unit not in self.match.files:
            raise NoClip(f"no file in {self.folder.name!r} matches this case and seed")
        return self.match.files[unit]

    def report(self, cases: Sequence[Case]) -> list[str]:
        """What matched and what did not, before anything is scored."""
        units = [(case.id, case.seed) for case in cases]
        hits = [unit for unit in units if unit in self.match.files]
        rules = sorted({self.match.rules[unit] for unit in hits})
        lines = [
            f"{self.folder.name}: {len(hits)} of {len(units)} matched" + (f" by {', '.join(rules)}" if hits else "")
        ]
        missing = [f"{case} (seed {seed})" for case, seed in units if (case, seed) not in self.match.files]
        if missing:
            lines.append(f"  without a clip: {_some(missing)}")
        if self.match.unmatched:
            names = [path.relative_to(self.folder).as_posix() for path in self.match.unmatched]
            lines.append(f"  files that answer no case: {_some(names)}")
        if self.match.absent:
            lines.append(f"  in the table, not in the folder: {_some(self.match.absent)}")
        for (case_id, seed), paths in self.match.ambiguous.items():
            lines.append(f"  several files for {case_id} (seed {seed}): {_some([path.name for path in paths])}")
        return lines


def match_files(folder: Path, files: Sequence[Path], table: dict[str, TableRow], cases: Sequence[Case]) -> Match:
    """Pair files with the cases and seeds asked for; a pair is made only when exactly one file claims it.

    A file that the table names is matched by the table or not at all; a whole path that is a case's id (`x/a.mp4` for
    `x-a`) goes before a bare name.
    """
    claims: dict[Unit, list[tuple[Path, str]]] = defaultdict(list)
    unmatched = []
    index = _Index.of(cases)
    for path in files:
        relative = path.relative_to(folder)
        row = table.get(relative.as_posix())
        told = row is not None and (row.case or row.prompt)
        found = _by_table(row, index) if told else _by_name(relative, index) or _by_prompt(relative, index)
        if found is None or found[0][1] not in index.seeds[found[0][0]]:
            unmatched.append(path)
        else:
            claims[found[0]].append((path, found[1]))
    single = {unit: claim[0] for unit, claim in claims.items() if len(claim) == 1}
    return Match(
        files={unit: path for unit, (path, _) in single.items()},
        rules={unit: rule for unit, (_, rule) in single.items()},
        unmatched=tuple(unmatched),
        ambiguous={unit: tuple(path for path, _ in claim) for unit, claim in claims.items() if len(claim) > 1},
        absent=tuple(sorted(set(table) - {path.relative_to(folder).as_posix() for path in files})),
    )


@dataclass(frozen=True, slots=True)
class _Index:
    """The cases, ready to be looked up."""

    seeds: dict[str, tuple[int, ...]]
    prompts: dict[str, str]

    @classmethod
    def of(cls, cases: Iterable[Case]) -> _Index:
        seeds: dict[str, tuple[int, ...]] = {}
        by_prompt: dict[str, set[str]] = defaultdict(set)
        for case in cases:
            seeds[case.id] = (*seeds.get(case.id, ()), case.seed)
            by_prompt[_plain(case.prompt)].add(case.id)
        # A prompt that two cases share cannot tell them apart.
        prompts = {text: ids.copy().pop() for text, ids in by_prompt.items() if text and len(ids) == 1}
        return cls(seeds, prompts)

    def case_of_prompt(self, text: str) -> str | None:
        plain = _plain(text)
        if plain in self.prompts:
            return self.prompts[plain]
        if len(plain) < TRUNCATED_NAME:
            return None
        longer = [case for prompt, case in self.prompts.items() if prompt.startswith(plain)]
        return longer[0] if len(longer) == 1 else None


def _by_table(row: TableRow | None, index: _Index) -> tuple[Unit, str] | None:
    if row is None:
        return None
    # A case that is named and unknown is a mistake, not a reason to guess from the prompt.
    case = row.case or index.case_of_prompt(row.prompt)
    if case not in index.seeds:
        return None
    return (case, index.seeds[case][0] if row.seed is None else row.seed), "table"


def _by_name(relative: Path, index: _Index) -> tuple[Unit, str] | None:
    whole, stem = file_id(relative), relative.stem
    if whole in index.seeds:
        return (whole, index.seeds[whole][0]), "case id"
    if relative.parent.name in index.seeds and stem.isdecimal():
        return (relative.parent.name, int(stem)), "case id"
    case, dash, seed = stem.rpartition("-")
    for name, number in ((stem, None), (case if dash and seed.isdecimal() else "", seed)):
        if name in index.seeds:
            return (name, index.seeds[name][0] if number is None else int(number)), "case id"
    return None


def _by_prompt(relative: Path, index: _Index) -> tuple[Unit, str] | None:
    text, dash, number = relative.stem.rpartition("-")
    if not (dash and number.isdecimal()):
        text, number = relative.stem, "0"
    case = index.case_of_prompt(text)
    if case is None or int(number) >= len(index.seeds[case]):
        return None
    return (case, index.seeds[case][int(number)]), "VBench name"


def _plain(text: str) -> str:
    """Prompts as file names lose punctuation and case: compare letters and digits only."""
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def folder_cases(folder: Path, *, seed: int = 0) -> list[Case]:
    """One case per clip of a folder, for suites without cases of their own; the id is the path without suffix."""
    table = read_table(folder)
    cases = []
    for path in find_clips(folder):
        relative = path.relative_to(folder)
        row = table.get(relative.as_posix())
        cases.append(Case(id=file_id(relative), prompt=row.prompt if row else "", seed=seed))
    return cases


def file_id(relative: Path) -> str:
    """A case id made from a file's path: only letters that an id may have, cut to what an id may hold.

    Where something had to be cut off, a short hash keeps long names apart.
    """
    name = relative.with_suffix("").as_posix() if relative.suffix.lower() in CLIP_SUFFIXES else relative.as_posix()
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-._") or "clip"
    if len(plain) <= ID_LENGTH:
        return plain
    return f"{plain[: ID_LENGTH - 9]}-{zlib.crc32(name.encode()):08x}"


def _make(argument: str, cases: Sequence[Case]) -> Generator:
    folder = Path(argument)
    if not folder.is_dir():
        raise GeneratorError(f"folder {argument!r}: there is no such folder")
    files = find_clips(folder)
    if not files:
        raise GeneratorError(f"folder {argument!r}: it holds no clips (mp4, mov, webm, mkv, avi, gif, folders of PNGs)")
    return FolderGenerator(folder, match_files(folder, files, read_table(folder), cases))


def _fingerprint(argument: str) -> str:
    """Changes with the folder's clips: their names, sizes and times of change."""
    folder = Path(argument)
    files = [(path, path.stat()) for path in find_clips(folder)] if folder.is_dir() else []
    return json_sha256([[path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns] for path, stat in files])


KINDS.add(
    "folder",
    Kind(
        "folder",
        1,
        "clips that exist already, matched to cases",
        _make,
        argument="a folder",
        settle=lambda argument: str(Path(argument).absolute()),
        fingerprint=_fingerprint,
    ),
)
