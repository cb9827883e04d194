"""What the pages of audits share: which audit is shown, its address, and the way to its report."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards.address import base_url
from dashboards.reports import report_url


def pick(audits: Sequence[tuple[str, str]], name: str = "audit") -> int:
    """The place of the audit that the reader chose, of (key, label) pairs; its key always stands in the address.

    name: of the box, and of the address's parameter.
    """
    keys = [key for key, _ in audits]
    wanted = st.query_params.get(name, "")
    index = keys.index(wanted) if wanted in keys else 0
    place = int(st.selectbox(name.capitalize(), range(len(keys)), index=index, format_func=lambda i: audits[i][1]))
    if st.query_params.get(name) != keys[place]:
        st.query_params[name] = keys[place]
    return place


def report_button(run: str, kind: str, folder: str) -> None:
    """Opens the audit's own report, which is a page without script."""
    url = report_url(base_url(), run, kind, folder)
    st.link_button("Open the full report", url, icon=":material/description:")
