"""A program as a generator: the case as JSON on its standard input, the clip in the file that the case names.

The program is started without a shell, in an empty folder of its own, once per case. It gets one JSON object:

    {"id", "task", "prompt", "seed", "asked": {...}, "references": {...}, "tags": [...], "output": "/…/clip.mp4"}

and must write its clip to `output` (or print the path of a clip inside its folder as its last line) and exit with 0.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator import KINDS, Generator, GeneratorError, Kind, NoClip
from eval.case import Case

TIME_LIMIT_S = 600.0
MESSAGE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class ProgramGenerator:
    """Runs `arguments` for each case."""

    arguments: tuple[str, ...]
    time_limit_s: float = TIME_LIMIT_S

    def generate(self, case: Case, folder: Path) -> Path:
        output = folder / "clip.mp4"
        result = self._run(request(case, output), folder)
        if result.returncode != 0:
            raise RuntimeError(f"the program exited with {result.returncode}: {_last_line(result.stderr)}")
        if output.is_file():
            return output
        printed = _last_line(result.stdout)
        named = (folder / printed).resolve() if printed else folder
        if named.is_file() and named.is_relative_to(folder.resolve()):
            return named
        raise NoClip("the program ended well but wrote no clip: it must write the file named in 'output'")

    def _run(self, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
        # A session of its own, so that a time-out also ends what the program started.
        with subprocess.Popen(
            self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=folder,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(text, timeout=self.time_limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise RuntimeError(f"the program took longer than {self.time_limit_s:g} s and was stopped") from None
        return subprocess.CompletedProcess(self.arguments, process.returncode, out, err)


def request(case: Case, output: Path) -> str:
    """The JSON document that a program reads. The truth is not in it."""
    return json.dumps(
        {
            "id": case.id,
            "task": case.task,
            "prompt": case.prompt,
            "seed": case.seed,
            "asked": dataclasses.asdict(case.asked),
            "references": dict(case.references),
            "tags": list(case.tags),
            "output": str(output),
        }
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:MESSAGE_LENGTH] if lines else ""


def _settle(argument: str) -> str:
    """The command with its program and every argument that names an existing file as absolute paths."""
    try:
        words = shlex.split(argument)
    except ValueError as error:
        raise GeneratorError(f"program {argument!r}: {error}") from error
    found = shutil.which(words[0]) if words else None
    if found is None:
        raise GeneratorError(f"program {argument!r}: {words[0] if words else 'nothing'!r} is not an executable file")
    return shlex.join([str(Path(found).absolute()), *(_absolute(word) for word in words[1:])])


def _absolute(word: str) -> str:
    return str(Path(word).absolute()) if Path(word).exists() else word


def _make(argument: str, _cases: Sequence[Case]) -> Generator:
    return ProgramGenerator(tuple(shlex.split(_settle(argument))))


KINDS.add(
    "program",
    Kind(
        "program",
        1,
        "a program of yours: case as JSON on standard input, a clip file out",
        _make,
        argument="a command",
        settle=_settle,
    ),
)
