"""Keys: the same numbers for ever, and files that only their owner can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from eval.marks.keys import key_bytes, read_key_file, signs, uniforms
from eval.marks.mark import MarkError


def test_what_a_key_stands_for_never_changes() -> None:
    assert key_bytes(7, "purpose", 40).hex() == GOLDEN
    assert np.allclose(uniforms(7, "purpose", 2), np.frombuffer(bytes.fromhex(GOLDEN)[:8], "<u4") / 2**32)


GOLDEN = "3e429ce6d46395a789804746fc63f27198145f3ed00a2677dc49d8574435c3dadb9847668b624efe"


def test_numbers_are_spread_evenly_and_differ_by_key_and_purpose() -> None:
    assert kstest(uniforms(-1, "a", 4000), "uniform").pvalue > 1e-3
    assert abs(signs(3, "a", 4000).mean()) < 0.06
    assert set(np.unique(signs(3, "a", 13))) <= {-1.0, 1.0}
    assert abs(np.corrcoef(uniforms(1, "a", 4000), uniforms(2, "a", 4000))[0, 1]) < 0.06
    assert abs(np.corrcoef(uniforms(1, "a", 4000), uniforms(1, "b", 4000))[0, 1]) < 0.06


@pytest.mark.parametrize(("text", "key"), [("7919\n", 7919), ("0x1eef", 0x1EEF), (" -4 ", -4)])
def test_a_key_file_holds_an_integer(text: str, key: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    assert read_key_file(path) == (key, [])


def test_a_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("1")
    for mode in (0o644, 0o640, 0o604):
        path.chmod(mode)
        key, warnings = read_key_file(path)
        assert key == 1
        assert len(warnings) == 1
        assert f"chmod 600 {path}" in warnings[0]


def test_what_is_no_key_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(MarkError, match="No such file"):
        read_key_file(path)
    for content in (b"", b"1.5", b"one", b"1 2", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(MarkError, match="a key file holds one integer") as caught:
            read_key_file(path)
        assert "\n" not in str(caught.value)
