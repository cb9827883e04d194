"""Addresses that pages put into themselves."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st


def base_url() -> str:
    """Scheme and host of the page: st.video and st.iframe take a relative address for a path on disk."""
    address = urlsplit(st.context.url or "http://localhost")
    return f"{address.scheme}://{address.netloc}"
