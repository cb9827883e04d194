"""A program as a generator: what it is told, what it may answer, and how it fails."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.generator import GeneratorError, GeneratorSpec, NoClip
from benchmarks.generators.program import ProgramGenerator
from eval.case import Asked, Case

HOSTILE = "A dog\n<b>bold</b> 🐕 $(touch owned) ; ../../etc/passwd"
CASE = Case("c1", prompt=HOSTILE, seed=5, asked=Asked(64, 64, 8.0, 2.0, True), truth={"secret": 1})


def program(tmp_path: Path, body: str, time_limit_s: float = 20.0) -> ProgramGenerator:
    script = tmp_path / "program.py"
    script.write_text("import json, os, pathlib, sys, time\ncase = json.load(sys.stdin)\n" + body)
    return ProgramGenerator((sys.executable, str(script)), time_limit_s)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_the_case_arrives_whole_and_without_the_truth(tmp_path: Path, scratch: Path) -> None:
    body = "pathlib.Path(case['output']).write_text(json.dumps(case))"
    path = program(tmp_path, body).generate(CASE, scratch)
    told = json.loads(path.read_text())
    assert (told["prompt"], told["seed"], told["asked"]["width"]) == (HOSTILE, 5, 64)
    assert "truth" not in told
    assert not list(tmp_path.rglob("owned")), "a prompt is data, never a command"


def test_a_printed_path_inside_its_folder_is_taken_and_one_outside_is_not(tmp_path: Path, scratch: Path) -> None:
    body = "pathlib.Path('mine.webm').write_text('x'); print('log line'); print('mine.webm')"
    assert program(tmp_path, body).generate(CASE, scratch).name == "mine.webm"
    with pytest.raises(NoClip, match="wrote no clip"):
        program(tmp_path, "print('/etc/hostname')").generate(CASE, scratch)


def test_its_failure_carries_its_last_words(tmp_path: Path, scratch: Path) -> None:
    with pytest.raises(RuntimeError, match="exited with 3: out of memory"):
        program(tmp_path, "print('out of memory', file=sys.stderr); sys.exit(3)").generate(CASE, scratch)


def test_a_relative_folder_reaches_the_program_as_an_absolute_path(tmp_path: Path, scratch: Path) -> None:
    with contextlib.chdir(tmp_path):
        path = program(tmp_path, "pathlib.Path(case['output']).write_text(case['output'])").generate(
            CASE, Path("scratch")
        )
    assert path.read_text() == str(path) == str(scratch.resolve() / "clip.mp4")


def test_its_words_are_printable(tmp_path: Path, scratch: Path) -> None:
    body = r"print('\x1b[2J\x07no\0 m\u202eodel: \u00fc', file=sys.stderr); print('\x1b', file=sys.stderr); sys.exit(1)"
    with pytest.raises(RuntimeError, match=r"exited with 1: \[2Jno model: ü$"):
        program(tmp_path, "sys.stderr.reconfigure(encoding='utf-8')\n" + body).generate(CASE, scratch)


@pytest.mark.parametrize("line", ["'x' * 280", "'x' * 100_000", "'a\\0b'", "''"])
def test_any_last_line_can_stand_where_a_path_may(tmp_path: Path, scratch: Path, line: str) -> None:
    with pytest.raises(NoClip, match="wrote no clip"):
        program(tmp_path, f"print({line})").generate(CASE, scratch)


def test_a_flood_of_output_takes_no_memory_and_leaves_the_last_words(tmp_path: Path, scratch: Path) -> None:
    body = """
for _ in range(64):
    sys.stdout.write("x" * 500_000)
    sys.stderr.write("y" * 500_000)
print("\\nout of memory", file=sys.stderr)
sys.exit(3)
"""
    tracemalloc.start()
    try:
        with pytest.raises(RuntimeError, match="exited with 3: out of memory"):
            program(tmp_path, body, time_limit_s=60.0).generate(CASE, scratch)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4e6, "64 MB were printed"


def test_a_program_that_does_not_read_its_case_is_no_failure(tmp_path: Path, scratch: Path) -> None:
    case = Case("c1", prompt="long " * 100_000)
    shell = ProgramGenerator(("/bin/sh", "-c", "exec <&- >&- 2>&-; sleep 0.2; echo x > clip.mp4"))
    assert shell.generate(case, scratch).read_text() == "x\n"


HOLDER = """
import subprocess
holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], start_new_session={apart})
pathlib.Path({pid_file!r}).write_text(f"{{os.getpid()}} {{holder.pid}}")
"""


@pytest.mark.parametrize("ending", ["time.sleep(60)", "sys.exit(3)"])
def test_nobody_waits_for_a_process_that_left_the_session_with_the_pipes(
    tmp_path: Path, scratch: Path, ending: str
) -> None:
    pid_file = tmp_path / "pids"
    body = HOLDER.format(apart=True, pid_file=str(pid_file)) + ending
    with pytest.raises(RuntimeError, match=r"longer than 3 s|exited with 3"):
        program(tmp_path, body, time_limit_s=3.0).generate(CASE, scratch)
    own, holder = map(int, pid_file.read_text().split())
    assert _gone(own)
    try:
        assert not _ended(holder), "it was waited for"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder, signal.SIGKILL)


def test_a_process_left_in_the_group_ends_with_the_program(tmp_path: Path, scratch: Path) -> None:
    pid_file = tmp_path / "pids"
    body = HOLDER.format(apart=False, pid_file=str(pid_file)) + "pathlib.Path(case['output']).write_text('x')"
    assert program(tmp_path, body).generate(CASE, scratch).is_file()
    assert all(map(_gone, map(int, pid_file.read_text().split())))


def test_an_interrupt_ends_the_program_at_once(tmp_path: Path, scratch: Path) -> None:
    pid_file = tmp_path / "pids"
    generator = program(tmp_path, HOLDER.format(apart=False, pid_file=str(pid_file)) + "time.sleep(60)", 60.0)

    def interrupt() -> None:
        _pids(pid_file)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        generator.generate(CASE, scratch)
    thread.join()
    assert all(map(_gone, _pids(pid_file)))


def test_the_program_ends_with_a_worker_that_is_killed(tmp_path: Path, scratch: Path) -> None:
    pid_file = tmp_path / "pids"
    generator = program(tmp_path, HOLDER.format(apart=False, pid_file=str(pid_file)) + "time.sleep(60)")
    code = f"""
from pathlib import Path
from benchmarks.generators.program import ProgramGenerator
from eval.case import Case
ProgramGenerator({generator.arguments!r}).generate(Case("c1"), Path({str(scratch)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3]) as worker:
        pids = _pids(pid_file)
        worker.kill()
    assert all(map(_gone, pids))


def _pids(pid_file: Path) -> list[int]:
    """The two process ids that HOLDER writes, once they are there."""
    for _ in range(400):
        if pid_file.is_file() and len(pids := pid_file.read_text().split()) == 2:
            return [int(pid) for pid in pids]
        time.sleep(0.05)
    raise AssertionError("the program did not start")


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, scratch: Path) -> None:
    pid_file = tmp_path / "child.pid"
    body = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    with pytest.raises(RuntimeError, match="longer than 3 s"):
        program(tmp_path, body, time_limit_s=3.0).generate(CASE, scratch)
    assert _gone(int(pid_file.read_text()))


def _gone(pid: int) -> bool:
    for _ in range(100):
        if _ended(pid):
            return True
        time.sleep(0.05)
    return False


def _ended(pid: int) -> bool:
    """A process that nobody has asked for its exit status yet (a zombie) has ended too."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state.strip() or state.startswith("Z")


def test_specifications(tmp_path: Path) -> None:
    spec = GeneratorSpec.parse(f"mine=program:{sys.executable} -u x.py")
    assert (spec.name, spec.kind, spec.argument) == ("mine", "program", f"{sys.executable} -u x.py")
    (tmp_path / "x.py").write_text("")
    with contextlib.chdir(tmp_path):
        settled = GeneratorSpec.parse("mine=program:python3 x.py").argument
    assert settled.endswith(f" {tmp_path / 'x.py'}"), "a resumed sweep may be started in another folder"
    assert settled.startswith("/")
    assert GeneratorSpec.parse(f"folder:{tmp_path}/clips/").name == "clips"
    for text, complaint in (
        ("program:", "needs a command"),
        ("oracle:3", "takes no argument"),
        ("orcale", "did you mean 'oracle'"),
    ):
        with pytest.raises(ValueError, match=complaint):
            GeneratorSpec.parse(text)
    with pytest.raises(GeneratorError, match="not an executable"):
        GeneratorSpec("p", "program", "no-such-program-here").make(())
