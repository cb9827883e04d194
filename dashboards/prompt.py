"""The prompt above its clips: plain text in a frame."""

from __future__ import annotations

import streamlit as st

NO_PROMPT = "(no prompt)"


def show_prompt(prompt: str | None) -> None:
    """The prompt as it was given, never read as Markdown or HTML.

    Not st.code: its highlighter is as large as everything else that a browser loads for a page.
    """
    with st.container(border=True, key="prompt"):
        st.text(prompt or NO_PROMPT)
