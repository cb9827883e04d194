"""Which device networks run on."""

from __future__ import annotations

import pytest
import torch

from eval.encoders.device import VARIABLE, DeviceError, device


def test_without_a_wish_it_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device().type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device().type == "cuda"


def test_the_variable_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv(VARIABLE, "cpu")
    assert device().type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "meta!"])
def test_what_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(DeviceError, match=f"^{VARIABLE}={name}: .*unset it") as caught:
        device()
    assert "\n" not in str(caught.value)
