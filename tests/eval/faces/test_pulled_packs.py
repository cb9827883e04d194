"""A pack that the user pulled: found, hashed, opened, and as a feature beside the shipped one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.clip import Clip, MemorySource
from eval.encoders.lock import Lock, PinnedFile, lock_path
from eval.faces import packs
from eval.faces.packs import open_pack, weights_sha256
from eval.faces.tracks import read_tracks
from eval.feature import FEATURES, NotMeasurable
from eval.hashing import file_sha256
from eval.metric import Metric, MetricSpec
from eval.planner import score_clip
from moviegen.networks.faces import Attributes, Detector, Recogniser
from moviegen.training.faces_export import Networks, write_networks

NAME = "buffalo_l"


class Sees(Detector):
    """A detector without training that calls the middle of any picture a face."""

    def levels(self, pictures_BCHW: torch.Tensor) -> list:
        found = super().levels(pictures_BCHW)
        for level, one in enumerate(found):
            rows = one.logits_BR.shape[1]
            middle = torch.arange(rows) == rows // 2 + 10
            logits = torch.where(middle if level == 1 else torch.zeros(rows, dtype=torch.bool), 5.0, -9.0)
            points = torch.tensor([-1.0, -1.0, 1.0, -1.0, 0.0, 0.0, -0.8, 1.0, 0.8, 1.0])
            found[level] = one._replace(
                logits_BR=logits[None] + 0.0 * one.logits_BR, points_BR10=points + 0.0 * one.points_BR10
            )
        return found


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with a pack of random networks in the form of buffalo_l: a recogniser of 512 numbers."""
    place = tmp_path_factory.mktemp("weights")
    (place / NAME).mkdir()
    torch.manual_seed(0)
    files = write_networks(Networks(Sees(), Recogniser(512), Attributes(3), Attributes(10)), place / NAME)
    pins = {path.name: PinnedFile(sha256=file_sha256(path), bytes=path.stat().st_size) for path in files.values()}
    lock = Lock(encoder=NAME, version=1, source="a test", licence="non-commercial", files=pins)
    lock_path(NAME, place).write_text(lock.model_dump_json())
    return place


def clip() -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), np.uint8)
    return Clip(frames, 8.0)


def count(measured: object) -> float:
    (track,) = read_tracks(measured["face_tracks_buffalo_l"]).tracks  # type: ignore[index]
    return float(len(track))


FACES = Metric(
    MetricSpec(
        name="faces",
        version=1,
        family="consistency",
        unit="1",
        low=0,
        high=100,
        direction="higher",
        needs=("face_tracks_buffalo_l",),
        source="a test",
        summary="how many frames show a face",
        blind_spots="none",
    ),
    count,
)


def test_a_pulled_pack_is_a_feature_with_its_name_and_hash(pulled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(pulled))
    (score,) = score_clip(MemorySource(clip()), [FACES]).scores
    assert (score.status, score.value) == ("ok", 4.0)
    assert (score.encoder, score.encoder_sha256) == (NAME, weights_sha256(NAME))
    assert len(score.encoder_sha256) == 64
    arrays = score_clip(MemorySource(clip()), [FACES]).features["face_tracks_buffalo_l"]
    assert arrays["embeddings_ND"].shape == (4, 512)
    np.testing.assert_allclose(np.linalg.norm(arrays["embeddings_ND"], axis=1), 1, atol=1e-5)


def test_a_pack_that_was_never_pulled_is_a_skipped_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path))
    (score,) = score_clip(MemorySource(clip()), [FACES]).scores
    assert (score.status, score.value) == ("skipped", None)
    assert score.reason == "the weights of buffalo_l are missing: run `moviegen weights pull buffalo_l`"


def test_a_pack_that_was_changed_since_is_refused(
    pulled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "changed"
    shutil.copytree(pulled, place)
    path = place / NAME / "tone.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(place))
    packs._loaded.cache_clear()
    with pytest.raises(NotMeasurable, match=r"tone\.onnx was changed since it was pulled"):
        open_pack(NAME)
    packs._loaded.cache_clear()


def test_both_features_are_registered_apart() -> None:
    names = {FEATURES.get(name).encoder for name in ("face_tracks", "face_tracks_buffalo_l", "face_tracks_antelopev2")}
    assert len(names) == 3
