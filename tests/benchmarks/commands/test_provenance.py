"""`moviegen keys`, `generate --sign` and `audit provenance`, as a user types them."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from eval.clip import Clip
from eval.hashing import file_sha256
from eval.video import write_clip
from eval.video.remux import repeat_clip
from safety.provenance.claim import text_sha256
from safety.provenance.credentials import credentials
from safety.provenance.offline import read_anchors

DOG = "A dog runs through a park"
SHORT = ("--steps", "1", "--duration", "0.5", "--size", "32x32")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def one_line(result: Result) -> str:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "keys"
    result = run("keys", "make", folder, "--algorithm", "ed25519", "--name", "a studio")
    assert result.exit_code == 0, result.output
    assert f"moviegen generate … --sign {folder}" in result.stdout
    return folder


def test_a_key_is_made_shown_and_kept(keys: Path) -> None:
    assert stat.S_IMODE((keys / "key.pem").stat().st_mode) == 0o600
    result = run("keys", "show", keys)
    assert result.stdout.startswith(f"{keys}: CN=moviegen signer,O=a studio, ed25519, until 20")
    assert "there is a key already" in one_line(run("keys", "make", keys))
    assert "unknown algorithm 'rsa'" in one_line(run("keys", "make", keys.parent / "other", "--algorithm", "rsa"))


@pytest.mark.usefixtures("shipped_untrained")
def test_generated_clips_are_signed(keys: Path, tmp_path: Path, shipped_untrained: Path) -> None:
    path = tmp_path / "dog.mp4"
    result = run("generate", DOG, "-o", path, "--seed", 5, "--sign", keys, *SHORT)
    assert result.exit_code == 0, result.output
    assert "signed as generated, by CN=moviegen signer,O=a studio (until 20" in result.stdout
    found = credentials(path, read_anchors(keys / "root.pem"))
    assert (found.state, found.origin, found.model) == ("trusted", "generated", "reference")
    assert found.generation == {
        "model": "reference",
        "weights_sha256": file_sha256(shipped_untrained / "reference.safetensors"),
        "prompt_sha256": text_sha256(DOG),
        "seed": 5,
    }
    assert DOG.encode() not in path.read_bytes()
    run("generate", DOG, "-o", path, "--seed", 5, "--sign", keys, "--sign-prompt", *SHORT)
    assert credentials(path).generation["prompt"] == DOG


@pytest.mark.usefixtures("shipped_untrained")
def test_what_cannot_be_signed_is_said_before_anything_is_made(keys: Path, tmp_path: Path) -> None:
    webm = tmp_path / "dog.webm"
    assert "WebM cannot be signed" in one_line(run("generate", DOG, "-o", webm, "--sign", keys, *SHORT))
    mp4 = tmp_path / "dog.mp4"
    assert "no such folder of keys" in one_line(run("generate", DOG, "-o", mp4, "--sign", tmp_path / "no", *SHORT))
    assert "goes with --sign" in one_line(run("generate", DOG, "-o", mp4, "--sign-prompt", *SHORT))
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("shipped_untrained")
def test_keys_that_others_can_read_are_a_warning(keys: Path, tmp_path: Path) -> None:
    shared = Path(shutil.copytree(keys, tmp_path / "shared"))
    (shared / "key.pem").chmod(0o640)
    result = run("generate", DOG, "-o", tmp_path / "dog.mp4", "--sign", shared, *SHORT)
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "others can read or change this key" in result.stderr


@pytest.fixture
def clips(keys: Path, tmp_path: Path) -> Path:
    """A signed clip, the same repacked, and one in a container without a place for credentials."""
    from safety.provenance.claim import Claim
    from safety.provenance.keys import load_signing_key
    from safety.provenance.sign import sign_clip

    folder = tmp_path / "clips"
    folder.mkdir()
    frames = np.random.default_rng(0).integers(0, 256, (8, 3, 64, 64), dtype=np.uint8)
    write_clip(Clip(frames, 8.0), folder / "a.mp4")
    write_clip(Clip(frames, 8.0), folder / "c.webm")
    sign_clip(folder / "a.mp4", folder / "a.mp4", Claim("a"), load_signing_key(keys))
    repeat_clip(folder / "a.mp4", folder / "b.mp4", 1)
    return folder


def test_a_folder_is_audited(clips: Path, keys: Path, tmp_path: Path) -> None:
    table = tmp_path / "evidence.csv"
    table.write_text("file,mark\nb.mp4,present\n")
    report = tmp_path / "report"
    words = ("--anchors", keys / "root.pem", "--evidence", table, "--launder", "-o", report)
    result = run("audit", "provenance", clips, *words)
    assert result.exit_code == 0, result.output
    assert "trusted: 1 of 3 (33 %; 1 to 91 %)" in result.stdout
    assert "re-sign-insider" in result.stdout
    assert f"report: {report / 'report.html'}" in result.stdout.replace("\n", "")
    assert sorted(path.name for path in report.iterdir()) == ["figures.json", "provenance.parquet", "report.html"]
    figures = json.loads((report / "figures.json").read_text())
    verdicts = {clip["file"]: clip["verdict"] for clip in figures["clips"]}
    assert verdicts == {"a.mp4": "attested", "b.mp4": "lost", "c.webm": "unknown"}
    assert set(figures["laundering"]["skipped"]) == {"c.webm"}
    again = run("audit", "provenance", clips, *words, "--json")
    document = json.loads(again.stdout)
    assert document["states"] == figures["states"]
    assert document["laundering"]["chains"] == figures["laundering"]["chains"]


def test_mistakes_are_one_line(clips: Path, keys: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    (tmp_path / "empty").mkdir()
    for words, said in [
        ((tmp_path / "nowhere",), "there is no such folder"),
        ((tmp_path / "empty",), "no clips in this folder"),
        ((clips, "--anchors", keys / "key.pem"), "holds a private key"),
        ((clips, "--evidence", tmp_path / "no.csv"), "not readable as CSV"),
    ]:
        assert said in one_line(run("audit", "provenance", *words, "-o", report, "--json"))
