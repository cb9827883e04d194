"""Draws a plot, and keeps its specification: a page that is drawn again must not pay for the same plot again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import streamlit as st

CHECK = False
"""Whether plots are held against Vega-Lite's schema, which takes longer than the rest of a page. The tests do it."""

Plot = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart


def show_chart(make: Callable[..., Plot], *data: Any, alt: str, key: str | None = None, **options: Any) -> None:
    """Draw `make(*data, **options)`. alt: what it shows, for those who cannot see it.

    make: a module's function that depends on its arguments alone. Plots of equal arguments are made once.
    """
    spec = _specification(make, f"{make.__module__}.{make.__qualname__}", data, options)
    st.vega_lite_chart(spec=spec, key=key, alt=alt)


def is_dark() -> bool:
    """Whether the page is dark; Streamlit themes everything in a chart but the colour of text marks."""
    return st.context.theme.type == "dark"


@st.cache_data(max_entries=256, show_spinner=False)
def _specification(
    _make: Callable[..., Plot],
    name: str,  # noqa: ARG001 - stands for _make in the key
    data: tuple[Any, ...],
    options: dict[str, Any],
) -> dict[str, Any]:
    with alt.data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = _make(*data, **options).to_dict(validate=CHECK)
    # The sizes of Altair's own theme would override the page's.
    spec.pop("config", None)
    return spec
