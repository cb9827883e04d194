"""The dashboard's entry: names the pages. Streamlit runs this file anew for every interaction."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"

# Streamlit fetches emoji and named icons for the tab from elsewhere; a drawing of our own needs no network.
TAB_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<rect width="16" height="16" rx="3" fill="#1f5fae"/>
<g stroke="#fff" stroke-width="1.5" stroke-linecap="round"><path d="M5 4.5h8M3 8h7M3 11.5h5"/></g>
<g fill="#fff">
<circle cx="9.5" cy="4.5" r="1.8"/><circle cx="6.5" cy="8" r="1.8"/><circle cx="5.2" cy="11.5" r="1.8"/></g>
</svg>"""

st.set_page_config(page_title="Movie Gen Bench", page_icon=TAB_ICON, layout="wide")
st.navigation(
    [
        st.Page(PAGES / "leaderboard.py", title="Leaderboard", icon=":material/leaderboard:", default=True),
        st.Page(PAGES / "compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page(PAGES / "cases.py", title="Cases", icon=":material/movie:"),
        st.Page(PAGES / "metric.py", title="Metric", icon=":material/query_stats:"),
        st.Page(PAGES / "identity.py", title="Identity", icon=":material/face:"),
        st.Page(PAGES / "bias.py", title="Bias", icon=":material/balance:"),
        st.Page(PAGES / "arena.py", title="Arena", icon=":material/how_to_vote:"),
        st.Page(PAGES / "watermark.py", title="Watermark", icon=":material/branding_watermark:"),
        st.Page(PAGES / "deepfake.py", title="Deepfake and provenance", icon=":material/policy:"),
        st.Page(PAGES / "runs.py", title="Runs", icon=":material/inventory_2:"),
    ],
    position="top",
).run()
