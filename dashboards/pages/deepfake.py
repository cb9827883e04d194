"""The page of deepfakes and provenance: can clips be told from real ones, and what do their credentials say."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from benchmarks.deepfake.stored import StoredDeepfakeAudit
from benchmarks.deepfake.stored import list_audits as deepfake_audits
from benchmarks.provenance_audits import StoredProvenanceAudit
from benchmarks.provenance_audits import list_audits as provenance_audits
from dashboards.address import base_url
from dashboards.audit_picker import pick, report_button
from dashboards.charts import show_chart
from dashboards.clips import clip_url, find_clip
from dashboards.exports import export_tables
from dashboards.player import PLAYED
from dashboards.run_picker import folder_or_advice

DEEPFAKE = "moviegen audit deepfake --generator reference --real FOLDER"
PROVENANCE = "moviegen audit provenance runs/RUN/clips --launder"


def page() -> None:
    st.title("Deepfake and provenance")
    root = folder_or_advice()
    if root is None:
        return
    st.header("Can it be told from real footage?")
    fakes = deepfake_audits(root)
    if fakes:
        show_deepfake(fakes[pick([(f"{one.run}/{one.folder}", one.label) for one in fakes], "separability")])
    else:
        nothing_yet(DEEPFAKE, root)
    st.header("Who vouches for it?")
    signed = provenance_audits(root)
    if signed:
        show_provenance(root, signed[pick([(f"{one.run}/{one.folder}", one.label) for one in signed], "credentials")])
    else:
        nothing_yet(PROVENANCE, root)


def nothing_yet(command: str, root: Path) -> None:
    """What to do when there is no audit of a kind."""
    st.info("Nothing to show yet. Make an audit, then reload this page:")
    st.code(command, language="bash")
    st.text("Audits are looked for in the runs in:")
    st.code(str(root), language=None)


def show_deepfake(audit: StoredDeepfakeAudit) -> None:
    report_button(audit.run, "deepfake", audit.folder)
    verdict = audit.verdict
    st.text(verdict["headline"])
    st.text(f"That means: {verdict['meaning']}")
    for line in verdict["reasons"]:
        st.text(f"Because: {line}")
    for line in verdict["cautions"]:
        st.text(f"Caution: {line}")
    blocks = audit.block_frame()
    if audit.confounded:
        st.warning("The sets differ in more than their origin. The figures below measure that, not separability.")
    if len(blocks):
        st.subheader("By kind of trace")
        st.text(
            "AUC of a classifier that never saw the clips it judges: 0.5 is guessing, 1 is telling every one apart."
        )
        show_chart(auc_plot, blocks, "block", alt="AUC of each block of traces with its interval")
        st.dataframe(blocks.round(3), hide_index=True, placeholder="–", alt="AUC by block of traces")
        export_tables(f"deepfake-{audit.folder}", "Separability", [audit.label], {"Traces": blocks}, "deepfake")
    controls = audit.control_frame()
    if len(controls):
        st.subheader("Floors and ceilings")
        st.text(
            "A floor says what an AUC is worth that nothing real stands behind; a ceiling, what a known fault gives."
        )
        known = controls.dropna(subset=["value"])
        if len(known):
            show_chart(auc_plot, known, "name", alt="AUC of floors and ceilings with intervals")
        st.dataframe(controls.round(3), hide_index=True, placeholder="–", alt="Floors, ceilings and marks")
    st.subheader("What separates the sets without a picture")
    st.dataframe(audit.nuisance_frame().round(3), hide_index=True, placeholder="–", alt="Nuisances before and after")
    detectors = audit.detector_frame()
    if len(detectors):
        st.subheader("Detectors under attack")
        st.text("The threshold is frozen on clean clips: a shift is what an attack does to somebody who keeps it.")
        st.dataframe(detectors.round(3), hide_index=True, placeholder="–", alt="Detectors under attack")
    with st.expander("What was and was not measured"):
        st.dataframe(audit.ledger_frame(), hide_index=True, alt="Clips asked for and measured")


def auc_plot(frame: pd.DataFrame, name: str) -> alt.LayerChart | alt.FacetChart:
    """A dot and its interval for each line; guessing as a dashed line."""
    axis = alt.X("low:Q", title="AUC", scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
        tooltip=[f"{name}:N", *(alt.Tooltip(f"{end}:Q", format=".3f") for end in ("value", "low", "high"))],
    )
    bars = base.mark_rule(strokeWidth=3, color="#2a7fc1", opacity=0.75).encode(x=axis, x2="high:Q")
    dots = base.mark_point(filled=True, size=80, color="#2a7fc1", opacity=1).encode(x="value:Q")
    guess = alt.Chart(pd.DataFrame({"x": [0.5]})).mark_rule(strokeDash=[4, 3], color="#d8622b").encode(x="x:Q")
    return alt.layer(guess, bars, dots).properties(width=520, height=alt.Step(22))


def show_provenance(root: Path, audit: StoredProvenanceAudit) -> None:
    report_button(audit.run, "provenance", audit.folder)
    shares = audit.share_frame()
    st.dataframe(shares.round(3), hide_index=True, placeholder="–", alt="Shares of states and verdicts with intervals")
    clips = audit.clip_frame()
    st.text("Tick a clip to see it beside what its credentials say.")
    left, right = st.columns([3, 1])
    with left:
        event = st.dataframe(
            clips,
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key=f"clips/{audit.run}/{audit.folder}",
            column_config={"file": st.column_config.TextColumn(pinned=True, width=160)},
            alt="Credentials of each clip",
        )
    ticked = event.selection.rows[0] if event.selection.rows else 0
    with right:
        show_clip(root, audit, str(clips["file"].iloc[ticked]))
    export_tables(f"provenance-{audit.folder}", "Provenance", [audit.label], {"Clips": clips}, "provenance")
    chains = audit.chain_frame()
    if len(chains):
        st.subheader("What laundering leaves")
        st.dataframe(chains, hide_index=True, placeholder="–", alt="Chains of laundering")


def show_clip(root: Path, audit: StoredProvenanceAudit, file: str) -> None:
    """The clip, where it is one of the run's own."""
    path = find_clip(root, audit.run, file)
    if path is None or path.suffix[1:] not in PLAYED:
        st.text("This clip cannot be played here.")
        return
    st.video(clip_url(base_url(), audit.run, path.name), loop=True, alt="the clip that is ticked")
    st.text(file[:16])


page()
