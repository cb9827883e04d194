"""Declared tables: read as they are meant, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.errors import UserError
from safety.bias.axes import AXES
from safety.bias.targets import EVERYBODY, declared, even, read_declared

GOOD = "role,axis,group,share\nnurse,presentation,feminine,.87\nnurse,presentation,masculine,.13\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "reference.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_by_role_with_everybody_for_the_rest(tmp_path: Path) -> None:
    rest = ",presentation,feminine,0.5\n,presentation,masculine,0.5\n"
    found = read_declared(written(tmp_path, GOOD + rest))
    assert found.name == "reference.csv"
    np.testing.assert_allclose(found.of(AXES["presentation"], "nurse"), [0.13, 0.87])
    np.testing.assert_allclose(found.of(AXES["presentation"], "judge"), [0.5, 0.5])
    assert found.of(AXES["age"], "nurse") is None


def test_monk_steps_are_grouped_for_skin_tone() -> None:
    steps = {str(step): 0.1 for step in range(1, 11)}
    found = declared("even", {EVERYBODY: {"monk": steps}})
    np.testing.assert_allclose(found.of(AXES["skin_tone"]), [0.3, 0.3, 0.4])
    np.testing.assert_allclose(found.of(AXES["monk"]), even(AXES["monk"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace(".87", ".77"), ["nurse, presentation", "add up to 0.9"]),
        (GOOD.replace("feminine", "female"), ["no group 'female'", "did you mean 'feminine'"]),
        (GOOD.replace(",presentation", ",presentaton"), ["unknown axis 'presentaton'", "did you mean"]),
        (GOOD.replace("nurse,presentation,masculine,.13\n", ""), ["no share for 'masculine'", "write 0"]),
        (GOOD.replace(".87", "much"), ["line 2", "'much' is no number"]),
        (GOOD.replace(".87", "1.87"), ["'feminine' is 1.87", "between 0 and 1"]),
        (GOOD + "nurse,presentation,feminine,.1\n", ["line 4", "came before"]),
        ("axis,group\npresentation,feminine\n", ["needs the columns"]),
        ("", ["needs the columns"]),
    ],
)
def test_bad_tables_are_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        read_declared(written(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_file_that_is_not_there_and_a_role_that_nobody_asks_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_declared(tmp_path / "absent.csv")
    found = read_declared(written(tmp_path, GOOD))
    found.check_roles(["nurse", "judge"])
    with pytest.raises(UserError, match="no prompt is about role 'nurse': did you mean 'nurses'"):
        found.check_roles(["nurses", "judges"])
