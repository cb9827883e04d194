"""The watermark page: how well marks survive, what they cost, how often they lie."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.watermark.stored import StoredAudit, list_audits
from dashboards import mark_plots
from dashboards.audit_picker import pick, report_button
from dashboards.charts import show_chart
from dashboards.exports import export_tables
from dashboards.run_picker import folder_or_advice

ALL = "all attacks"
COMMAND = "moviegen audit watermark --mark learned,spread-dct --generator reference --quick"


def page() -> None:
    st.title("Watermark")
    root = folder_or_advice()
    if root is None:
        return
    audits = list_audits(root)
    if not audits:
        nothing_yet(root)
        return
    show(audits[pick([(f"{audit.run}/{audit.folder}", audit.label) for audit in audits])])


def nothing_yet(root: Path) -> None:
    """What to do when there is no audit."""
    st.info("Nothing to show yet. An audit marks clips, attacks them, and asks what is left:")
    st.code(COMMAND, language="bash")
    st.text("Its rate of false alarms is measured on clips without a mark. Audits are looked for in the runs in:")
    st.code(str(root), language=None)


def show(audit: StoredAudit) -> None:
    report_button(audit.run, "watermark", audit.folder)
    st.text(
        f"{', '.join(audit.marks())} on {audit.about['title']} · plan of {audit.about['created']} · run {audit.run}"
    )
    for note in audit.about["notes"]:
        st.text(f"Caution: {note}")
    cells = audit.heat_frame()
    st.subheader("What survives")
    measures = list(dict.fromkeys(cells["measure"])) if len(cells) else []
    measure = st.selectbox("Measure", measures) if measures else None
    heat = cells[cells["measure"] == measure].drop(columns="measure")
    if heat["value"].notna().any():
        st.text(
            "1 in each cell is the best. An attack's own ladder runs from left to right; the tooltip has the interval."
        )
        for mark, own in heat.groupby("mark", sort=False):
            st.text(str(mark))
            show_chart(mark_plots.heat_map, own, alt="Attack by strength: one number per cell")
    else:
        st.text("No attack has a number.")
    with st.expander("The numbers, with intervals"):
        st.dataframe(rounded(heat), hide_index=True, placeholder="–", alt="What survives each attack, with intervals")
    export_tables(f"watermark-{audit.folder}", "Watermark audit", [audit.label], {"What survives": cells})
    show_errors(audit)
    show_survival(audit.survival_frame())
    show_costs(audit)
    st.subheader("What could not be measured")
    ledger = audit.ledger_frame()
    if ledger.empty:
        st.text("Every trial has its numbers.")
    else:
        st.dataframe(ledger, hide_index=True, alt="Trials without a number, with their reasons")


def show_errors(audit: StoredAudit) -> None:
    st.subheader("How often it lies")
    curves = audit.roc_frame()
    if curves.empty:
        st.text("No curve: the audit had no unmarked clips.")
        return
    st.text(
        "Share of marked clips detected at each rate of false alarms; below the smallest known rate nothing is said."
    )
    names = list(dict.fromkeys(curves["curve"]))
    curve = st.selectbox("Attacked by", names, index=names.index(ALL) if ALL in names else 0)
    shown = curves[curves["curve"] == curve]
    show_chart(mark_plots.roc_plot, shown, alt="Share detected by rate of false alarms")


def show_survival(curve: pd.DataFrame) -> None:
    st.subheader("How long it lasts")
    if curve.empty:
        st.text("No chain of reshares was among the attacks.")
        return
    st.text("A clip that is shared again and again: half of the marks are gone after the half-life.")
    for chain, own in curve.groupby("chain", sort=False):
        st.text(str(chain))
        show_chart(mark_plots.survival_plot, own, alt="Share of marks still detected after each reshare")
    halves = curve.drop_duplicates(["mark", "chain"])[["mark", "chain", "half_life", "half_low", "half_high", "last"]]
    st.dataframe(rounded(halves), hide_index=True, placeholder="longer than looked at", alt="Half-life of each mark")


def show_costs(audit: StoredAudit) -> None:
    st.subheader("What it costs")
    tax = audit.tax_frame()
    if tax.empty:
        st.text("No quality metric was asked for.")
    else:
        st.text(
            "The same clips without and with the mark; differences are paired, q is adjusted for how many there are."
        )
        st.dataframe(rounded(tax), hide_index=True, placeholder="–", alt="Metrics without and with the mark")
    frontier = audit.frontier_frame()
    if len(frontier):
        st.text(
            "Removal and forgery at equal quality: the most that an attacker wins when the clip keeps that quality."
        )
        st.dataframe(rounded(frontier), hide_index=True, placeholder="–", alt="Removal and forgery at equal quality")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Three digits: intervals are wider than the fourth."""
    return frame.round(3)


page()
