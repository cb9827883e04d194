"""A program as a generator: what it is told, what it may answer, and how it fails."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
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
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


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
