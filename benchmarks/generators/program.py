"""A program as a generator: the case as JSON on its standard input, the clip in the file that the case names.

The program is started without a shell, in an empty folder of its own, once per case. It gets one JSON object:

    {"id", "task", "prompt", "seed", "asked": {...}, "references": {...}, "tags": [...], "output": "/…/clip.mp4"}

and must write its clip to `output` (or print the path of a clip inside its folder as its last line) and exit with 0.

When it ends, is out of time, or the sweep ends (interrupted or killed), every process of its group is killed. Only a
process that it put into a session of its own (`setsid`) is left running; nobody waits for that one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator import KINDS, Generator, GeneratorError, Kind, NoClip
from eval.case import Case
from eval.hashing import file_sha256, json_sha256

TIME_LIMIT_S = 600.0
MESSAGE_LENGTH = 300
TAIL_BYTES = 1 << 16
"""How much is kept of what a program prints; the rest is read and forgotten."""
GRACE_S = 1.0
"""How long the pipes of an ended program are waited for: a process that it left behind may hold them open."""
END_S = 10.0
"""How long the end of a killed program is waited for: it may have much memory to give back first."""
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ProgramGenerator:
    """Runs `arguments` for each case."""

    arguments: tuple[str, ...]
    time_limit_s: float = TIME_LIMIT_S

    def generate(self, case: Case, folder: Path) -> Path:
        folder = folder.resolve()  # the program works in `folder`: a relative path would mean another file there
        output = folder / "clip.mp4"
        result = self._run(request(case, output), folder)
        if result.returncode != 0:
            words = _last_line(result.stderr)[:MESSAGE_LENGTH]
            raise RuntimeError(f"the program exited with {result.returncode}: {words}")
        if output.is_file():
            return output
        named = (folder / _last_line(result.stdout)).resolve()
        # os.path: any line can stand here, and Path.is_file raises for one that is too long for a name.
        if os.path.isfile(named) and named.is_relative_to(folder):  # noqa: PTH113
            return named
        raise NoClip("the program ended well but wrote no clip: it must write the file named in 'output'")

    def _run(self, text: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
        with tempfile.TemporaryFile() as document:
            document.write(text.encode())
            document.seek(0)
            process = subprocess.Popen(
                self.arguments,
                bufsize=0,
                stdin=document,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                start_new_session=True,
            )
        with _ending(process), _ending_with_this_process(process.pid):
            try:
                out, err = _follow(process, self.time_limit_s)
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"the program took longer than {self.time_limit_s:g} s and was stopped") from None
        return subprocess.CompletedProcess(self.arguments, process.returncode, out, err)


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the group of `process` when the block is left, in whatever way."""
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.stderr.close()
        with suppress(subprocess.TimeoutExpired):  # stuck in the kernel, on a driver or a network disk
            process.wait(END_S)


@contextmanager
def _ending_with_this_process(group: int) -> Iterator[None]:
    """Have the process group killed if this process dies inside the block, even by SIGKILL.

    A shell waits for the end of a pipe that only this process holds open.
    """
    watch = ("/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(group))
    with subprocess.Popen(watch, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as watcher:
        try:
            yield
        finally:
            watcher.kill()


def _follow(process: subprocess.Popen[bytes], time_limit_s: float) -> tuple[bytes, bytes]:
    """Wait for the end of `process`: the tails of its stdout and stderr. Raises subprocess.TimeoutExpired."""
    assert process.stdout is not None
    assert process.stderr is not None
    tails = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    deadline = time.monotonic() + time_limit_s
    with selectors.DefaultSelector() as open_pipes:
        for pipe in tails:
            open_pipes.register(pipe, selectors.EVENT_READ)
        while open_pipes.get_map() and process.poll() is None and time.monotonic() < deadline:
            _read(open_pipes, tails)
        process.wait(max(deadline - time.monotonic(), 0))
        deadline = time.monotonic() + GRACE_S
        while open_pipes.get_map() and time.monotonic() < deadline:
            _read(open_pipes, tails)
    out, err = tails.values()
    return out, err


def _read(open_pipes: selectors.BaseSelector, tails: dict[int, bytes]) -> None:
    for key, _ in open_pipes.select(POLL_S):
        data = os.read(key.fd, TAIL_BYTES)
        tails[key.fd] = (tails[key.fd] + data)[-TAIL_BYTES:]
        if not data:
            open_pipes.unregister(key.fd)


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


def _last_line(output: bytes) -> str:
    """The last line with anything to read in it, without control characters: it goes into tables and terminals."""
    for line in reversed(output.decode(errors="replace").splitlines()):
        if printable := "".join(filter(str.isprintable, line)).strip():
            return printable
    return ""


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


def _fingerprint(argument: str) -> str:
    """Changes with the files that the command names: the program itself, its script, its settings."""
    files = [Path(word) for word in shlex.split(argument) if Path(word).is_file()]
    return json_sha256([[str(path), file_sha256(path)] for path in files])


KINDS.add(
    "program",
    Kind(
        "program",
        1,
        "a program of yours: case as JSON on standard input, a clip file out",
        _make,
        argument="a command",
        settle=_settle,
        fingerprint=_fingerprint,
    ),
)
