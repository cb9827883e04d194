"""The reference model as a generator, on untrained weights: what it answers, and through real sweeps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.generator import KINDS, GeneratorSpec, NoClip, parse_generators
from benchmarks.generators.reference import ReferenceGenerator, nearest_form, one_thread
from benchmarks.store import Run
from benchmarks.suite import CaseModel, MetricModel, load_suite
from benchmarks.sweep import Options, changed_generators, run_sweep, start
from eval.case import Asked, Case
from eval.clip import Clip
from eval.errors import UserError
from moviegen.presets import tiny

HOME = Path(__file__).resolve().parents[3]
SMALL = Asked(width=32, height=32, fps=8.0, duration_s=0.5)


@pytest.fixture
def generator(shipped_untrained: Path) -> ReferenceGenerator:
    made = GeneratorSpec.parse("reference").make([])
    assert isinstance(made, ReferenceGenerator)
    return made


def test_cases_are_answered_by_prompt_and_seed(generator: ReferenceGenerator, tmp_path: Path) -> None:
    def answer(prompt: str, seed: int, **more: object) -> bytes:
        clip = generator.generate(Case("c", prompt=prompt, seed=seed, asked=SMALL, **more), tmp_path)  # type: ignore[arg-type]
        assert clip.frames_TCHW.shape == (4, 3, 32, 32)
        assert (clip.fps, clip.audio_CN) == (8.0, None)
        return clip.frames_TCHW.tobytes()

    first = answer("a dog", 0)
    assert answer("a dog", 0, truth={"scene": {"subject": "cat"}}) == first, "the truth is not looked at"
    assert len({first, answer("a dog", 1), answer("a cat", 0)}) == 3


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (Case("c", "edit", "make it snow"), "reference answers text-to-video, not edit"),
        (Case("c", "text-to-audio-video", "a dog"), "not text-to-audio-video"),
        (Case("c", prompt=""), "the prompt is empty"),
    ],
)
def test_what_it_cannot_answer_has_a_reason(
    generator: ReferenceGenerator, tmp_path: Path, case: Case, why: str
) -> None:
    with pytest.raises(NoClip, match=why):
        generator.generate(case, tmp_path)


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        (Asked(), (32, 64, 64, 8.0)),
        (Asked(64, 48, 8.0, 2.0), (16, 64, 48, 8.0)),
        (Asked(1280, 720, 24.0, 5.0), (40, 64, 64, 8.0)),
        (Asked(width=80, duration_s=600.0), (32, 80, 64, 8.0)),
    ],
)
def test_what_is_asked_is_made_where_it_can_be(asked: Asked, form: tuple[int, int, int, float]) -> None:
    found = nearest_form(tiny(), asked)
    assert (found.frames, found.width, found.height, found.fps) == form


def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_a_sweep_of_both_checkpoints(shipped_untrained: Path, tmp_path: Path) -> None:
    suite = _suite()
    specs = parse_generators(["reference,reference-early"])
    options = Options(executor="serial")
    folder = run_sweep(start(suite, specs, tmp_path, options, "r"), options).folder
    run = Run(folder)
    clips = run.clips()
    assert list(clips["status"]) == ["ok", "ok"]
    assert not clips["has_audio"].any()
    assert clips["clip_sha256"].nunique() == 2
    assert run.rows()["value"].notna().all()
    facts = {one.name: one.settings["fingerprint"] for one in run.manifest.generators}
    assert len(set(facts.values())) == 2
    assert changed_generators(run.manifest) == []


def _suite():  # type: ignore[no-untyped-def]
    smoke = load_suite("smoke")
    asked = smoke.asked.model_copy(update={"width": 32, "height": 32, "duration_s": 0.5})
    cases = (CaseModel(id="a", prompt="A dog runs through a park"),)
    metrics = (MetricModel(name="exposure"), MetricModel(name="asked_size"))
    return smoke.model_copy(update={"cases": cases, "metrics": metrics, "asked": asked})


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_weights_of_your_own_are_swept_from_anywhere(
    shipped_untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    if executor == "processes" and not list((HOME / "moviegen" / "weights").glob("tae-f8t4.safetensors")):
        pytest.skip("other processes see the shipped autoencoder only, and none is shipped")
    mine = tmp_path / "mine.safetensors"
    shutil.copy(shipped_untrained / "reference.safetensors", mine)
    monkeypatch.chdir(tmp_path)
    specs = parse_generators(["mine.safetensors=model:mine.safetensors"])
    monkeypatch.chdir("/")
    assert specs[0].argument == str(mine)
    options = Options(executor=executor, workers=1)  # type: ignore[arg-type]
    writer = start(_suite(), specs, tmp_path / "runs", options, "r")
    run_sweep(writer, options)
    run = Run(tmp_path / "runs" / "r")
    assert list(run.clips()["status"]) == ["ok"], run.clips()["reason"][0]
    shutil.copy(shipped_untrained / "reference-early.safetensors", mine)
    assert changed_generators(run.manifest) == ["mine.safetensors"]


def test_prompts_that_are_nothing_are_missing_rows(shipped_untrained: Path, tmp_path: Path) -> None:
    suite = _suite().model_copy(update={"cases": (CaseModel(id="a"), CaseModel(id="b", task="edit", prompt="x"))})
    options = Options(executor="serial")
    folder = run_sweep(start(suite, parse_generators(["reference"]), tmp_path, options, "r"), options).folder
    clips = Run(folder).clips()
    assert list(clips["status"]) == ["missing", "missing"]
    assert "the prompt is empty" in clips["reason"][0]
    assert "not edit" in clips["reason"][1]


def test_weights_that_are_not_there_yet_are_one_line_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moviegen.weights.FOLDER", tmp_path / "none")
    words = ["sweep", "smoke", "-g", "oracle,reference", "--runs", str(tmp_path / "runs"), "--limit", "1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "error: no shipped weights called 'reference': there are none; train one (moviegen train video), or name a "
        "file of yours"
    )
    assert not (tmp_path / "runs").exists()
    with pytest.raises(UserError, match="no such file"):
        GeneratorSpec.parse(f"model:{tmp_path / 'none.safetensors'}").make([])


def test_a_damaged_file_stops_a_sweep_before_it_begins(shipped_untrained: Path, tmp_path: Path) -> None:
    data = bytearray((shipped_untrained / "reference.safetensors").read_bytes())
    data[-50] ^= 1
    (tmp_path / "bad.safetensors").write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        GeneratorSpec.parse(f"model:{tmp_path / 'bad.safetensors'}").make([])


def test_the_list_of_generators_needs_no_torch() -> None:
    assert {"reference", "reference-early", "model"} <= set(KINDS.names())
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom benchmarks.cli import app\n"
        "listed = CliRunner().invoke(app, ['generators', 'list']).output\n"
        "assert 'reference-early' in listed and 'model:' in listed, listed\n"
        "helped = CliRunner().invoke(app, ['generate', '--help']).output\n"
        "assert '--guidance' in helped, helped\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_clips_are_clips(generator: ReferenceGenerator, tmp_path: Path) -> None:
    clip = generator.generate(Case("c", prompt="a red ball", asked=SMALL), tmp_path)
    assert isinstance(clip, Clip)
    assert clip.frames_TCHW.dtype == np.uint8
