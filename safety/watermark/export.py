"""An audit's long tables as files for other tools."""

from __future__ import annotations

import io
from collections.abc import Iterator

from safety.watermark.figures import Tables

REPORT, FIGURES = "report.html", "figures.json"
FILES = {
    REPORT: "this page",
    FIGURES: "every figure of this page with its interval",
    "trials.parquet": "one row for every trial, failed and skipped ones with their reasons",
    "tax.parquet": "every metric of every clip, marked and not",
    "clips.parquet": "what the clips look like: size, luminance, motion, detail, tags",
    "encodings.parquet": "the clips as an encoder sees them, marked and not",
}


def table_files(tables: Tables) -> Iterator[tuple[str, bytes]]:
    """(name, Parquet) of each table that holds anything."""
    named = (
        ("trials.parquet", tables.trials),
        ("tax.parquet", tables.tax),
        ("clips.parquet", tables.facts),
        ("encodings.parquet", tables.encodings),
    )
    for name, frame in named:
        if len(frame):
            stream = io.BytesIO()
            frame.to_parquet(stream, index=False)
            yield name, stream.getvalue()
