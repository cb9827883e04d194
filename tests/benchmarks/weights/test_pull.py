"""Pulling: from a folder, an address and a hub; whatever goes wrong, one line, and the weights folder as it was."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

import benchmarks.weights.fetch
from benchmarks.weights.errors import PullError
from benchmarks.weights.pull import check_consent, is_whole, pull
from benchmarks.weights.source import place_of
from eval.encoders.local import find, state, verify
from eval.encoders.lock import Lock, lock_path
from eval.encoders.registry import ENCODERS, Encoder, WeightFile

CLIP = ENCODERS.get("clip-vit-b-32")
FILES = {"config.json", "model.safetensors", "tokenizer.json"}


@contextmanager
def unwatched(name: str, length: int | None) -> Iterator[Callable[[int], None]]:
    yield lambda done: None


def pulled(source: str | Path, folder: Path, encoder: Encoder = CLIP, hub: str = "https://hub.invalid") -> Lock:
    return pull(encoder, place_of(str(source), encoder, hub), folder, unwatched)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(source: str | Path, folder: Path, encoder: Encoder = CLIP) -> str:
    """The one line of a refusal, after a look that nothing changed and nothing was left behind."""
    before = tree(folder)
    with pytest.raises(PullError) as caught:
        pulled(source, folder, encoder)
    assert tree(folder) == before
    assert not list(folder.glob(".tmp-*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def with_hash(sha256: str, name: str = "model.safetensors", size: int | None = None) -> Encoder:
    files = tuple(WeightFile(name, sha256, size) if file.name == name else file for file in CLIP.files)
    return dataclasses.replace(CLIP, files=files)


@pytest.mark.parametrize("way", ["folder", "address", "redirected", "no-length", "hub"])
def test_weights_come_whole_from_everywhere(way: str, published: Path, server: str, folder: Path) -> None:
    sources: dict[str, tuple[str, str]] = {
        "folder": (str(published), ""),
        "address": (f"{server}/good/", ""),
        "redirected": (f"{server}/moved", ""),
        "no-length": (f"{server}/endless", ""),
        "hub": ("hub:somebody/clip@v1.0", f"{server}/"),
    }
    source, hub = sources[way]
    lock = pulled(source, folder, hub=hub)
    assert set(lock.files) == FILES, "the card and the pickle stay where they are"
    assert {path.name for path in (folder / CLIP.name).iterdir()} == FILES
    assert find(CLIP.name, folder) == folder / CLIP.name
    for name in FILES:
        data = (published / name).read_bytes()
        assert (folder / CLIP.name / name).read_bytes() == data
        assert lock.files[name].sha256 == hashlib.sha256(data).hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == [CLIP.name, f"{CLIP.name}.lock.json"]
    assert is_whole(CLIP, folder)
    if way == "hub":
        assert lock.source == f"{server}/somebody/clip/resolve/v1.0"


def test_a_recorded_hash_is_kept_to(published: Path, folder: Path) -> None:
    right = hashlib.sha256((published / "model.safetensors").read_bytes()).hexdigest()
    said = refused(published, folder, with_hash("0" * 64))
    assert f"wrong hash: model.safetensors from {published} has {right}, and {'0' * 64} is recorded" in said
    assert state(CLIP, folder) == "missing"
    assert pulled(published, folder, with_hash(right)).files["model.safetensors"].sha256 == right


def test_the_first_pull_pins_what_came(published: Path, folder: Path) -> None:
    pulled(published, folder)
    (published / "model.safetensors").write_bytes(save({"weight": np.zeros(500_000, np.float32)}))
    assert "the first pull pinned" in refused(published, folder)
    shutil.rmtree(folder / CLIP.name)
    assert "the first pull pinned" in refused(published, folder), "who deletes the weights keeps their pins"
    lock_path(CLIP.name, folder).unlink()
    pulled(published, folder)
    assert is_whole(CLIP, folder)


def test_a_newer_version_replaces_an_older(published: Path, folder: Path) -> None:
    pulled(published, folder)
    (published / "model.safetensors").write_bytes(save({"weight": np.zeros(3, np.float32)}))
    newer = dataclasses.replace(CLIP, version=2)
    assert state(newer, folder) == "outdated"
    pulled(published, folder, newer)
    assert is_whole(newer, folder)
    assert sorted(path.name for path in folder.iterdir()) == [CLIP.name, f"{CLIP.name}.lock.json"]


def test_damage_is_mended_by_pulling_again(published: Path, folder: Path) -> None:
    pulled(published, folder)
    (folder / CLIP.name / "model.safetensors").write_bytes(b"short")
    assert not is_whole(CLIP, folder)
    assert "truncated" in {check.state for check in verify(CLIP, folder)}
    pulled(published, folder)
    assert is_whole(CLIP, folder)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("short", "cut short"),
        ("404", "no such file"),
        ("403", "no permission"),
        ("401", "no permission"),
        ("429", "too many requests"),
        ("500", "answered 500"),
    ],
)
def test_a_bad_server_is_one_line(path: str, says: str, server: str, folder: Path) -> None:
    folder.mkdir()
    assert says in refused(f"{server}/{path}", folder)


def test_a_server_that_is_not_there_is_one_line(folder: Path) -> None:
    folder.mkdir()
    assert "not reached" in refused("http://127.0.0.1:9/x", folder)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("http://example.org/x", "only https://"),
        ("ftp://example.org/x", "only https://"),
        ("file:///etc", "only https://"),
        ("https://[::1", "not an address"),
        ("https://me:secret@example.org/x", "logins in an address"),
        ("hub:justaname", "not hub:OWNER/NAME"),
        ("no/such/folder", "there is no such folder"),
    ],
)
def test_a_source_that_cannot_be_used_is_one_line(source: str, says: str, folder: Path) -> None:
    folder.mkdir()
    said = refused(source, folder)
    assert says in said
    assert "secret" not in said


def test_secrets_in_an_address_are_neither_shown_nor_kept(server: str, folder: Path) -> None:
    lock = pulled(f"{server}/good?token=secret", folder)
    assert "secret" not in lock_path(CLIP.name, folder).read_text()
    assert lock.source == f"{server}/good"
    assert "secret" not in refused(f"{server}/404?token=secret", folder)


def test_a_truncated_file_is_refused_by_its_recorded_size_and_by_its_content(published: Path, folder: Path) -> None:
    folder.mkdir()
    path = published / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert "not safetensors, or damaged" in refused(published, folder)
    sized = with_hash(hashlib.sha256(whole).hexdigest(), size=len(whole))
    assert f"cut short, {len(whole) - 9} of {len(whole)} bytes" in refused(published, folder, sized)
    path.write_bytes(whole + b"more")
    assert f"longer than the {len(whole)} bytes" in refused(published, folder, sized)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("model.safetensors", b"\x80\x02}q\x00.", "not safetensors"),
        ("model.safetensors", b"<html>log in</html>", "not safetensors"),
        ("model.safetensors", save({}), "holds no tensors"),
        ("tokenizer.json", b"<html>", "not JSON"),
        ("config.json", b'{"model_type": "dinov2"}', "weights of another network: model_type is 'dinov2'"),
        ("config.json", b"[]", "model_type is None"),
    ],
)
def test_files_are_what_their_names_say(name: str, data: bytes, says: str, published: Path, folder: Path) -> None:
    folder.mkdir()
    (published / name).write_bytes(data)
    assert says in refused(published, folder)


def test_pickled_weights_alone_are_refused(published: Path, folder: Path) -> None:
    folder.mkdir()
    (published / "model.safetensors").unlink()
    said = refused(published, folder)
    assert "pytorch_model.bin, a pickle, which may run code" in said
    assert "safetensors" in said


def test_a_file_where_a_folder_is_needed_is_one_line(published: Path, folder: Path) -> None:
    folder.mkdir()
    assert "give the folder" in refused(published / "model.safetensors", folder)


def test_an_interrupted_pull_leaves_nothing(published: Path, folder: Path) -> None:
    @contextmanager
    def interrupted(name: str, length: int | None) -> Iterator[Callable[[int], None]]:
        def report(done: int) -> None:
            if name == "model.safetensors":
                raise KeyboardInterrupt

        yield report

    with pytest.raises(KeyboardInterrupt):
        pull(CLIP, place_of(str(published), CLIP), folder, interrupted)
    assert list(folder.iterdir()) == []
    pulled(published, folder)
    before = tree(folder)
    with pytest.raises(KeyboardInterrupt):
        pull(CLIP, place_of(str(published), CLIP), folder, interrupted)
    assert tree(folder) == before


@pytest.mark.parametrize("pulled_before", [False, True])
def test_a_failure_at_the_last_step_puts_everything_back(
    published: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, pulled_before: bool
) -> None:
    folder.mkdir()
    if pulled_before:
        pulled(published, folder)
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    assert "the disk is full" in refused(published, folder)


def test_a_full_disk_is_one_line_before_and_while_writing(
    published: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(benchmarks.weights.fetch.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    assert "the disk has less" in refused(published, folder)
    monkeypatch.undo()

    @contextmanager
    def full(name: str, length: int | None) -> Iterator[Callable[[int], None]]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield

    with pytest.raises(PullError, match="the disk is full: free some space"):
        pull(CLIP, place_of(str(published), CLIP), folder, full)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_one_line(published: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PullError, match="Not a directory"):
        pulled(published, tmp_path / "file" / "weights")
    with pytest.raises(PullError, match=r"no permission|Read-only|No such file"):
        pulled(published, Path("/proc/weights"))


I3D = ENCODERS.get("i3d-k400")


def test_a_torchscript_file_is_taken_under_any_name_and_a_pickle_is_not(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    script, pickled = tmp_path / "fvd.pt", tmp_path / "checkpoint.pt"
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), script)
    torch.save({"weight": torch.zeros(2)}, pickled)
    assert "not a TorchScript file" in refused(pickled, folder, I3D)
    assert set(pulled(script, folder, I3D).files) == {"i3d_torchscript.pt"}
    assert (folder / "i3d-k400" / "i3d_torchscript.pt").read_bytes() == script.read_bytes()


def test_programs_of_unknown_hash_and_doubtful_licences_need_consent() -> None:
    free = dataclasses.replace(I3D.licence, commercial=True)
    program = dataclasses.replace(I3D, licence=free)
    with pytest.raises(PullError, match=r"a program that runs when it is loaded.*--trust-code"):
        check_consent(program, "", trust_code=False)
    check_consent(program, "", trust_code=True)
    known = dataclasses.replace(program, files=(WeightFile("i3d_torchscript.pt", "0" * 64),))
    check_consent(known, "", trust_code=False)
    pack = ENCODERS.get("buffalo_l")
    for wrong in ("", "MIT"):
        with pytest.raises(PullError, match=r"for research only.*--accept-licence non-commercial"):
            check_consent(pack, wrong, trust_code=False)
    check_consent(pack, "Non-Commercial", trust_code=False)
    check_consent(dataclasses.replace(CLIP, licence=free), "", trust_code=False)


def test_a_pack_is_all_its_onnx_files_and_stays_so(tmp_path: Path, folder: Path) -> None:
    pack, encoder = tmp_path / "buffalo_l", ENCODERS.get("buffalo_l")
    pack.mkdir()
    for name in ("det.onnx", "rec.onnx", ".hidden.onnx", "notes.txt"):
        (pack / name).write_bytes(b"\x08\x07graph " + name.encode())
    assert set(pulled(pack, folder, encoder).files) == {"det.onnx", "rec.onnx"}
    assert is_whole(encoder, folder)
    (pack / "rec.onnx").unlink()
    assert "lacks rec.onnx" in refused(pack, folder, encoder)
    (pack / "rec.onnx").write_bytes(b"\x80\x02pickle")
    lock_path("buffalo_l", folder).unlink()
    assert "a pickle" in refused(pack, folder, encoder)
    assert "not recorded: --from a folder" in refused("https://example.org/x", folder, encoder)
