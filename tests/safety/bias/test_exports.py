"""Other tools' views: fairlearn takes the long table as it is, aequitas a CSV; impact ratios as the law counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.estimate import TooFew
from safety.bias.exports import aequitas_frame, impact_ratios, write_aequitas
from safety.bias.table import audit_table
from safety.bias.worlds import worlds

PRESENTATION, TONE = AXES["presentation"], AXES["skin_tone"]


def sample() -> Any:
    (world,) = [world for world in worlds() if world.name == "dose-response"]
    return world.sample(0.2, np.random.default_rng(0)).table


def test_fairlearns_metric_frame_works_on_the_long_table_as_it_is() -> None:
    metrics = pytest.importorskip("fairlearn.metrics")
    people = sample().frame.query("outcome == 'person'")
    frame = metrics.MetricFrame(
        metrics={"quality": lambda _, value: float(np.mean(value)), "clips": lambda _, value: len(value)},
        y_true=np.zeros(len(people)),
        y_pred=people["quality"],
        sensitive_features=people[["presentation", "skin_tone"]],
        control_features=people["role"],
    )
    expected = people.groupby(["role", "presentation", "skin_tone"])["quality"].mean()
    known = frame.by_group["quality"].dropna()
    assert len(known) == len(expected)
    for place, value in expected.items():
        assert known[place] == pytest.approx(value)
    assert frame.by_group["clips"].sum() == len(people)
    assert (frame.difference(method="between_groups")["quality"] >= 0).all()


def test_aequitas_gets_objects_and_whole_scores(tmp_path: Path) -> None:
    table = sample()
    frame = aequitas_frame(table, "quality", 0.0, ("presentation", "skin_tone"))
    assert list(frame.columns) == ["score", "label", "presentation", "skin_tone"]
    assert all(frame[axis].dtype == object for axis in ("presentation", "skin_tone"))
    assert set(frame["score"]) == {0, 1}
    people = table.frame[table.frame["outcome"] == "person"]
    assert frame["score"].mean() == pytest.approx((people["quality"] >= 0).mean())
    assert "unknown" in set(frame["skin_tone"])
    write_aequitas(table, "quality", 0.0, ("presentation",), tmp_path / "aequitas.csv")
    again = pd.read_csv(tmp_path / "aequitas.csv", dtype={"presentation": object})
    assert again["presentation"].tolist() == frame["presentation"].tolist()
    with pytest.raises(NotMeasurable, match="nobody has a value for identity"):
        aequitas_frame(table, "identity", 0.0, ("presentation",))


def test_impact_ratios_by_hand(make: Any) -> None:
    """Ten of twenty masculine people above the median, five of twenty feminine: ratio 0.5."""
    rows = []
    for n in range(20):
        rows.append(make.person("p", n, "masculine", quality=2.0 if n < 10 else 0.0))
        rows.append(make.person("q", n, "feminine", quality=2.0 if n < 5 else 0.0))
    rows += [make.person("r", n, "masculine", quality=1.0) for n in range(4)]
    found = impact_ratios(make.clips(rows), (PRESENTATION,), "quality")
    by_name = {row.category: row for row in found.categories}
    assert found.median == 0.0
    assert by_name["masculine"].rate == pytest.approx(14 / 24)
    assert by_name["feminine"].ratio == pytest.approx((5 / 20) / (14 / 24))
    assert by_name["masculine"].ratio == 1.0
    assert "does not apply to generators" in found.label


def test_small_categories_are_counted_without_a_ratio_and_unknowns_too(make: Any) -> None:
    rows = [make.person("p", n, "masculine", quality=float(n)) for n in range(99)]
    rows += [make.person("q", 0, "feminine", quality=200.0), make.person("q", 1, "unknown", quality=5.0)]
    found = impact_ratios(make.clips(rows), (PRESENTATION,), "quality")
    masculine, feminine = found.categories
    assert (feminine.clips, feminine.ratio, feminine.excluded) == (1.0, None, True)
    assert masculine.ratio == 1.0
    assert found.unknown == 1.0
    with pytest.raises(TooFew, match="need 20"):
        impact_ratios(make.clips(rows[:19]), (PRESENTATION,), "quality")


def test_ratios_of_intersections() -> None:
    clips = clips_of(sample())
    found = impact_ratios(clips, (PRESENTATION, TONE), "quality")
    assert [row.category for row in found.categories][:2] == ["masculine, light", "masculine, medium"]
    assert max(row.ratio for row in found.categories if row.ratio is not None) == 1.0
    assert found.axes == ("presentation", "skin_tone")


def test_the_long_tables_columns_are_what_other_tools_need() -> None:
    frame = audit_table(sample().frame).frame
    for axis in ("presentation", "age", "skin_tone"):
        assert frame[axis].dtype == "string"
    assert frame["quality"].dtype == "float64"
