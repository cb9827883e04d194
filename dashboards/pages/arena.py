"""The arena: blind votes between two clips, and what they say.

Two views, only one of which is ever on the page: the results name generators, and voting must not.
"""

from __future__ import annotations

import streamlit as st

from dashboards.arena_results import show_results
from dashboards.arena_vote import show_voting
from dashboards.run_picker import choose, title_row

VOTE, RESULTS = "vote", "results"


def page() -> None:
    title, *boxes = title_row()
    title.title("Arena")
    chosen = choose(*boxes)
    if chosen is None:
        return
    view = st.segmented_control("View", [VOTE, RESULTS], default=VOTE, required=True, key="view", bind="query-params")
    if view == RESULTS:
        show_results(chosen.run)
    else:
        show_voting(chosen.run)


page()
