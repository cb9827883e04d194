"""`--from`: a hub's repository, an address, or a path."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.weights.disk import LocalPlace
from benchmarks.weights.errors import PullError
from benchmarks.weights.place import Place, is_the_file
from benchmarks.weights.web import web_place
from eval.encoders.registry import Encoder

HUB = "https://huggingface.co"
_HUB = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w.-]+))?")


def place_of(text: str, encoder: Encoder, hub: str = HUB) -> Place:
    """Read `hub:OWNER/NAME[@REVISION]`, an https:// address of a folder or of the only file, or a local path.

    hub: the address of the hub, or of a mirror of it. Raises PullError.
    """
    if text.startswith("hub:"):
        found = _HUB.fullmatch(text)
        if found is None:
            raise PullError(f"{text}: not hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
        text = f"{hub.rstrip('/')}/{found['repository']}/resolve/{found['revision'] or 'main'}"
    if "://" in text:
        return web_place(text, encoder)
    path = Path(text).expanduser()
    if path.is_dir() or (path.is_file() and is_the_file(path.name, encoder)):
        return LocalPlace(path)
    if path.is_file():
        names = ", ".join(file.name for file in encoder.files)
        raise PullError(f"{path}: {encoder.name} is made of {names}: give the folder that holds them")
    raise PullError(f"{path}: there is no such folder; a hub's repository is written hub:OWNER/NAME")
