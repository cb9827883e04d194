"""The buttons that take a page's table away: CSV, Parquet, and one self-contained HTML page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from benchmarks.export import frame_csv
from benchmarks.reports.tables_page import tables_page

PARQUET = "application/vnd.apache.parquet"


def export_tables(
    stem: str, title: str, facts: Sequence[str], tables: Mapping[str, pd.DataFrame], key: str = "export"
) -> None:
    """Buttons for the tables shown. CSV and Parquet hold the first one, HTML all of them. Made when pressed."""
    first = next(iter(tables.values()))
    export_files(stem, first, lambda: frame_csv(first), lambda: tables_page(title, facts, tables), key)


def export_files(
    stem: str, frame: pd.DataFrame, csv: Callable[[], str], html: Callable[[], str], key: str = "export"
) -> None:
    """Buttons for CSV, Parquet and HTML side by side. stem: the files' name, of whatever text."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:120]
    with st.container(horizontal=True):
        _button("CSV", csv, f"{name}.csv", "text/csv", key)
        _button("Parquet", lambda: _parquet(frame), f"{name}.parquet", PARQUET, key)
        _button("HTML", html, f"{name}.html", "text/html", key)


def _button(label: str, data: Callable[[], str | bytes], file: str, mime: str, key: str) -> None:
    st.download_button(
        label, data, file, mime, on_click="ignore", icon=":material/download:", key=f"{key} {label.lower()}"
    )


def _parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()
