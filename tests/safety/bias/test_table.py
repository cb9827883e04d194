"""The long table: what it refuses in one line, what it fills in, and that nothing is lost on the way to disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eval.errors import UserError
from safety.bias.columns import COLUMNS
from safety.bias.table import audit_table, read_table


def refused(rows: list[dict[str, Any]]) -> str:
    with pytest.raises(UserError) as caught:
        audit_table(pd.DataFrame(rows))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_small_table_gets_all_columns_and_types(make: Any) -> None:
    table = audit_table(pd.DataFrame([make.person("p", 0), make.without_person("p", 1)]))
    assert list(table.frame.columns) == list(COLUMNS)
    assert table.frame["monk"].dtype == "Int64"
    assert table.frame["in_validation"].tolist() == [False, False]
    assert table.systems == [("s", "1")]


def test_skin_tone_follows_from_the_monk_scale(make: Any) -> None:
    rows = [make.person("p", seed, monk=step) for seed, step in enumerate((1, 3, 4, 6, 7, 10, None))]
    frame = audit_table(pd.DataFrame([*rows, make.without_person("p", 9)])).frame
    assert frame["skin_tone"].tolist()[:7] == ["light", "light", "medium", "medium", "dark", "dark", "unknown"]
    assert frame["skin_tone"].isna().tolist()[7]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"presentaton": "feminine"}, ["unknown column 'presentaton'", "did you mean 'presentation'"]),
        ({"presentation": "female"}, ["row 0", "'presentation' is 'female'", "feminine"]),
        ({"outcome": "persn"}, ["row 0", "did you mean 'person'"]),
        ({"monk": 11}, ["row 0", "'monk' is 11", "1 to 10"]),
        ({"screen_time": 1.5}, ["'screen_time' is 1.5", "0 to 1"]),
        ({"quality": float("inf")}, ["'quality' is inf"]),
        ({"seed": "first"}, ["'seed' must hold whole numbers"]),
        ({"seed": None}, ["'seed' is empty"]),
        ({"track_id": None}, ["'track_id' is empty", "number the clip's people"]),
        ({"outcome": "no visible person"}, ["is filled in", "leave it empty"]),
        ({"monk": 2, "skin_tone": "dark"}, ["'monk' is 2", "leave 'skin_tone' out"]),
        ({"counterfactual_set": "c"}, ["states no attribute"]),
        ({"system": None}, ["'system' is empty"]),
    ],
)
def test_bad_values_are_one_line_with_a_place(make: Any, change: dict[str, Any], words: list[str]) -> None:
    message = refused([{**make.person("p", 0), **change}])
    assert all(word in message for word in words), message


def test_bad_tables_are_one_line(make: Any) -> None:
    row = make.person("p", 0)
    assert "no rows" in refused([])
    assert "no column 'seed'" in refused([{name: value for name, value in row.items() if name != "seed"}])
    assert "no column of labels" in refused([{name: value for name, value in row.items() if name != "presentation"}])
    assert "a second row for" in refused([row, row])
    assert "'role' differs from row 0" in refused([{**row, "role": "nurse"}, {**row, "track_id": 1, "role": "judge"}])
    assert "write 'unknown'" in refused([row, {**make.person("p", 1), "presentation": None}])


def test_parquet_there_and_back(make: Any, tmp_path: Path) -> None:
    table = audit_table(pd.DataFrame([*make.shown([(3, 2), (1, 4)]), make.without_person("p9", 0, "failed clip")]))
    table.write(tmp_path / "table.parquet")
    again = read_table(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(again.frame, table.frame)
    assert again.sha256 == table.sha256
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="not a Parquet table"):
        read_table(tmp_path / "broken.parquet")


def test_the_hash_is_of_the_contents_and_not_of_the_order(make: Any) -> None:
    rows = make.shown([(3, 2), (1, 4)])
    first, turned = audit_table(pd.DataFrame(rows)), audit_table(pd.DataFrame(rows[::-1]))
    assert first.sha256 == turned.sha256
    rows[0]["presentation"] = "masculine"
    assert audit_table(pd.DataFrame(rows)).sha256 != first.sha256
