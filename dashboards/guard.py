"""What every response carries and which requests are let in: the browser's part of "untrusted in, safe out"."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

REPORTS = "/reports/"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""A stranger's run may hold any page as its report: it gets no script and no origin, whatever it says."""

PLAYER = "/play/"
PLAYER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The player's pages stand in a frame of ours and run the one script that plays clips in step."""

_INLINE_SCRIPT = re.compile(r"<script(?:\s[^>]*)?>(.*?)</script>", re.DOTALL)


def inline_script_hashes(html: str) -> list[str]:
    """The CSP sources that allow exactly the inline scripts of `html`, and no other inline script."""
    bodies = _INLINE_SCRIPT.findall(html)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in bodies if b]


def content_security_policy() -> str:
    """Everything from this server, nothing from elsewhere, no frames around it, no scripts in its text.

    Styles must be inline because Streamlit writes its theme at run time; scripts need not be, so the inline ones of
    Streamlit's own index page are named by their hash.
    """
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = " ".join(["'self'", *inline_script_hashes(index.read_text(encoding="utf-8"))])
    rules = [
        "default-src 'self'",
        f"script-src {scripts}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self'",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'self'",
    ]
    return "; ".join(rules)


def security_headers() -> dict[str, str]:
    """Header names and values for every HTTP response."""
    return {
        "Content-Security-Policy": content_security_policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    }


class Guard:
    """ASGI middleware: adds the security headers; turns away foreign hosts and other sites' pages.

    hosts: names under which the server may be addressed, which stops DNS rebinding; empty: any name.
    A WebSocket whose Origin is another site is closed here, before Streamlit would look up its public address.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._headers = security_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not (self._host_known(scope) and _same_origin(scope)):
            await WebSocketClose(code=1008, reason="another site")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if scope["path"].startswith(REPORTS):
                    headers["Content-Security-Policy"] = REPORT_POLICY
                elif scope["path"].startswith(PLAYER):
                    headers["Content-Security-Policy"] = PLAYER_POLICY
                    headers["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        if self._host_known(scope):
            await self._app(scope, receive, send_with_headers)
        else:
            refusal = PlainTextResponse("This server does not answer to that host name.\n", status_code=400)
            await refusal(scope, receive, send_with_headers)

    def _host_known(self, scope: Scope) -> bool:
        return not self._hosts or _hostname("//" + Headers(scope=scope).get("host", "")) in self._hosts


def _same_origin(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
