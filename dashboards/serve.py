"""Serves the dashboard: the Streamlit app, the clips and the security headers as one ASGI app on loopback."""

from __future__ import annotations

import ipaddress
import socket
import sys
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from benchmarks.store import StoreError
from dashboards.clips import clips_route
from dashboards.guard import Guard
from dashboards.player import player_routes
from dashboards.reports import reports_route
from dashboards.warm import read_ahead

APP_SCRIPT = Path(__file__).parent / "app.py"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class ServeError(StoreError):
    """A server that cannot be started as asked: the user's mistake, one line."""


def serve(runs: Path, host: str = "127.0.0.1", port: int = 8501, *, allow_remote: bool = False) -> None:
    """Serve the dashboard over the runs in `runs` until interrupted.

    runs: the folder that sweeps write to; it may be empty or not exist yet.
    allow_remote: must be True for a host that other machines can reach; a warning is then printed, for the dashboard
        has no passwords.
    Raises ServeError, with what to do, for a remote host without allow_remote and for a port that is taken.
    """
    if not is_loopback(host):
        if not allow_remote:
            raise ServeError(f"{host} can be reached from other machines: add --allow-remote if you mean it")
        print(_REMOTE_WARNING.format(host=host), file=sys.stderr)
    _require_free(host, port)
    hosts = (*LOOPBACK_NAMES, host) if is_loopback(host) else ()
    read_ahead(runs)
    build_app(runs, hosts).run(config=streamlit_options(host, port))


def build_app(runs: Path, hosts: tuple[str, ...] = LOOPBACK_NAMES) -> st.App:
    """The ASGI app.

    The pages learn the runs folder from `st.secrets["moviegen"]["runs"]`, set here in memory: no file, no environment
    variable, and each app has its own.
    """
    # As st.navigation does at its first call: until then an address such as /bias would run a page's file alone.
    PagesManager.uses_pages_directory = False
    return st.App(
        APP_SCRIPT,
        secrets={"moviegen": {"runs": str(runs.resolve())}},
        routes=[clips_route(runs), reports_route(runs), *player_routes(runs)],
        middleware=[Middleware(Guard, hosts=hosts)],
    )


def streamlit_options(host: str, port: int) -> dict[str, Any]:
    """Streamlit's settings: nothing phones home, no developer tools, no file watching."""
    shown_host = socket.gethostname() if _is_wildcard(host) else host
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableStaticServing": False,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.maxUploadSize": 1,
        # Without it Streamlit asks a remote service for the machine's public address.
        "browser.serverAddress": shown_host,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "full" if is_loopback(host) else "none",
        "client.showErrorLinks": False,
        # Otherwise any bare expression or string in a page is printed on it.
        "runner.magicEnabled": False,
        **_THEME,
    }


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name other than localhost counts as remote)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServeError(f"cannot listen on {host} port {port} ({reason}): choose another --port") from error


_THEME = {
    "theme.light.primaryColor": "#1f5fae",
    "theme.dark.primaryColor": "#6db0f2",
    "theme.headingFontSizes": ["2.1rem", "1.5rem", "1.25rem"],
    "theme.paddingTop": "2.5rem",
}

_REMOTE_WARNING = (
    "warning: the dashboard on {host} can be read by every machine that reaches this one. It has no passwords and no "
    "encryption: put it behind a proxy that has both, or use an SSH tunnel to 127.0.0.1."
)
