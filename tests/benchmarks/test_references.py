"""Reference files: found beside the suite and nowhere else, part of its hash, and kept with the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.generator import parse_generators
from benchmarks.generators.brackets import BracketGenerator
from benchmarks.references import REFERENCES
from benchmarks.store import Run, RunWriter, StoreError
from benchmarks.suite import CaseModel, MetricModel, Suite, SuiteError, load_suite, parse_suite, write_suite
from benchmarks.sweep import Options, run_sweep, start
from eval.clip import Clip

SERIAL = Options(executor="serial")


def draw(path: Path, grey: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), grey, np.uint8))
    return path


def suite_with(folder: Path, **references: str) -> Path:
    """A suite of two scenes, the first with these references."""
    smoke = load_suite("smoke")
    first = smoke.cases[0].model_copy(update={"references": references})
    metrics = (MetricModel(name="asked_fps"),)
    suite = smoke.model_copy(update={"cases": (first, smoke.cases[1]), "metrics": metrics, "reference": None})
    write_suite(suite, folder / "s.yaml")
    return folder / "s.yaml"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    draw(tmp_path / "suite" / "portraits" / "a.png")
    return suite_with(tmp_path / "suite", portrait="portraits/a.png")


def begun(suite: Path, root: Path, name: str = "r", options: Options = SERIAL) -> RunWriter:
    return start(load_suite(str(suite)), parse_generators(["oracle"]), root, options, name, suite_folder=suite.parent)


def test_a_suites_hash_follows_its_files(suite: Path) -> None:
    before = load_suite(str(suite))
    assert list(before.reference_files) == ["portraits/a.png"]
    assert load_suite(str(suite)).sha256 == before.sha256
    draw(suite.parent / "portraits" / "a.png", grey=101)
    assert load_suite(str(suite)).sha256 != before.sha256
    assert "reference_files" not in suite.read_text()


def test_cases_find_their_files_wherever_they_lie(suite: Path) -> None:
    loaded = load_suite(str(suite))
    assert [case.references for case in loaded.expand()] == [{"portrait": "portraits/a.png"}, {}]
    (portrait, *_) = (case.portraits["portrait"] for case in loaded.expand(suite.parent) if case.portraits)
    assert Path(portrait).is_file()


@pytest.mark.parametrize(
    "path", ["../a.png", "/etc/hostname", "", "a/../../b.png", "..\\a.png", "C:/a.png", "file:///a.png", "a\0.png"]
)
def test_paths_out_of_the_suites_folder_are_refused_in_stored_runs_too(path: str) -> None:
    content = {
        "name": "s",
        "version": 1,
        "metrics": [{"name": "asked_fps"}],
        "cases": [{"id": "a", "references": {"portrait": path}}],
    }
    with pytest.raises(SuiteError, match=r"cases\[0\].references.portrait: .* below the suite's folder"):
        parse_suite(content, "s.yaml")
    with pytest.raises(ValueError, match="below the suite's folder"):
        Suite.model_validate(content, context={"stored": True})


def test_every_file_that_cannot_be_used_is_a_line(tmp_path: Path) -> None:
    draw(tmp_path / "outside.png")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "link.png").symlink_to(tmp_path / "outside.png")
    path = suite_with(tmp_path / "suite", portrait_a="link.png", portrait_b="none.png")
    with pytest.raises(SuiteError) as caught:
        load_suite(str(path))
    lines = str(caught.value).splitlines()
    assert lines[0] == "s.yaml: cases[0].references.portrait_a: 'link.png' leads out of the suite's folder"
    assert lines[1].startswith("s.yaml: cases[0].references.portrait_b: 'none.png' is not there")
    assert len(lines) == 2


def test_a_run_keeps_its_files_and_goes_on_without_the_suite(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    answer = BracketGenerator.generate

    def generate(self: BracketGenerator, case, folder: Path) -> Clip:
        seen.extend(Path(path) for path in case.portraits.values())
        return answer(self, case, folder)

    monkeypatch.setattr(BracketGenerator, "generate", generate)
    begun(suite, tmp_path / "runs").close()
    shutil.rmtree(suite.parent)
    moved = shutil.move(tmp_path / "runs" / "r", tmp_path / "elsewhere")
    folder = run_sweep(RunWriter(Path(moved)), SERIAL).folder
    assert seen == [folder / REFERENCES / "portraits" / "a.png"]
    assert seen[0].is_file()
    assert set(Run(folder).rows()["status"]) == {"ok"}


@pytest.mark.parametrize(("spoil", "words"), [(Path.unlink, "is missing"), (lambda p: draw(p, 3), "was changed")])
def test_a_run_whose_files_changed_does_not_go_on(suite: Path, tmp_path: Path, spoil, words: str) -> None:
    writer = begun(suite, tmp_path / "runs")
    spoil(writer.folder / REFERENCES / "portraits" / "a.png")
    with pytest.raises(StoreError, match=f"references/portraits/a.png {words}: start a new run"):
        run_sweep(writer, SERIAL)


def test_clips_are_reused_for_the_same_portrait_only(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer = BracketGenerator.generate
    monkeypatch.setattr(
        BracketGenerator, "generate", lambda self, case, folder: asked.append(case.id) or answer(self, case, folder)
    )
    root = tmp_path / "runs"
    run_sweep(begun(suite, root, "first"), SERIAL)
    assert len(asked) == 2
    again = Options(executor="serial", reuse=Run(root / "first"))
    run_sweep(begun(suite, root, "same", again), again)
    assert len(asked) == 2
    draw(suite.parent / "portraits" / "a.png", grey=7)
    run_sweep(begun(suite, root, "changed", again), again)
    assert len(asked) == 4  # a bracket's clips serve only an unchanged list of cases


def test_the_command_line_checks_sweeps_and_tries_such_suites(suite: Path, tmp_path: Path) -> None:
    def call(*words: str | Path) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "2 cases" in call("suites", "check", suite)
    call(
        "sweep",
        suite,
        "-g",
        "oracle",
        "--runs",
        tmp_path / "runs",
        "--name",
        "few",
        "--limit",
        "1",
        "--executor",
        "serial",
    )
    call("sweep", suite, "-g", "oracle", "--runs", tmp_path / "runs", "--name", "r", "--executor", "serial")
    assert (tmp_path / "runs" / "r" / REFERENCES / "portraits" / "a.png").is_file()
    call("generators", "check", "oracle", "--suite", suite)


def test_suites_without_references_keep_their_hash_and_their_runs_have_no_folder(tmp_path: Path) -> None:
    suite = Suite(name="s", version=1, metrics=(MetricModel(name="asked_fps"),), cases=load_suite("smoke").cases[:1])
    assert "reference_files" not in suite.model_dump(mode="json")
    writer = start(suite, parse_generators(["oracle"]), tmp_path, SERIAL, "r")
    writer.close()
    assert not (writer.folder / REFERENCES).exists()
    assert CaseModel(id="a").references == {}
