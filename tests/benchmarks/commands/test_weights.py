"""`moviegen weights`: exit statuses, streams, and JSON that is nothing but JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from eval.encoders.registry import ENCODERS, Licence

NAME = "musiq-spaq"
CONSENT = ("--accept-licence", ENCODERS.get(NAME).licence.name)
UNRECORDED = ("--accept-licence", "unrecorded")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published"
    path.mkdir()
    (path / "model.safetensors").write_bytes(save({"weight": np.ones(1000, np.float32)}))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["weights", *map(str, words)])


def test_a_user_pulls_lists_and_verifies(folder: Path, published: Path) -> None:
    result = run("where")
    assert (result.exit_code, result.stdout.strip()) == (0, str(folder))
    assert "MOVIEGEN_WEIGHTS; not made yet" in result.stderr
    assert "nothing was pulled" in run("verify").stdout
    result = run("pull", NAME, "--from", published, *CONSENT)
    assert result.exit_code == 0, result.output
    assert "taken on trust and pinned" in result.stdout
    assert "here already" in run("pull", NAME).stdout, "what is here needs neither source nor consent"
    assert run("verify").stdout == f"{NAME}/model.safetensors: ok\n"
    assert "present" in run("list", NAME).stdout
    (folder / NAME / "model.safetensors").write_bytes(b"")
    result = run("verify", NAME)
    assert (result.exit_code, result.stdout.split(": ")[1]) == (1, "truncated")
    assert f"run `moviegen weights pull {NAME}`" in result.stderr
    (found,) = json.loads(run("verify", "--json").stdout)["files"]
    assert (found["encoder"], found["state"]) == (NAME, "truncated")
    assert run("verify", "clap").exit_code == 1, "asked for, and never pulled"


def test_the_list_is_json_with_what_is_known_and_null_for_what_is_not(folder: Path, published: Path) -> None:
    run("pull", NAME, "--from", published, *CONSENT)
    document = json.loads(run("list", "--json").stdout)
    assert document["folder"] == str(folder)
    by_name = {one["name"]: one for one in document["encoders"]}
    assert list(by_name) == ENCODERS.names()
    mine, other = by_name[NAME], by_name["clip-vit-b-32"]
    assert (mine["state"], mine["pulled_from"], mine["files"][0]["known_by"]) == (
        "present",
        str(published),
        "first pull",
    )
    assert mine["bytes"] == (published / "model.safetensors").stat().st_size
    assert (other["state"], other["bytes"], other["files"][0]["sha256"]) == ("missing", None, None)
    assert by_name["buffalo_l"]["licence"] == "non-commercial"
    assert by_name["buffalo_l"]["commercial"] is False


def test_the_table_names_every_encoder_and_flags_licences(folder: Path) -> None:
    shown = run("list").stdout
    for name in ENCODERS.names():
        assert name in shown
    assert "! non-commercial" in " ".join(shown.split())
    assert "SHA-256 not known; the first pull pins it" in run("list", "i3d-k400").stdout
    (folder / f"{NAME}.lock.json").parent.mkdir()
    (folder / f"{NAME}.lock.json").write_text("{")
    assert "damaged" in run("list").stdout, "one damaged lock does not hide the others"
    result = run("verify")
    assert result.exit_code == 1
    assert f"{NAME}.lock.json: damaged" in result.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pull", "clip-vit-b32"), "did you mean 'clip-vit-b-32'"),
        (("verify", "clipp"), "did you mean 'clap'"),
        (("list", "i3d"), "did you mean 'i3d-k400'"),
        (("pull", "buffalo_l"), "--accept-licence non-commercial"),
        (("pull", "i3d-k400", *UNRECORDED), "--trust-code"),
        (("pull", "laion-aesthetic"), "is not recorded here: give --from"),
        (("pull", "clap", *UNRECORDED, "--from", "http://127.0.0.1:9"), "not reached"),
        (("pull", "clap", *UNRECORDED, "--from", "/no/such"), "there is no such folder"),
    ],
)
def test_a_mistake_is_one_line_and_two(folder: Path, words: tuple[str, ...], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 2, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert says in errors[0]
    assert not list(folder.glob("*"))


def test_a_recorded_source_needs_no_from(folder: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Licence("MIT", commercial=True, note="free")
    known = dataclasses.replace(ENCODERS.get(NAME), source=str(published), licence=free)
    monkeypatch.setitem(ENCODERS._parts, NAME, known)
    result = run("pull", NAME)
    assert result.exit_code == 0, result.output
    assert "licence: MIT" in result.stdout
