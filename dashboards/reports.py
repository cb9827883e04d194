"""The route that shows a stored report: /reports/<run>/<kind>/<audit>, a page of its own without script."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.audits import report_path
from dashboards.guard import REPORTS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def report_url(base: str, run: str, kind: str, folder: str) -> str:
    """Where the browser finds a report. base: scheme and host of the page, without a slash at the end."""
    return f"{base}{REPORTS}{run}/{kind}/{folder}"


def reports_route(runs: Path) -> Route:
    """The Starlette route that serves the audits' reports of every run in `runs`."""

    def report(request: Request) -> Response:
        names = [request.path_params[name] for name in ("run", "kind", "folder")]
        path = report_path(runs, *names) if all(_NAME.fullmatch(name) for name in names) else None
        if path is None:
            return PlainTextResponse("No such report.\n", status_code=404)
        return FileResponse(path, media_type="text/html")

    return Route(f"{REPORTS}{{run}}/{{kind}}/{{folder}}", report, methods=["GET"])
