"""From trained face networks to a pack: ONNX files in the forms that insightface knows, and a card with figures."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eval.cache import write_atomically
from eval.faces.pack import FacePack
from eval.faces.packs import CARD, PACKS, SHIPPED, load_pack
from eval.hashing import file_sha256
from moviegen.networks.faces import ANCHORS, STRIDES, Detector
from moviegen.training.faces_data import FaceFrames
from moviegen.training.faces_figures import (
    HIT,
    SIZED,
    Detected,
    attribute_figures,
    detect,
    detection_figures,
    recognition_figures,
)
from moviegen.training.faces_part import OnStep
from moviegen.training.faces_scenes import State
from moviegen.training.reader_augment import compress, soften

OPSET = 17
PROBE = 160
"""Side of the picture that an exported detector is compared on: not the one it was exported with."""

LIMITS = (
    "Finds and describes drawn faces of the Backlot: on photographs and other drawings its answers mean nothing. "
    "Presentation, age and tone are what the Backlot draws, not anybody's identity. Of two people who share hair, "
    "colours, glasses and age, small pictures hardly tell which is which (auc_lookalikes)."
)


@dataclass(frozen=True, slots=True)
class Networks:
    """The trained networks, in evaluation mode."""

    detector: Detector
    recogniser: nn.Module
    presentation_age: nn.Module
    tone: nn.Module


def write_networks(networks: Networks, folder: Path) -> dict[str, Path]:
    """The ONNX files of a pack: what each is -> its path. Each is run once and compared with its network.

    insightface knows them by their form: nine outputs are a detector, 112 x 112 pixels a recogniser, 96 x 96 with
    three outputs presentation and age, with ten an attribute of that number.
    """
    scores = [f"{name}_{stride}" for name in ("score", "box", "points") for stride in STRIDES]
    free: dict[str, dict[int, str]] = {"input": {2: "height", 3: "width"}}
    many = {"input": {0: "faces"}}
    return {
        "detector": _write(
            networks.detector,
            folder / "detector.onnx",
            128,
            scores,
            free | {s: {0: f"rows_{s}"} for s in scores},
            PROBE,
        ),
        "recogniser": _write(networks.recogniser, folder / "recogniser.onnx", 112, ["embedding"], many),
        "presentation and age": _write(
            networks.presentation_age, folder / "presentation_age.onnx", 96, ["answers"], many
        ),
        "tone": _write(networks.tone, folder / "tone.onnx", 96, ["logits"], many),
    }


def _write(
    network: nn.Module,
    path: Path,
    side: int,
    outputs: Sequence[str],
    free: Mapping[str, Mapping[int, str]],
    probe: int | None = None,
) -> Path:
    """Export a network for pictures of `side` pixels; `free` names the sizes that may differ, by input and output."""
    network = network.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without onnxscript is the old one, and says so
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side, side),),
            data,  # type: ignore[arg-type]  # a stream will do
            input_names=["input"],
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in {**free, **_batches(free, outputs)}.items()},
            opset_version=OPSET,
            dynamo=False,
        )
    _check(network, data.getvalue(), probe or side, batch=1 if probe else 2)
    write_atomically(path, data.getvalue())
    return path


def _batches(free: Mapping[str, Mapping[int, str]], outputs: Sequence[str]) -> dict[str, Mapping[int, str]]:
    """Outputs are as many as inputs, where those are free."""
    return dict.fromkeys(outputs, free["input"]) if 0 in free["input"] else {}


@torch.inference_mode()
def _check(network: nn.Module, data: bytes, side: int, batch: int) -> None:
    """Compare an exported network with itself on a picture of noise."""
    import onnxruntime

    pictures = torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    ours = network(pictures)
    theirs = session.run(None, {"input": pictures.numpy()})
    for one, other in zip(ours if isinstance(ours, tuple) else (ours,), theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-3, atol=1e-3)
    if isinstance(network, Detector):
        assert [len(score) for score in theirs[:3]] == [ANCHORS * (side // stride) ** 2 for stride in STRIDES]


def export(
    networks: Networks,
    held_out: FaceFrames,
    folder: Path,
    facts: Mapping[str, Any],
    on_frame: OnStep = lambda _done, _what: None,
) -> Path:
    """Write a pack to `folder`, measure it as users run it, and write its card; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = write_networks(networks, folder)
    pack = load_pack(folder, PACKS[SHIPPED])
    card = {
        "what": "an insightface pack for faces of the Backlot: detector with five landmarks, recogniser, presentation "
        "with age, tone on the Monk scale",
        "licence": "as this project; trained on drawings of its own",
        "files": {
            path.name: {"what": what, "sha256": file_sha256(path), "bytes": path.stat().st_size}
            for what, path in files.items()
        },
        "threshold": pack.spec.threshold,
        "held_out": measured(pack, held_out, on_frame),
        "columns": f"heights are those of the face from crown to chin in the clip's pixels; recall by tone, "
        f"landmark_error, recognition and attributes are of faces of {SIZED:.0f} px and more; a detection is of a face "
        f"from an overlap of {HIT} on, any other is a false positive; landmark_error is the landmarks' mean distance "
        "over that of the eyes; pairs are of different scenes; tar at the threshold of false-accept rate 0.01 over all "
        "pairs; lookalikes share all but the face's proportions; all with the detector's own boxes and landmarks",
        **facts,
        "limits": LIMITS,
    }
    write_atomically(folder / CARD, (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    return folder


def measured(pack: FacePack, held_out: FaceFrames, on_frame: OnStep) -> dict[str, Any]:
    """What a pack reaches on held-out people: on clips as rendered, with detail lost and JPEG, and as decoded."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        on_frame(done, "frames measured")

    plain = np.flatnonzero(~held_out.decoded_N).tolist()
    decoded = np.flatnonzero(held_out.decoded_N).tolist()
    soft = plain[::4]
    return {
        "rendered": _figures(detect(pack, held_out, plain, on_frame=count), held_out),
        "softened": _figures(detect(pack, held_out, soft, softened, on_frame=count), held_out),
        "decoded": _figures(detect(pack, held_out, decoded, on_frame=count), held_out),
    }


def _figures(found: Detected, frames: FaceFrames) -> dict[str, Any]:
    return {
        "detection": detection_figures(found, frames),
        "recognition": recognition_figures(found, frames),
        "attributes": attribute_figures(found, frames),
    }


def frames_measured(held_out: FaceFrames) -> int:
    """How many frames `measured` looks at."""
    plain = int((~held_out.decoded_N).sum())
    return len(held_out) + -(-plain // 4)


def softened(picture_HWC: npt.NDArray[np.uint8], row: int) -> npt.NDArray[np.uint8]:
    """A generator's softness, the same in every run: detail lost, and JPEG."""
    random = np.random.default_rng(row)
    softer_HWC: npt.NDArray[np.uint8] = compress(soften(picture_HWC[None], random), random)[0]
    return softer_HWC


def faces_in(frames: FaceFrames) -> int:
    """How many frames show a face."""
    return int((frames.states_N == State.FACE).sum())
