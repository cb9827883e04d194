"""The shipped pack: its card keeps what is promised, and a fresh look at held-out people agrees with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.faces.packs import CARD, SHIPPED, open_pack
from eval.hashing import file_sha256
from eval.weights import FOLDER
from moviegen.training.faces_data import make_frames
from moviegen.training.faces_figures import attribute_figures, detect, detection_figures, recognition_figures

PACK = FOLDER / SHIPPED


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((PACK / CARD).read_bytes())
    return read


def test_the_card_names_the_files_there_are(card: dict[str, Any]) -> None:
    files = {path.name: {"sha256": file_sha256(path), "bytes": path.stat().st_size} for path in PACK.glob("*.onnx")}
    assert {name: {k: file[k] for k in ("sha256", "bytes")} for name, file in card["files"].items()} == files
    assert sum(path.stat().st_size for path in PACK.iterdir()) < 8e6


def test_the_card_keeps_what_is_promised(card: dict[str, Any]) -> None:
    figures = card["held_out"]["rendered"]
    assert figures["detection"]["recall"]["20 px and more"]["value"] >= 0.97
    assert figures["detection"]["false_positives_per_frame"] <= 0.05
    assert figures["recognition"]["auc"] >= 0.98
    assert figures["attributes"]["tone_error_steps"] <= 0.3
    for group in figures["detection"]["recall_by_tone"].values():
        assert group["value"] >= 0.97


def test_a_fresh_look_agrees_with_the_card(card: dict[str, Any], tmp_path: Path) -> None:
    frames = make_frames(tmp_path, "held out", 120)
    found = detect(open_pack(SHIPPED), frames, np.flatnonzero(~frames.decoded_N).tolist())
    detection = detection_figures(found, frames)
    assert detection["recall"]["20 px and more"]["value"] >= 0.96
    assert detection["false_positives_per_frame"] <= 0.05
    known = card["held_out"]["rendered"]
    assert abs(detection["landmark_error"] - known["detection"]["landmark_error"]) < 0.03
    assert recognition_figures(found, frames)["auc"] > 0.97
    attributes = attribute_figures(found, frames)
    assert attributes["tone_error_steps"] <= 0.35
    assert attributes["presentation_accuracy"] >= known["attributes"]["presentation_accuracy"] - 0.08
