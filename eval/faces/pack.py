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
BATCH = 32


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
class Descriptions:
    """What a pack says of N faces; NaN where it has no network for it, or landmarks cannot be aligned.

    aligned_NSS3: uint8 RGB crops of 112 pixels, black where there is none. embeddings_ND of unit length; masculine_N,
    ages_N, tones_NK as in FaceRows.
    """

    aligned_NSS3: Picture
    embeddings_ND: Floats
    masculine_N: Floats
    ages_N: Floats
    tones_NK: Floats


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
        providers = _providers(onnxruntime.get_available_providers())
        try:
            app = FaceAnalysis(
                name=str(folder),
                allowed_modules=list(TASKS),
                providers=providers,
                sess_options=options,
                static_shape_sessions=False,  # else one more session for every size of clips
            )
            app.prepare(ctx_id=0 if len(providers) > 1 else -1, det_thresh=spec.threshold, det_size=(128, 128))
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

    def describe(self, picture_HWC: Picture, faces: Faces) -> Descriptions:
        """What the pack says of the faces of a picture, as FaceAnalysis.get says it of each alone."""
        crops = [aligned(picture_HWC, points_52) for points_52 in faces.points_N52]
        masculine_N, ages_N = self._presentation(picture_HWC, faces)
        return Descriptions(
            aligned_NSS3=_stacked(crops),
            embeddings_ND=self._embeddings(crops),
            masculine_N=masculine_N,
            ages_N=ages_N,
            tones_NK=self._tones(picture_HWC, faces),
        )

    def _embeddings(self, crops: Sequence[Picture | None]) -> Floats:
        """Of unit length; NaN for faces that could not be aligned."""
        found_ND = np.full((len(crops), self.spec.dimensions), np.nan, np.float32)
        known = [k for k, crop in enumerate(crops) if crop is not None]
        if known:
            raw_ND = _answers(self.networks["recognition"], [crop for crop in crops if crop is not None])
            if raw_ND.shape[1] != self.spec.dimensions:
                raise NotMeasurable(
                    f"{self.spec.name}: its recogniser gives {raw_ND.shape[1]} numbers, not {self.spec.dimensions}"
                )
            found_ND[known] = raw_ND / np.maximum(np.linalg.norm(raw_ND, axis=1, keepdims=True), 1e-12)
        return found_ND

    def _presentation(self, picture_HWC: Picture, faces: Faces) -> tuple[Floats, Floats]:
        """Share for masculine presentation, and age in years: insightface's `genderage`."""
        answers_N3 = self._attribute("genderage", picture_HWC, faces, 3)
        return _softmax(answers_N3[:, :2])[:, 1], 100.0 * answers_N3[:, 2]

    def _tones(self, picture_HWC: Picture, faces: Faces) -> Floats:
        """Probabilities on the Monk scale. FaceAnalysis.get runs this network, too, and drops what it says."""
        return _softmax(self._attribute(f"attribute_{TONES}", picture_HWC, faces, TONES))

    def _attribute(self, task: str, picture_HWC: Picture, faces: Faces, outputs: int) -> Floats:
        network = self.networks.get(task)
        if network is None:
            return np.full((len(faces), outputs), np.nan, np.float32)
        if not len(faces):
            return np.zeros((0, outputs), np.float32)
        return _answers(network, [upright(picture_HWC, box_4, network.input_size[0]) for box_4 in faces.boxes_N4])


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


def _stacked(crops: Sequence[Picture | None]) -> Picture:
    stacked_NSS3 = np.zeros((len(crops), ALIGNED, ALIGNED, 3), np.uint8)
    for place, crop in zip(stacked_NSS3, crops, strict=True):
        if crop is not None:
            place[:] = crop
    return stacked_NSS3


def _answers(network: Any, crops: Sequence[Picture]) -> Floats:
    """One of insightface's networks on RGB crops of its own size: float32 N,K."""
    batch = 1 if isinstance(network.input_shape[0], int) else BATCH
    found = []
    for first in range(0, len(crops), batch):
        pixels_NSSC = np.stack(crops[first : first + batch]).astype(np.float32)
        blob_NCSS = (pixels_NSSC.transpose(0, 3, 1, 2) - network.input_mean) / network.input_std
        blob_NCSS = np.ascontiguousarray(blob_NCSS, np.float32)
        found.append(network.session.run(network.output_names, {network.input_name: blob_NCSS})[0])
    return np.concatenate(found).reshape(len(crops), -1).astype(np.float32)


def _softmax(logits_NK: Floats) -> Floats:
    shifted_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True, initial=-np.inf))
    shares_NK: Floats = shifted_NK / shifted_NK.sum(axis=1, keepdims=True)
    return shares_NK


def _providers(available: Sequence[str]) -> list[Any]:
    """A CUDA GPU where ONNX Runtime can use one and the user has not chosen the processor; else the processor."""
    if "CUDAExecutionProvider" in available:
        from eval.encoders.device import device

        place = device()
        if place.type == "cuda":
            return [("CUDAExecutionProvider", {"device_id": place.index or 0}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
