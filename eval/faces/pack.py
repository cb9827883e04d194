"""A face pack in memory: finds faces in a picture and describes them, through insightface's FaceAnalysis.

Detection is insightface's own. Faces are cut out as insightface does, but many at a time, and without the warnings of
its alignment.

Shape legend: N faces, D numbers of an embedding, K outputs, H height, W width, C channels, S side of a crop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from eval.faces.align import ALIGNED, aligned, upright
from eval.faces.boxes import areas, covered
from eval.faces.det_size import Size
from eval.faces.tracks import TONES
from eval.feature import NotMeasurable

if TYPE_CHECKING:
    from eval.faces.packs import PackSpec

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

TASKS = ("detection", "recognition", "genderage", f"attribute_{TONES}")
"""What is loaded of a pack; its landmark networks are not used."""
MOST_FACES = 48
"""Of a picture, those with the best scores."""
LARGE, LARGEST = 140.0, 200.0
"""Pixels that a detector sees of a face: from the first on, what it finds in the picture seen small counts; from the
second on, what it finds in the picture seen large does not."""
WITHIN = 0.6
"""A face of which another covers so large a share is the same one, or a part of it."""
UPRIGHT = 96
"""Side of an upright crop, pixels: what insightface knows networks for attributes by."""
BATCH = 32
"""Faces that a network describes at a time."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces of one picture by falling score: boxes_N4, scores_N, points_N52; NaN from a detector without landmarks."""

    boxes_N4: Floats
    scores_N: Floats
    points_N52: Floats

    def __len__(self) -> int:
        return len(self.scores_N)

    def sizes(self) -> Floats:
        """Square roots of the boxes' areas, pixels."""
        return np.sqrt(areas(self.boxes_N4)).astype(np.float32)

    def take(self, index: Any) -> Faces:
        """The faces at these indices, or where this mask holds."""
        return Faces(self.boxes_N4[index], self.scores_N[index], self.points_N52[index])


@dataclass(frozen=True, slots=True)
class Cut:
    """N faces cut out for the networks, uint8 RGB: aligned_NSS3, 112 pixels, black where aligned_N is False, since
    landmarks cannot be aligned; upright_NSS3, 96 pixels.
    """

    aligned_NSS3: Picture
    aligned_N: npt.NDArray[np.bool_]
    upright_NSS3: Picture

    @classmethod
    def of(cls, picture_HWC: Picture, faces: Faces) -> Cut:
        """The faces of a picture, as insightface cuts them out."""
        found = [aligned(picture_HWC, points_52) for points_52 in faces.points_N52]
        empty = np.zeros((ALIGNED, ALIGNED, 3), np.uint8)
        whole = [upright(picture_HWC, box_4, UPRIGHT) for box_4 in faces.boxes_N4]
        return cls(
            np.array([empty if one is None else one for one in found], np.uint8).reshape(-1, *empty.shape),
            np.array([one is not None for one in found], bool),
            np.array(whole, np.uint8).reshape(-1, UPRIGHT, UPRIGHT, 3),
        )

    @classmethod
    def joined(cls, parts: Sequence[Cut]) -> Cut:
        """The faces of all parts, of which there is at least one."""
        return cls(
            np.concatenate([part.aligned_NSS3 for part in parts]),
            np.concatenate([part.aligned_N for part in parts]),
            np.concatenate([part.upright_NSS3 for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.aligned_N)


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What a pack says of N faces; NaN where it has no network for it, or a face is not aligned.

    embeddings_ND of unit length; masculine_N, ages_N, tones_NK as in FaceRows.
    """

    embeddings_ND: Floats
    masculine_N: Floats
    ages_N: Floats
    tones_NK: Floats

    def take(self, index: Any) -> Descriptions:
        """Of the faces at these indices."""
        return Descriptions(
            self.embeddings_ND[index], self.masculine_N[index], self.ages_N[index], self.tones_NK[index]
        )


@dataclass(frozen=True, slots=True)
class FacePack:
    """Networks by task, with what they are used with."""

    spec: PackSpec
    networks: Mapping[str, Any] = field(repr=False)

    @classmethod
    def load(cls, folder: Path, spec: PackSpec) -> FacePack:
        """The pack in a folder that exists. Raises NotMeasurable in one line."""
        try:
            import onnxruntime
            from insightface.app import FaceAnalysis
        except ImportError as error:
            raise NotMeasurable(
                f"faces need insightface, which is not there ({error}): pip install insightface"
            ) from None
        assert folder.is_dir()  # insightface would try to fetch anything else
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # sweeps run clips side by side, and the networks are small
        options.log_severity_level = 3
        places = providers(onnxruntime.get_available_providers())
        try:
            app = FaceAnalysis(
                name=str(folder),
                allowed_modules=list(TASKS),
                providers=places,
                sess_options=options,
                static_shape_sessions=False,  # else one more session for every size of clips
            )
            app.prepare(ctx_id=0 if len(places) > 1 else -1, det_thresh=spec.threshold, det_size=(128, 128))
        except Exception as error:  # noqa: BLE001  # insightface and ONNX Runtime raise anything over a stranger's file
            why = " ".join(f"{type(error).__name__} {error}".split())[:200]
            raise NotMeasurable(f"the face pack in {folder} cannot be used ({why}): pull or train it again") from None
        recogniser = app.models.get("recognition")
        if recogniser is None or recogniser.input_size != (ALIGNED, ALIGNED):
            raise NotMeasurable(f"the face pack in {folder} has no recogniser of {ALIGNED} pixels: take another")
        return cls(spec, app.models)

    def find(self, picture_HWC: Picture) -> Faces:
        """The faces of a uint8 RGB picture."""
        height, width = picture_HWC.shape[:2]
        turned_HWC = np.asarray(cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2BGR), np.uint8)
        views = [(size, self._seen(turned_HWC, size)) for size in self.spec.sizes.of(width, height)]
        if not views:
            return _no_faces()
        (large, faces), *rest = views
        for _, others in rest:
            faces = _merged(faces, others, large[0] / width)
        return faces.take(slice(MOST_FACES))

    def _seen(self, turned_HWC: Picture, size: Size) -> Faces:
        """What the detector finds in a BGR picture, fitted into a size."""
        found_N5, points_N52 = self.networks["detection"].detect(turned_HWC, input_size=size)
        if points_N52 is None:
            points_N52 = np.full((len(found_N5), 5, 2), np.nan, np.float32)
        faces = Faces(*(part.astype(np.float32) for part in (found_N5[:, :4], found_N5[:, 4], points_N52)))
        return faces.take(np.isfinite(found_N5).all(axis=1))

    def describe(self, cut: Cut) -> Descriptions:
        """What the pack says of faces, of one picture or many, as FaceAnalysis.get says it of each alone."""
        answers_N3 = self._attribute("genderage", cut, 3)
        return Descriptions(
            embeddings_ND=self._embeddings(cut),
            masculine_N=_softmax(answers_N3[:, :2])[:, 1],
            ages_N=100.0 * answers_N3[:, 2],
            # FaceAnalysis.get runs this network, too, and drops what it says.
            tones_NK=_softmax(self._attribute(f"attribute_{TONES}", cut, TONES)),
        )

    def _embeddings(self, cut: Cut) -> Floats:
        """Of unit length; NaN for faces that are not aligned."""
        found_ND = np.full((len(cut), self.spec.dimensions), np.nan, np.float32)
        if cut.aligned_N.any():
            raw_ND = _answers(self.networks["recognition"], cut.aligned_NSS3[cut.aligned_N])
            if raw_ND.shape[1] != self.spec.dimensions:
                raise NotMeasurable(
                    f"{self.spec.name}: its recogniser gives {raw_ND.shape[1]} numbers, not {self.spec.dimensions}"
                )
            found_ND[cut.aligned_N] = raw_ND / np.maximum(np.linalg.norm(raw_ND, axis=1, keepdims=True), 1e-12)
        return found_ND

    def _attribute(self, task: str, cut: Cut, outputs: int) -> Floats:
        network = self.networks.get(task)
        if network is None or not len(cut):
            return np.full((len(cut), outputs), np.nan, np.float32)
        return _answers(network, cut.upright_NSS3)


def _merged(large: Faces, small: Faces, scale: float) -> Faces:
    """Faces found in a picture seen large, at `scale`, and beyond what can be found there, those found in it small.

    Parts of a face that is too large are taken for faces: what lies within one is dropped.
    """
    far = small.take(scale * small.sizes() >= LARGE)
    alone = (covered(large.boxes_N4, far.boxes_N4) < WITHIN).all(axis=1)
    near = large.take(alone & (scale * large.sizes() < LARGEST))
    both = Faces(
        np.concatenate([near.boxes_N4, far.boxes_N4]),
        np.concatenate([near.scores_N, far.scores_N]),
        np.concatenate([near.points_N52, far.points_N52]),
    )
    return both.take(np.argsort(-both.scores_N, kind="stable"))


def _no_faces() -> Faces:
    return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


def _answers(network: Any, crops_NSS3: Picture) -> Floats:
    """One of insightface's networks on RGB crops of its own size, at least one: float32 N,K."""
    batch = 1 if isinstance(network.input_shape[0], int) else BATCH
    found = []
    for first in range(0, len(crops_NSS3), batch):
        pixels_NCSS = crops_NSS3[first : first + batch].transpose(0, 3, 1, 2).astype(np.float32, order="C")
        blob_NCSS = (pixels_NCSS - np.float32(network.input_mean)) / np.float32(network.input_std)
        found.append(network.session.run(network.output_names, {network.input_name: blob_NCSS})[0])
    return np.concatenate(found).reshape(len(crops_NSS3), -1).astype(np.float32)


def _softmax(logits_NK: Floats) -> Floats:
    shifted_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True, initial=-np.inf))
    shares_NK: Floats = shifted_NK / shifted_NK.sum(axis=1, keepdims=True)
    return shares_NK


def providers(available: Sequence[str]) -> list[Any]:
    """A CUDA GPU where ONNX Runtime can use one and the user has not chosen the processor; else the processor."""
    if "CUDAExecutionProvider" in available:
        from eval.encoders.device import device

        place = device()
        if place.type == "cuda":
            return [("CUDAExecutionProvider", {"device_id": place.index or 0}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
