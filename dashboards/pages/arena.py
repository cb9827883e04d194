"""The arena: blind votes between two clips, and what they say.

Two views, only one of which is ever on the page: the results name generators, and voting must not.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards.arena_results import show_results
from dashboards.arena_vote import show_rater, show_voting, voting
from dashboards.run_picker import choose, title_row

VOTE, RESULTS = "vote", "results"


def page() -> None:
    at_work = voting() and st.session_state.get("view", st.query_params.get("view")) != RESULTS
    if at_work:  # clips, question and buttons fit on a screen when what was chosen once stands below
        with st.container(horizontal=True, vertical_alignment="center"):
            view = pick_view()
            show_rater()
        stage = st.container()
        options: DeltaGenerator = st.expander("Run and question")
        chosen = choose(*options.columns([2, 5]))
    else:
        title, *boxes = title_row()
        title.title("Arena")
        chosen = choose(*boxes)
        if chosen is None:
            return
        view = pick_view()
        stage = options = st.container()
    if chosen is None:
        return
    if view == RESULTS:
        show_results(chosen.run)
    else:
        show_voting(chosen.run, stage, options)


def pick_view() -> str:
    """Voting or results, in the address; never both, for the results name generators."""
    views, linked = [VOTE, RESULTS], st.query_params.get("view")
    if st.session_state.get("view") not in views:
        st.session_state["view"] = linked if linked in views else VOTE
    view = st.segmented_control("View", views, required=True, key="view", label_visibility="collapsed") or VOTE
    if linked != view:  # by hand: a bound control that changes its place on the page leaves the address as it was
        st.query_params["view"] = view
    return view


page()
