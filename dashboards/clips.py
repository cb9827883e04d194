"""The route that plays clips: /clips/<run>/<sha256>.<ext>, with range requests, a file at a time from disk."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    # Chromium and Firefox refuse video/quicktime but play the same boxes as mp4.
    "mov": "video/mp4",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "gif": "image/gif",
    "png": "image/png",
    "wav": "audio/wav",
}

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_CLIP = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(MEDIA_TYPES)})")


def clip_url(base: str, run: str, file_name: str) -> str:
    """Where the browser finds a clip. base: scheme and host of the page, without a slash at the end."""
    return f"{base}/clips/{run}/{file_name}"


def find_clip(runs: Path, run: str, file_name: str) -> Path | None:
    """The clip's file, or None when the names are not a run and a hash-named clip inside the runs folder.

    A link that leads out of the run's clips folder is treated as unknown.
    """
    if not _RUN.fullmatch(run) or not _CLIP.fullmatch(file_name):
        return None
    folder = runs.resolve() / run / "clips"
    path = (folder / file_name).resolve()
    return path if path.parent == folder and path.is_file() else None


def clips_route(runs: Path) -> Route:
    """The Starlette route that serves the clips of every run in `runs`."""

    def clip(request: Request) -> Response:
        path = find_clip(runs, request.path_params["run"], request.path_params["file_name"])
        if path is None:
            return PlainTextResponse("No such clip.\n", status_code=404)
        # The name is the hash of the content, so a browser may keep it for good.
        return FileResponse(
            path,
            media_type=MEDIA_TYPES[path.suffix[1:]],
            headers={"Cache-Control": "private, max-age=31536000, immutable"},
        )

    return Route("/clips/{run}/{file_name}", clip, methods=["GET"])
