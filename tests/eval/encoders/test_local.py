"""Weights as they lie in the user's folder: found, hashed again, or named with the command that mends them."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eval.encoders import local
from eval.encoders.folder import VARIABLE, weights_folder
from eval.encoders.local import find, pinned, state, verify
from eval.encoders.lock import Lock, LockError, PinnedFile, lock_path, read_lock
from eval.encoders.registry import ENCODERS, WeightFile
from eval.errors import UserError
from eval.feature import NotMeasurable

NAME = "musiq-spaq"
FILE = "model.safetensors"
DATA = b"tensors would be here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A weights folder into which `NAME` was pulled."""
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / FILE).write_bytes(DATA)
    pin = PinnedFile(sha256=hashlib.sha256(DATA).hexdigest(), bytes=len(DATA))
    lock = Lock(encoder=NAME, version=1, source="a test", licence="unrecorded", files={FILE: pin})
    lock_path(NAME, tmp_path).write_text(lock.model_dump_json())
    return tmp_path


def test_present_weights_are_found_with_their_hash(folder: Path) -> None:
    assert state(ENCODERS.get(NAME), folder) == "present"
    assert find(NAME, folder) == folder / NAME
    assert pinned(NAME, folder).files[FILE].sha256 == hashlib.sha256(DATA).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", pinned(NAME, folder).sha256)


@pytest.mark.parametrize("flag", [True, False])
def test_the_variable_names_the_folder_unless_the_flag_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, flag: bool
) -> None:
    monkeypatch.setenv(VARIABLE, str(folder / "elsewhere" if flag else folder))
    assert find(NAME, folder if flag else None) == folder / NAME
    assert weights_folder(folder if flag else None).named_by == ("--folder" if flag else VARIABLE)


def test_without_flag_and_variable_the_home_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_folder().path == tmp_path / ".moviegen" / "weights"


def test_missing_weights_are_not_measurable_and_the_command_is_named(tmp_path: Path) -> None:
    for one in ENCODERS.names():
        with pytest.raises(NotMeasurable, match=f"are missing: run `moviegen weights pull {one}`"):
            find(one, tmp_path)


def test_each_damage_has_its_name(folder: Path) -> None:
    encoder, path = ENCODERS.get(NAME), folder / NAME / FILE
    assert [check.state for check in verify(encoder, folder)] == ["ok"]
    path.write_bytes(DATA[:-1] + b"?")
    (check,) = verify(encoder, folder)
    assert check.state == "wrong hash"
    assert hashlib.sha256(DATA).hexdigest() in check.detail
    path.write_bytes(DATA[:5])
    (check,) = verify(encoder, folder)
    assert (check.state, check.detail) == ("truncated", f"5 of {len(DATA)} bytes")
    assert state(encoder, folder) == "incomplete"
    with pytest.raises(NotMeasurable, match="are incomplete"):
        find(NAME, folder)
    path.unlink()
    assert [check.state for check in verify(encoder, folder)] == ["missing"]
    assert state(encoder, folder) == "missing"


def test_weights_of_another_version_or_hash_than_the_registrys_are_outdated(folder: Path) -> None:
    encoder = ENCODERS.get(NAME)
    assert state(dataclasses.replace(encoder, version=2), folder) == "outdated"
    other = dataclasses.replace(encoder, files=(WeightFile(FILE, "0" * 64),))
    assert state(other, folder) == "outdated"
    assert [check.state for check in verify(other, folder)] == ["wrong hash"]
    more = dataclasses.replace(encoder, files=(*encoder.files, WeightFile("config.json")))
    assert state(more, folder) == "outdated"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 9999, '{"encoder": "x"}'],
    ids=["empty", "no-fields", "deep", "few-fields"],
)
def test_a_damaged_lock_is_one_line(folder: Path, text: str) -> None:
    lock_path(NAME, folder).write_text(text)
    assert state(ENCODERS.get(NAME), folder) == "damaged"
    with pytest.raises(LockError, match="damaged: delete it") as caught:
        read_lock(NAME, folder)
    assert "\n" not in str(caught.value)
    assert [check.state for check in verify(ENCODERS.get(NAME), folder)] == ["damaged"]
    with pytest.raises(NotMeasurable, match="are damaged"):
        find(NAME, folder)


def test_a_lock_cannot_point_outside_its_folder(folder: Path) -> None:
    path = lock_path(NAME, folder)
    path.write_text(path.read_text().replace(FILE, "../../secret"))
    with pytest.raises(LockError):
        read_lock(NAME, folder)


def test_every_encoder_says_what_a_user_must_know() -> None:
    wanted = {"clip-vit-b-32", "clip-vit-l-14", "dino-vit-b-16", "dinov2-vit-b-14", "videomae-vit-b", "vjepa2-vit-l",
              "xclip-b-32", "viclip-l", "i3d-k400", "musiq-spaq", "laion-aesthetic", "clap"}  # fmt: skip
    assert wanted <= set(ENCODERS.names())
    for encoder in ENCODERS:
        assert re.fullmatch(r"[\w-]+", encoder.name)
        assert encoder.purpose
        assert encoder.by_hand
        assert encoder.licence.note
        assert encoder.files
        assert (encoder.format == "transformers") == bool(encoder.model_type)
        pickles = {Path(file.name).suffix for file in encoder.files} & {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
        assert not pickles or encoder.format == "torchscript"
    assert not ENCODERS.get("buffalo_l").licence.commercial


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'clip-vit-b-32'"):
        ENCODERS.get("clip-vit-b32")


def test_finding_weights_needs_no_torch() -> None:
    code = "import sys, eval.encoders.local; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_evaluator_can_download_anything() -> None:
    network = re.compile(
        r"^\s*(?:import|from) (?:urllib|http|socket|requests|httpx|huggingface_hub)\b|torch\.hub", re.M
    )
    sources = sorted(Path(local.__file__).parents[1].rglob("*.py"))
    assert len(sources) > 30
    assert [path.name for path in sources if network.search(path.read_text(encoding="utf-8"))] == []
