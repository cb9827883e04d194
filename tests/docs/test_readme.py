"""The README's commands and code are run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.generator import GeneratorSpec
from benchmarks.suite import load_suite
from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import score_clip
from eval.video import write_clip

HOME = Path(__file__).resolve().parents[2]
README = (HOME / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.strip().splitlines()]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]
IN_VENV = Path(sys.prefix).resolve() == (HOME / ".venv").resolve()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder such as a reader of the README would sit in: some clips, a prompt list, the README's generator."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "clips").mkdir()
    cases = list(load_suite("smoke").expand())
    for case in cases[:3]:
        clip = GeneratorSpec.parse("oracle").make(cases).generate(case, folder)
        assert isinstance(clip, Clip)
        write_clip(clip, folder / "clips" / f"{case.id}.mp4")
    (folder / "prompts.txt").write_text("A dog runs through a park\nA red ball bounces\n")
    (folder / "my_generator.py").write_text(next(block for block in PYTHON if "my_generator.py" in block))
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a `moviegen` line with this interpreter, wherever the console script lies."""
    words = shlex.split(command)
    assert words[0] == "moviegen"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", *words[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOME), "PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_command_of_the_readme_works(desk: Path) -> None:
    assert len(COMMANDS) > 12
    printed = {}
    for command in COMMANDS:
        done = run(command, desk)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        printed[command] = done.stdout
    board = printed["moviegen leaderboard first"]
    assert board.index("oracle") < board.index("noise")
    assert (desk / "board.html").read_text().startswith("<!doctype html>")
    assert "3 of 8 matched" in run("moviegen sweep smoke -g mine=folder:clips/ --name again", desk).stderr


def test_the_metric_of_the_readme_registers_and_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    METRICS.names()
    monkeypatch.setattr(METRICS, "_parts", dict(METRICS._parts))
    exec(next(block for block in PYTHON if "brightest_moment" in block), {})
    frames = np.full((4, 3, 32, 32), 51, np.uint8)
    frames[2] = 204
    (score,) = score_clip(MemorySource(Clip(frames, 8.0)), [METRICS.get("brightest_moment")]).scores
    assert score.value == pytest.approx(0.8, abs=0.01)


def test_the_training_loop_of_the_readme_runs() -> None:
    import torch

    samples = torch.randint(0, 256, (2, 4, 3, 32, 32), dtype=torch.uint8)
    names: dict[str, object] = {"samples_BTCHW": samples}
    exec(next(block for block in PYTHON if "ClipMetric" in block), names)
    assert 0 < float(names["flicker"].compute()) < 1  # type: ignore[attr-defined]


@pytest.mark.skipif(not (IN_VENV and shutil.which("make")), reason="not running from the .venv that make sets up")
def test_make_sweep_sweeps(tmp_path: Path) -> None:
    command = ["make", "sweep", "SUITE=smoke", "GENERATORS=oracle,noise", f"RUNS={tmp_path}"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("oracle") < done.stdout.index("noise")


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "pandas", "av", "scipy", "numpy")
    code = f"import sys, benchmarks.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
