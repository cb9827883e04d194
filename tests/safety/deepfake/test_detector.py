"""Detectors of every kind, and under attack at a frozen threshold."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from eval.clip import Clip
from safety.deepfake.detector import View, load_detector, prepared, read_view, score_of
from safety.deepfake.errors import DetectorError
from safety.deepfake.ladder import Trial, default_attacks, run_ladder, rungs_of
from safety.watermark.attacks.attack import ATTACKS, Attack, AttackError


def flat(level: int, frames: int = 6, side: int = 20) -> Clip:
    return Clip(np.full((frames, 3, side, side), level, np.uint8), 8.0)


def onnx_mean(path: Path, shape: list[int | str]) -> Path:
    """A network that gives the mean of all its input, one number per batch row."""
    axes = list(range(1, len(shape)))
    node = helper.make_node("ReduceMean", ["clip", "axes"], ["score"], keepdims=0)
    constant = helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)
    entry = helper.make_tensor_value_info("clip", TensorProto.FLOAT, shape)
    out = helper.make_tensor_value_info("score", TensorProto.FLOAT, [shape[0]])
    graph = helper.make_graph([node], "mean", [entry], [out], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, str(path))
    return path


class Mean(torch.nn.Module):
    def forward(self, clip: torch.Tensor) -> torch.Tensor:
        return clip.mean(dim=(1, 2, 3, 4))


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/usr/bin/env python3\nimport json, sys\nasked = json.load(sys.stdin)\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("shape", [["n", 4, 3, 16, 16], [1, 3, 4, 16, 16], ["n", 3, 16, 16], [1, 3, 16, 16]])
def test_onnx_networks_of_every_layout(tmp_path, shape):
    detector = load_detector(onnx_mean(tmp_path / "mean.onnx", shape))
    assert detector(flat(204)) == pytest.approx(0.8, abs=1e-3)
    assert len(detector.sha256) == 64


def test_torchscript_networks_with_a_view_beside_them(tmp_path):
    path = tmp_path / "mean.ts"
    torch.jit.script(Mean()).save(str(path))
    assert load_detector(path)(flat(51)) == pytest.approx(0.2, abs=1e-3)
    view = {
        "layout": "NCTHW",
        "size": 8,
        "frames": 3,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "output": "logit",
    }
    (tmp_path / "mean.ts.json").write_text(json.dumps(view))
    assert read_view(path).size == 8
    assert load_detector(path)(flat(255)) == pytest.approx(1 / (1 + math.exp(-1)), abs=1e-3)


def test_programs_get_a_clip_and_answer_with_a_number(tmp_path):
    body = "assert open(asked['clip'], 'rb').read(100)\nprint('thinking')\nprint(json.dumps({'score': 0.25}))"
    assert load_detector(program(tmp_path / "p1", body))(flat(9)) == 0.25
    assert load_detector(program(tmp_path / "p2", "print(1)"))(flat(9)) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("print('maybe')", "its last line must be a number in [0, 1]; it was 'maybe'"),
        ("pass", "it was 'nothing'"),
        ("print(1.5)", "gave 1.5, not a score in [0, 1]"),
        ("print('nan')", "its last line must be a number|not a score"),
        ("sys.exit(3)", "exited with 3"),
    ],
)
def test_programs_that_give_no_score_say_so_in_one_line(tmp_path, body, says):
    detector = load_detector(program(tmp_path / "p", body))
    with pytest.raises(DetectorError) as error:
        detector(flat(9))
    assert "\n" not in str(error.value)
    assert any(part in str(error.value) for part in says.split("|"))


def test_programs_that_hang_are_stopped(tmp_path):
    detector = load_detector(program(tmp_path / "p", "import time; time.sleep(60)"))
    with pytest.raises(DetectorError, match=r"longer than 0\.5 s"):
        replace(detector, time_limit_s=0.5)(flat(9))


def test_files_that_are_no_detectors(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    (tmp_path / "plain.txt").write_text("x")
    for name, says in (
        ("none.onnx", "there is no such file"),
        ("bad.onnx", "not an ONNX network"),
        ("bad.pt", "not a TorchScript network"),
        ("plain.txt", "nor a program that may be executed"),
    ):
        with pytest.raises(DetectorError, match=says) as error:
            load_detector(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "told", ['{"layout": "HW"}', '{"size": 0}', '{"mean": [1]}', '{"colour": 1}', "[]", "{", '{"mean": 3}']
)
def test_views_that_cannot_be(tmp_path, told):
    (tmp_path / "a.onnx.json").write_text(told)
    with pytest.raises(DetectorError):
        read_view(tmp_path / "a.onnx")


def test_raw_outputs_become_scores():
    assert score_of(np.array([[0.2, 0.8]]), "probability") == 0.8
    assert score_of(np.array([[0.0, 0.0]]), "logit") == 0.5
    assert score_of(np.array(0.3), "probability") == pytest.approx(0.3)
    assert score_of(np.array([0.2, 0.4]), "probability") == pytest.approx(0.3)
    for raw in (np.zeros((1, 5)), np.array([np.nan])):
        with pytest.raises(DetectorError):
            score_of(raw, "probability")
    assert prepared(flat(255, frames=2), View("NCTHW", 10, 5)).shape == (1, 3, 5, 10, 10)


class Brightness:
    """Takes bright clips for generated, and gives up on black ones."""

    name, sha256 = "brightness", "0" * 64

    def __call__(self, clip: Clip) -> float:
        level = float(clip.frames_TCHW.mean()) / 255
        if level == 0:
            raise DetectorError("brightness: black")
        return level


def _darken(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    if strength > 100:
        raise AttackError("darken: too dark")
    return replace(clip, frames_TCHW=np.maximum(clip.frames_TCHW.astype(int) - int(strength), 0).astype(np.uint8))


@pytest.fixture
def darken():
    attack = Attack(
        "test-darken", "photometric", "steps", (0.0, 30.0, 60.0, 120.0), "darker", frozenset({"picture"}), _darken
    )
    ATTACKS.names()
    ATTACKS.add(attack.name, attack)
    yield attack
    del ATTACKS._parts[attack.name]


def test_drift_at_a_frozen_threshold(darken):
    """Fakes at 150 to 190, reals at 50 to 90: darkening by 60 hides every fake, and the AUC does not notice."""
    rng = np.random.default_rng(0)
    clips = [Trial(flat(int(rng.integers(150, 190))), True, group) for group in range(10)]
    clips += [Trial(flat(int(rng.integers(50, 90))), False, 100 + group) for group in range(10)]
    found = run_ladder(Brightness(), clips, ["test-darken"], 0, 0.95)
    assert rungs_of(darken) == [0.0, 60.0, 120.0]
    clean, same, hidden, failed = found.rungs
    assert (clean.auc.value, clean.tpr.value, clean.fpr.value) == (1, 1, 0)
    assert clean.tpr.low == pytest.approx(0.025 ** (1 / 10))
    assert (same.tpr_shift.value, same.fpr_shift.value) == (0, 0)
    assert same.tpr_shift.low == -same.tpr_shift.high == clean.tpr.low - 1
    assert hidden.tpr_shift.value <= -0.9
    assert hidden.brier > clean.brier
    # Where reals went black the detector gave up: counted, not dropped.
    assert sum(hidden.reasons.values()) == 20 - hidden.clips
    assert failed.auc is None
    assert failed.reasons == {"darken: too dark": 20}


def test_a_detector_that_never_answers_has_a_reason():
    found = run_ladder(Brightness(), [Trial(flat(0), fake, fake) for fake in (True, False)], [], 0, 0.95)
    assert (found.rungs, found.reason) == ((), "brightness: black")


def test_default_attacks_are_registered_ones():
    assert default_attacks() == ["h264", "resize", "blur", "noise"]
