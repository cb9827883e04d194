"""The runs: who made what, when, with which code and hashes; what failed and why; how to go on; what it takes up."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.store import Run, open_run
from dashboards import results
from dashboards.exports import export_tables
from dashboards.results import RunLabel
from dashboards.run_picker import counted, folder_or_advice, nothing_yet

MOST_REASONS = 200


def page() -> None:
    st.title("Runs")
    root = folder_or_advice()
    if root is None:
        return
    labels = results.run_labels(root)
    if not labels:
        nothing_yet(root)
        return
    label = pick(root, labels)
    try:
        run = open_run(root, label.id)
    except ValueError as error:
        st.error("This run cannot be shown:")
        st.text(str(error))
        return
    show(run)


def pick(root: Path, labels: list[RunLabel]) -> RunLabel:
    """All runs in a table, newest first; the one ticked, linked to, or the newest."""
    wanted = st.query_params.get("run")
    ids = [label.id for label in labels]
    if wanted is not None and wanted not in ids:
        st.warning("The run in this link is not here. Showing the newest instead. Asked for:")
        st.text(wanted[:200])
    frame = run_frame(root, labels)
    event = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 10 else 400,
        on_select="rerun",
        selection_mode="single-row",
        key=f"runs/{len(ids)}/{ids[0]}",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Storage": st.column_config.NumberColumn(format="%.1f MB"),
            "Suite hash": st.column_config.TextColumn(width=120),
        },
        alt="All runs, newest first",
    )
    export_tables(f"runs-{ids[0]}", "Runs", ["Newest first."], {"Runs": frame})
    ticked = event.selection.rows
    if ticked and ticked != st.session_state.get("run ticked"):
        st.session_state["run shown"] = ids[ticked[0]]
    st.session_state["run ticked"] = ticked
    shown = str(st.session_state.get("run shown", wanted or ""))
    shown = shown if shown in ids else ids[0]
    if wanted != shown:
        st.query_params["run"] = shown
    return labels[ids.index(shown)]


def run_frame(root: Path, labels: list[RunLabel]) -> pd.DataFrame:
    """One line per run. Storage in megabytes of the whole folder."""
    return pd.DataFrame(
        [
            {
                "Run": label.id,
                "Suite": f"{label.suite} v{label.suite_version}",
                "Suite hash": label.suite_hash[:12],
                "Made (UTC)": label.created,
                "State": "complete" if label.status == "complete" else "not finished",
                "By": "here" if label.who is None else f"imported: {label.who}",
                "Generators": label.generators,
                "Storage": _megabytes(root, label),
            }
            for label in labels
        ]
    )


def _megabytes(root: Path, label: RunLabel) -> float:
    return sum(size for _, size in results.storage(open_run(root, label.id)).values()) / 1e6


def show(run: Run) -> None:
    """Everything about one run."""
    made = run.manifest
    st.subheader("One run")
    st.code(run.id, language=None)
    show_origin(run)
    if made.status != "complete":
        st.warning("This run is not finished. Continue it where it stopped with:")
        st.code(resume_command(run), language="bash")
    show_failures(run)
    left, right = st.columns(2)
    with left:
        st.subheader("Generators")
        st.dataframe(generator_frame(run), hide_index=True, alt="Generators with versions, brackets and settings")
    with right:
        st.subheader("Storage")
        st.dataframe(
            storage_frame(run),
            hide_index=True,
            column_config={"Size": st.column_config.NumberColumn(format="%.2f MB")},
            alt="Files and megabytes of each part of the run",
        )
    with st.expander("Code, machine and metrics"):
        st.text(environment_text(run))
        st.dataframe(
            pd.DataFrame([(facts.name, facts.version, facts.family, facts.source) for facts in made.metrics],
                         columns=["Metric", "Version", "Family", "Source"]),
            hide_index=True,
            alt="Metrics of the run with their versions",
        )  # fmt: skip


def show_origin(run: Run) -> None:
    """Who made the run, when, with which command and hashes."""
    made = run.manifest
    if made.imported is not None:
        given = made.imported
        st.info("Made elsewhere and imported: its numbers were checked for form, not computed again.")
        packed = "" if given.packed is None else f", packed {given.packed:%Y-%m-%d %H:%M} UTC"
        st.text(f"By {given.who}{packed}, imported {given.imported:%Y-%m-%d %H:%M} UTC")
        if given.file_sha256:
            st.text(f"Archive SHA-256 {given.file_sha256}")
    code = f"{made.code.version} {made.code.commit[:12]}".strip() + (
        " with uncommitted changes" if made.code.dirty else ""
    )
    st.text(f"Made {made.created:%Y-%m-%d %H:%M} UTC with code {code}")
    st.text(f"Suite {made.suite_name} version {made.suite_version}, hash {made.suite_hash}")
    if made.argv:
        st.code(f"moviegen {shlex.join(made.argv)}", language="bash", wrap_lines=True)


def resume_command(run: Run) -> str:
    """What continues the run, with the folder it lies in."""
    return f"moviegen sweep --resume {run.id} --runs {shlex.quote(str(run.folder.parent))}"


def show_failures(run: Run) -> None:
    """What has no clip or no number, grouped by reason."""
    st.subheader("What failed, and why")
    clips, rows = results.clip_outcomes(run), results.outcomes(run)
    stored = int(clips["clips"].sum())
    st.text(f"{stored:,} of {counted(run.manifest.planned_units, 'planned clip')} are stored.")
    broken = clips[clips["status"] != "ok"]
    sentences = results.outcome_sentences(rows) if len(rows) else []
    st.text("; ".join(sentences) + "." if sentences else f"All {int(rows['rows'].sum()):,} rows were scored.")
    lost = by_reason(rows)
    for frame, alt in ((broken, "Clips that are not there, by reason"), (lost, "Rows without a number, by reason")):
        if not frame.empty:
            st.dataframe(
                frame.head(MOST_REASONS),
                hide_index=True,
                height="content" if len(frame) <= 8 else 320,
                column_config={"reason": st.column_config.TextColumn(width="large")},
                alt=alt,
            )
    if not (broken.empty and lost.empty):
        tables = {"Rows without a number": lost, "Clips that are not there": broken}
        export_tables(f"{run.id}-failures", f"Failures of {run.id}", [], tables, key="failures")


def by_reason(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without a number: status, reason, how many, of which metrics and generators; failed ones first."""
    lost = rows[rows["status"] != "ok"]
    grouped = lost.groupby(["status", "reason"], as_index=False).agg(
        rows=("rows", "sum"),
        metrics=("metric", lambda names: ", ".join(sorted(set(names)))),
        generators=("generator", lambda names: ", ".join(sorted(set(names)))),
    )
    order = {"failed": 0, "missing": 1, "skipped": 2}
    ordered = grouped.assign(place=grouped["status"].map(order)).sort_values(
        ["place", "rows"], ascending=[True, False], ignore_index=True
    )
    return ordered[["rows", "status", "reason", "generators", "metrics"]]


def generator_frame(run: Run) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Generator": facts.name,
                "Version": facts.version,
                "Bracket": facts.bracket or "contender",
                "Settings": json.dumps(facts.settings, ensure_ascii=False, sort_keys=True),
            }
            for facts in run.manifest.generators
        ]
    )


def storage_frame(run: Run) -> pd.DataFrame:
    parts = results.storage(run)
    return pd.DataFrame(
        [{"Part": part, "Files": files, "Size": size / 1e6} for part, (files, size) in sorted(parts.items())]
    )


def environment_text(run: Run) -> str:
    found = run.manifest.environment
    packages = ", ".join(f"{name} {version}" for name, version in sorted(found.packages.items()))
    return f"Python {found.python}, {found.platform}, {found.cpu_count} processors; {packages}"


page()
