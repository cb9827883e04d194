"""LAION's aesthetic head: a known line through 768 numbers, from the published file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.encoders.networks.aesthetic import NAME, aesthetic_scores
from eval.feature import NotMeasurable

Install = Callable[..., Path]


def unit_rows(count: int, width: int = 768) -> np.ndarray:
    rows = np.random.default_rng(count).normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_scores_are_the_published_line(install: Install) -> None:
    weight = torch.randn(1, 768, generator=torch.Generator().manual_seed(1))
    install(NAME, {"weight": weight, "bias": torch.tensor([5.0])})
    features = unit_rows(4)
    wanted = [sum(float(a) * float(b) for a, b in zip(row, weight[0], strict=True)) + 5.0 for row in features]
    scores = aesthetic_scores(features)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_other_weights_give_other_scores_in_the_same_process(install: Install) -> None:
    for bias in (4.0, 6.0):
        install(NAME, {"weight": torch.zeros(1, 768), "bias": torch.tensor([bias])})
        assert aesthetic_scores(unit_rows(1)).tolist() == [bias]


@pytest.mark.parametrize("features", [unit_rows(2) * 9, unit_rows(2, 512), unit_rows(2)[0]])
def test_features_of_another_kind_are_a_bug(install: Install, features: np.ndarray) -> None:
    install(NAME, {"weight": torch.zeros(1, 768), "bias": torch.zeros(1)})
    with pytest.raises(ValueError, match="the aesthetic head takes"):
        aesthetic_scores(features)


def test_the_head_of_another_clip_is_refused(install: Install) -> None:
    install(NAME, {"weight": torch.zeros(1, 512), "bias": torch.zeros(1)})
    with pytest.raises(NotMeasurable, match=r"'weight' is 1×512 in model\.safetensors and 1×768 in the network"):
        aesthetic_scores(unit_rows(1))


def test_missing_weights_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path))
    with pytest.raises(NotMeasurable, match="run `moviegen weights pull laion-aesthetic`"):
        aesthetic_scores(unit_rows(1))
