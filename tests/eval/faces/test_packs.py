"""Packs: the shipped one through insightface, and what is said where there is none."""

from __future__ import annotations

import json
import shutil
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

import eval.faces.packs as packs
from eval.faces.det_size import DetSizes
from eval.faces.pack import MOST_FACES, Cut, FacePack, Faces, providers
from eval.faces.packs import CARD, PACKS, SHIPPED, load_pack, open_pack, weights_sha256
from eval.feature import NotMeasurable
from eval.weights import FOLDER

Pictures = npt.NDArray[np.uint8]
Somebody = Callable[..., Pictures]


@pytest.fixture(scope="module")
def pack() -> FacePack:
    return open_pack(SHIPPED)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("somebody asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_finds_and_describes_as_insightface_does_alone(pack: FacePack, somebody: Somebody) -> None:
    from insightface.app import FaceAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # insightface's own alignment warns at every face
        app = FaceAnalysis(name=str(FOLDER / SHIPPED), providers=["CPUExecutionProvider"])
        app.prepare(ctx_id=-1, det_thresh=pack.spec.threshold, det_size=(128, 128))
        picture = somebody(5, frames=1)[0]
        (theirs,) = app.get(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        tones = app.models["attribute_10"].get(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), theirs)
    faces = pack.find(picture)
    np.testing.assert_allclose(faces.boxes_N4[0], theirs.bbox, atol=0.01)
    np.testing.assert_allclose(faces.points_N52[0], theirs.kps, atol=0.01)
    ours = pack.describe(Cut.of(picture, faces))
    assert float(ours.embeddings_ND[0] @ theirs.normed_embedding) > 0.999
    assert (ours.masculine_N[0] > 0.5) == bool(theirs.gender)
    assert ours.ages_N[0] == pytest.approx(theirs.age, abs=1)
    assert ours.tones_NK[0].argmax() == tones.argmax()
    assert ours.tones_NK[0].sum() == pytest.approx(1, abs=1e-5)


def test_many_faces_are_described_as_each_alone(pack: FacePack, crowd: Callable[[int, int], Pictures]) -> None:
    picture = crowd(3, 2)
    faces = pack.find(picture)
    assert len(faces) == 6
    together = pack.describe(Cut.of(picture, faces))
    for k in range(len(faces)):
        alone = pack.describe(Cut.of(picture, faces.take([k])))
        np.testing.assert_allclose(together.embeddings_ND[k], alone.embeddings_ND[0], atol=1e-4)
        np.testing.assert_allclose(together.tones_NK[k], alone.tones_NK[0], atol=1e-4)


def test_neither_network_nor_warnings(pack: FacePack, no_network: None, somebody: Somebody) -> None:
    again = load_pack(FOLDER / SHIPPED, PACKS[SHIPPED])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = somebody(5, frames=1)[0]
        assert len(again.describe(Cut.of(picture, again.find(picture))).embeddings_ND) == 1


def test_landmarks_in_one_place_give_no_embedding_and_no_error(pack: FacePack, somebody: Somebody) -> None:
    picture = somebody(5, frames=1)[0]
    box = np.array([[10, 10, 40, 40]], np.float32)
    for points in (np.full((1, 5, 2), 20, np.float32), np.full((1, 5, 2), np.nan, np.float32)):
        cut = Cut.of(picture, Faces(box, np.ones(1, np.float32), points))
        assert not cut.aligned_N.any()
        said = pack.describe(cut)
        assert np.isnan(said.embeddings_ND).all()
        assert np.isfinite(said.tones_NK).all()


@pytest.mark.parametrize("size", [(3000, 2400), (200, 160), (64, 80)])
def test_a_face_is_found_at_any_size(pack: FacePack, size: tuple[int, int], somebody: Somebody) -> None:
    picture = somebody(5, frames=1)[0]
    stretched = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    (box,) = pack.find(picture).boxes_N4
    (same,) = pack.find(stretched).boxes_N4
    scale = np.array(size * 2) / 64
    np.testing.assert_allclose(same / scale, box, atol=4)


@pytest.mark.parametrize("size", [(900, 20), (8, 8), (700, 6), (6, 700), (1, 1)])
def test_pictures_too_small_for_a_face_raise_nothing(pack: FacePack, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    found = pack.find(noise)
    assert len(pack.describe(Cut.of(noise, found)).embeddings_ND) == len(found) <= MOST_FACES


def test_no_face_is_found_where_nobody_is(pack: FacePack, nobody: Pictures) -> None:
    for picture in (nobody[0], np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)):
        found = pack.find(picture)
        assert len(found) == 0
        assert pack.describe(Cut.of(picture, found)).embeddings_ND.shape == (0, pack.spec.dimensions)


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((64, 64), [(128, 128)]),
        ((112, 64), [(224, 128)]),
        ((256, 256), [(256, 256)]),
        ((853, 480), [(640, 384), (256, 128)]),
        ((480, 853), [(384, 640), (128, 256)]),
        ((130, 130), [(160, 160)]),
        ((8192, 8), []),
    ],
)
def test_sizes_that_the_detector_sees(size: tuple[int, int], seen: list[tuple[int, int]]) -> None:
    assert list(DetSizes(128, 640).of(*size)) == seen


def test_a_crowd_keeps_its_small_faces_beside_a_large_one(
    pack: FacePack, somebody: Somebody, crowd: Callable[[int, int], Pictures]
) -> None:
    large = np.asarray(cv2.resize(somebody(5, frames=1)[0], (480, 480), interpolation=cv2.INTER_LINEAR), np.uint8)
    both = np.concatenate([large, np.asarray(cv2.resize(crowd(2, 4), (240, 480)), np.uint8)], axis=1)
    found = pack.find(both)
    assert len(found) == 9
    assert (np.sort(found.sizes())[-2:] > [50, 240]).all()


def test_a_pack_that_nobody_pulled_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path))
    with pytest.raises(NotMeasurable, match="moviegen weights pull buffalo_l"):
        open_pack("buffalo_l")
    assert weights_sha256("buffalo_l") == ""


def test_a_folder_without_networks_is_one_line(tmp_path: Path, no_network: None) -> None:
    with pytest.raises(NotMeasurable, match="no ONNX file"):
        load_pack(tmp_path, PACKS[SHIPPED])


@pytest.mark.parametrize("file", ["detector.onnx", "recogniser.onnx"])
def test_a_pack_that_lacks_what_it_needs_is_one_line(tmp_path: Path, file: str, no_network: None) -> None:
    for path in (FOLDER / SHIPPED).glob("*.onnx"):
        if path.name != file:
            shutil.copy(path, tmp_path)
    with pytest.raises(NotMeasurable) as caught:
        load_pack(tmp_path, PACKS[SHIPPED])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_network_is_one_line(tmp_path: Path, no_network: None) -> None:
    shutil.copytree(FOLDER / SHIPPED, tmp_path / "pack")
    (tmp_path / "pack" / "recogniser.onnx").write_bytes(b"not a network")
    with pytest.raises(NotMeasurable, match="cannot be used") as caught:
        load_pack(tmp_path / "pack", PACKS[SHIPPED])
    assert "\n" not in str(caught.value)


def test_a_shipped_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER / SHIPPED, tmp_path / SHIPPED)
    card = json.loads((tmp_path / SHIPPED / CARD).read_bytes())
    card["files"]["tone.onnx"]["sha256"] = "0" * 64
    (tmp_path / SHIPPED / CARD).write_text(json.dumps(card))
    monkeypatch.setattr(packs, "FOLDER", tmp_path)
    with pytest.raises(NotMeasurable, match=r"tone\.onnx is not the file"):
        packs._folder(SHIPPED)
    shutil.rmtree(tmp_path / SHIPPED)
    with pytest.raises(NotMeasurable, match="moviegen train faces"):
        packs._folder(SHIPPED)


def test_a_pack_without_attributes_leaves_them_unknown(tmp_path: Path, pack: FacePack, somebody: Somebody) -> None:
    for name in ("detector.onnx", "recogniser.onnx"):
        shutil.copy(FOLDER / SHIPPED / name, tmp_path)
    bare = load_pack(tmp_path, PACKS[SHIPPED])
    picture = somebody(5, frames=1)[0]
    said = bare.describe(Cut.of(picture, bare.find(picture)))
    whole = pack.describe(Cut.of(picture, pack.find(picture)))
    np.testing.assert_array_equal(said.embeddings_ND, whole.embeddings_ND)
    assert np.isnan(said.tones_NK).all()
    assert np.isnan(said.masculine_N).all()
    assert np.isnan(said.ages_N).all()


def test_the_users_choice_of_the_processor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setenv("MOVIEGEN_DEVICE", "cpu")
    assert providers(both) == ["CPUExecutionProvider"]
    assert providers(["CPUExecutionProvider"]) == ["CPUExecutionProvider"]
    monkeypatch.setattr("eval.encoders.device.device", lambda: torch.device("cuda:1"))
    assert providers(both) == [("CUDAExecutionProvider", {"device_id": 1}), "CPUExecutionProvider"]
