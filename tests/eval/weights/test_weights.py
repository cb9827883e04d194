import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from eval.hashing import file_sha256
from eval.weights import Header, WeightsError, fill, load_weights, read_header, save_weights, shipped
from moviegen.networks.tae import TAE, preset
from moviegen.weights.tae import load_tae


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tae.safetensors"
    save_weights(path, TAE(preset("f8t4")).state_dict(), Header("tae", "f8t4"), {"steps": 0})
    return path


def test_weights_come_back_as_they_were_with_their_hash_in_the_card(saved: Path) -> None:
    torch.manual_seed(0)
    wanted = TAE(preset("f8t4")).state_dict()
    found = load_tae(saved).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())
    card = json.loads(saved.with_suffix(".json").read_text())
    assert card["sha256"] == file_sha256(saved)
    assert (card["kind"], card["preset"], card["steps"]) == ("tae", "f8t4", 0)


def test_details_come_back_and_can_be_read_without_the_tensors(tmp_path: Path) -> None:
    path, words = tmp_path / "words.safetensors", {"words": ["dog", "cat"], "count": 2}
    save_weights(path, {"x": torch.zeros(2)}, Header("reader", "one", words), {})
    for header in (load_weights(path, kind="reader")[1], read_header(path, kind="reader")):
        assert header == Header("reader", "one", words)
    assert "words" not in json.loads(path.with_suffix(".json").read_text()), "they are in the file itself"
    path.write_bytes(path.read_bytes().replace(b"dog", b"dot"))
    for read in (load_weights, read_header):
        with pytest.raises(WeightsError, match="details do not match their hash"):
            read(path, kind="reader")


def refused(path: Path, **needed: str) -> str:
    with pytest.raises(WeightsError) as caught:
        load_tae(path, **needed)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    return line


def test_another_preset_kind_or_network_is_refused(saved: Path, tmp_path: Path) -> None:
    assert "holds preset 'f8t4', not 'f8t8'" in refused(saved, name="f8t8")
    other = tmp_path / "video.safetensors"
    save_weights(other, {"x": torch.zeros(2)}, Header("video", "tiny"), {})
    assert "kind 'video'; 'tae' is needed" in refused(other)
    save_weights(other, {"x": torch.zeros(2)}, Header("tae", "f8t4"), {})
    assert "does not fit" in refused(other)
    save_weights(other, {"x": torch.zeros(2)}, Header("tae", "f9t9"), {})
    assert "unknown autoencoder preset" in refused(other)


def test_damage_is_found_wherever_it_is(saved: Path) -> None:
    whole = saved.read_bytes()
    for at in (len(whole) // 2, len(whole) - 3):
        saved.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert "damaged" in refused(saved)
    for part in (whole[: len(whole) // 2], whole[:5], b""):
        saved.write_bytes(part)
        assert "damaged" in refused(saved)


def test_pickles_are_refused_and_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in ("model.ckpt", "model.safetensors"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Trap()))
        assert "pickled checkpoints are not read" in refused(path)
        torch.save({"weight": torch.zeros(2)}, path)
        assert "pickled checkpoints are not read" in refused(path)
    assert not (tmp_path / "sprung").exists()


def test_strangers_files_and_missing_ones_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "theirs.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    assert "not weights of ours" in refused(path)
    assert "no such file" in refused(tmp_path / "absent.safetensors")
    with pytest.raises(WeightsError, match="no shipped weights called 'tae-f9'"):
        shipped("tae-f9")


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    layer, path = torch.nn.Linear(2, 2), tmp_path / "layer.safetensors"
    tensors = {name: torch.full_like(tensor, float("nan")) for name, tensor in layer.state_dict().items()}
    save_weights(path, tensors, Header("layer", "one"), {})
    with pytest.raises(WeightsError, match="not finite"):
        fill(layer, load_weights(path, kind="layer")[0], path)
