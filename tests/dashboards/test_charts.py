"""Plots are made once for equal data, and what the browser gets is a specification that fits its page."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import charts

MADE: list[str] = []


def plot(data: pd.DataFrame, *, dark: bool = False) -> alt.Chart:
    MADE.append("dark" if dark else "light")
    return alt.Chart(data).mark_point(color="white" if dark else "black").encode(x="value:Q")


@pytest.fixture
def made() -> list[str]:
    charts._specification.clear()
    MADE.clear()
    return MADE


def drawn(values: list[float], *, dark: bool = False) -> str:
    frame = pd.DataFrame({"value": values})
    return str(charts._specification(plot, "plot", (frame,), {"dark": dark}))


def test_equal_data_is_one_plot(made: list[str]) -> None:
    assert drawn([1.0, 2.0]) == drawn([1.0, 2.0])
    assert made == ["light"]


def test_other_data_or_another_theme_is_another_plot(made: list[str]) -> None:
    assert len({drawn([1.0, 2.0]), drawn([1.0, 3.0]), drawn([1.0, 2.0], dark=True)}) == 3
    assert made == ["light", "light", "dark"]


def test_the_page_sets_the_size(made: list[str]) -> None:
    spec = charts._specification(plot, "plot", (pd.DataFrame({"value": [1.0]}),), {})
    assert "config" not in spec
    assert made == ["light"]


def test_a_plot_that_is_none_is_told_by_the_tests(made: list[str]) -> None:
    def broken(data: pd.DataFrame) -> alt.Chart:
        chart = alt.Chart(data).mark_point().encode(x="value:Q")
        chart.height = "tall"
        return chart

    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        charts._specification(broken, "broken", (pd.DataFrame({"value": [1.0]}),), {})
    assert made == []


def test_the_page_shows_it_with_its_words() -> None:
    def app() -> None:
        import altair
        import pandas

        from dashboards.charts import show_chart

        def plot(data):  # type: ignore[no-untyped-def]
            return altair.Chart(data).mark_point().encode(x="value:Q")

        show_chart(plot, pandas.DataFrame({"value": [1.0, 2.0]}), alt="two values")

    ran = AppTest.from_function(app).run()
    assert not ran.exception
    (chart,) = ran.get("arrow_vega_lite_chart") or ran.get("vega_lite_chart")
    assert chart.proto.alt == "two values"
    assert len(chart.proto.datasets) == 1
