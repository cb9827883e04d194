"""The player: several clips of a run in step, or frames of one clip at given times, as a small page of its own.

    /play/<run>?clip=<sha256>.<ext>&clip=…            in step, with one set of controls
    /play/<run>?still=<sha256>.<ext>@<seconds>&…      each clip standing at its moment

Streamlit's own players know nothing of each other, and its pages may hold no script but its own; this page may run one
script, `player.js`, from this server. It holds no text from outside: clips are named A, B, C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_uppercase
from urllib.parse import urlencode

import streamlit as st
from jinja2 import Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboards.address import base_url
from dashboards.charts import is_dark
from dashboards.clips import find_clip
from dashboards.guard import PLAYER

FOLDER = Path(__file__).parent
SCRIPTS = {"player.js": "text/javascript", "player.css": "text/css"}
PLAYED = {"mp4", "m4v", "mov", "webm", "mkv"}
MOST = 8
CONTROLS_PX = 70
_STILL = re.compile(r"([^@]{1,80})@(\d{1,5}(?:\.\d{1,3})?)")


def play_together(run: str, files: Sequence[str], *, height: int = 420) -> None:
    """Show clips of one run in step. files: names in the run's clips folder; what browsers cannot play is left out."""
    playable = [name for name in files if name.rpartition(".")[2] in PLAYED][:MOST]
    if not playable:
        st.text("Browsers do not play these files; they are in the run's clips folder.")
        return
    _frame(run, [("clip", name) for name in playable], height + CONTROLS_PX, "Clips played in step")


def show_moments(run: str, file: str, times_s: Sequence[float], *, height: int = 150) -> None:
    """Show one clip's frames at some moments, in seconds, side by side."""
    if file.rpartition(".")[2] in PLAYED and times_s:
        stills = [("still", f"{file}@{time_s:.3f}") for time_s in times_s[:MOST]]
        _frame(run, stills, height, "Frames of the clip")


def _frame(run: str, clips: Sequence[tuple[str, str]], height: int, alt: str) -> None:
    theme = "dark" if is_dark() else "light"
    st.iframe(f"{base_url()}{PLAYER}{run}?{urlencode([*clips, ('theme', theme)])}", height=height, alt=alt)


def player_routes(runs: Path) -> list[Route]:
    """The Starlette routes of the player, over the clips of every run in `runs`."""

    def page(request: Request) -> Response:
        run, query = request.path_params["run"], request.query_params
        wanted: list[tuple[str, str | None]] = [(name, None) for name in query.getlist("clip")]
        wanted += [(found[1], found[2]) for still in query.getlist("still") if (found := _STILL.fullmatch(still))]
        asked = len(query.getlist("clip")) + len(query.getlist("still"))
        known = [(name, at) for name, at in wanted if find_clip(runs, run, name) and name.rpartition(".")[2] in PLAYED]
        if not known or len(known) < asked or asked > MOST:
            return PlainTextResponse("No such clips.\n", status_code=404)
        shown = [
            {"letter": letter, "address": f"/clips/{run}/{name}", "at": at}
            for letter, (name, at) in zip(ascii_uppercase, known, strict=False)
        ]
        theme = "dark" if query.get("theme") == "dark" else "light"
        return HTMLResponse(_PAGE.render(clips=shown, theme=theme, controls=known[0][1] is None))

    return [
        Route(f"{PLAYER}{{run}}", page, methods=["GET"]),
        *(Route(f"/{name}", _file(name), methods=["GET"]) for name in SCRIPTS),
    ]


def _file(name: str) -> Callable[[Request], Response]:
    return lambda _request: FileResponse(FOLDER / name, media_type=SCRIPTS[name])


_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    """<!doctype html>
<html lang="en" data-theme="{{ theme }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Clips</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/player.css">
<script src="/player.js" defer></script>
</head>
<body>
<div class="clips">
{% for clip in clips %}
{% set source = clip.address ~ ("" if clip.at is none else "#t=" ~ clip.at) %}
<figure><video src="{{ source }}" playsinline muted preload="auto" aria-label="clip {{ clip.letter }}"></video>
<figcaption>{{ clip.letter if clip.at is none else clip.at ~ " s" }}</figcaption></figure>
{% endfor %}
</div>
{% if controls %}
{% set what = "all" if clips | length > 2 else "both" if clips | length == 2 else "" %}
<div class="controls">
<button id="play" type="button" data-play="Play {{ what }}" data-pause="Pause {{ what }}">Play {{ what }}</button>
<input id="place" type="range" min="0" max="1000" value="0" aria-label="Place in the clips">
<output id="clock">0.00 s</output>
<label>Speed <select id="speed"><option value="0.25">¼</option><option value="0.5">½</option>
<option value="1" selected>1</option><option value="2">2</option></select></label>
<label>Sound <select id="sound"><option value="none">none</option>
{% for clip in clips %}
<option value="{{ loop.index0 }}"{{ " selected" if loop.first }}>{{ clip.letter }}</option>
{% endfor %}
</select></label>
</div>
{% endif %}
</body>
</html>
"""
)
