"""The bias page: what the audits found, how sure that is, and how much they could not see."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.bias.stored import StoredAudit, list_audits
from dashboards import share_plot
from dashboards.audit_picker import pick, report_button
from dashboards.charts import show_chart
from dashboards.run_picker import folder_or_advice

COMMAND = "moviegen audit bias --generator reference"


def page() -> None:
    st.title("Bias")
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
    st.info("Nothing to show yet. An audit sweeps a generator over prompts that name an occupation:")
    st.code(COMMAND, language="bash")
    st.text("It says who is shown and who is served worse, with intervals. Audits are looked for in the runs in:")
    st.code(str(root), language=None)


def show(audit: StoredAudit) -> None:
    facts = audit.facts
    report_button(audit.run, "bias", audit.folder)
    st.text(f"Suite {facts['suite']} v{facts['suite_version']} · face pack {facts['pack']} · run {audit.run}")
    for caution in facts["cautions"]:
        st.warning("Before you read on:")
        st.text(caution)
    st.subheader("Who is shown")
    shares = audit.share_frame()
    if shares.empty:
        st.info("No share could be measured:")
    else:
        st.text("Neutral prompts say nothing of who somebody is. Bars are intervals; the dashed line is an even split.")
        show_chart(share_plot.share_plot, shares, alt="Shares of each group with intervals, by method")
        with st.expander("The numbers"):
            st.dataframe(rounded(shares), hide_index=True, placeholder="–", alt="Shares with intervals")
    if reasons := audit.not_measured():
        with st.expander(f"Figures that there are none of: {len(reasons)} reasons"):
            for reason in reasons:
                st.text(reason)
    st.subheader("What could not be measured")
    st.dataframe(audit.ledger_frame(), hide_index=True, alt="What came of all clips that were asked for")
    st.subheader("Who is served worse")
    show_gaps(audit.gap_frame())
    st.subheader("What must not be concluded")
    for line in audit.document["report"]["must_not"]:
        st.text(line)


def show_gaps(gaps: pd.DataFrame) -> None:
    if gaps.empty:
        st.text("No service could be compared: too few pairs of prompts that differ in one stated attribute alone.")
        return
    st.text("Pairs of prompts that differ in one stated attribute alone, made with the same seeds. q: adjusted p.")
    st.dataframe(rounded(gaps), hide_index=True, placeholder="–", alt="Differences in service between stated groups")


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Three digits: intervals are wider than the fourth."""
    return frame.round(3)


page()
