"""Face packs: folders of ONNX files that insightface knows by their form, and which of them there are.

    open_pack("backlot-faces")      shipped; trained on the Backlot's faces, and of use there alone
    open_pack("buffalo_l")          the user's, from the weights folder (moviegen weights pull buffalo_l)

insightface fetches a pack that it does not find: here it is only ever given a folder that holds one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.encoders.local import find, pinned
from eval.encoders.networks.checkpoint import checked
from eval.faces.det_size import DetSizes
from eval.feature import NotMeasurable
from eval.hashing import file_sha256, json_sha256
from eval.weights import FOLDER

if TYPE_CHECKING:
    from eval.faces.pack import FacePack

SHIPPED = "backlot-faces"
CARD = "card.json"


@dataclass(frozen=True, slots=True)
class PackSpec:
    """What a pack is used with.

    sizes: of the pictures that its detector sees. threshold: of the detector's score. dimensions: of an embedding.
    together: cosine from which two neighbouring faces count as one when their boxes do not overlap.
    """

    name: str
    sizes: DetSizes
    dimensions: int
    threshold: float = 0.5
    together: float = 0.5


PACKS: Mapping[str, PackSpec] = {
    spec.name: spec
    for spec in (
        PackSpec(SHIPPED, DetSizes(smallest=128, largest=640), dimensions=128),
        PackSpec("buffalo_l", DetSizes(smallest=320, largest=640), dimensions=512, together=0.4),
        PackSpec("antelopev2", DetSizes(smallest=320, largest=640), dimensions=512, together=0.4),
    )
}


def weights_sha256(name: str) -> str:
    """The hash of a pack's files as they lie on the disk now; empty where they do not."""
    if name == SHIPPED:
        return _shipped_sha256()
    try:
        return pinned(name).sha256
    except (NotMeasurable, OSError):
        return ""


@cache
def _shipped_sha256() -> str:
    files = _onnx_files(FOLDER / SHIPPED)
    return json_sha256({path.name: file_sha256(path) for path in files}) if files else ""


def open_pack(name: str) -> FacePack:
    """A pack, ready to find faces; loaded once. Raises NotMeasurable in one line: no such files, or changed ones."""
    loaded = _loaded(name, weights_sha256(name))
    if isinstance(loaded, str):
        raise NotMeasurable(loaded)
    return loaded


@lru_cache(maxsize=8)
def _loaded(name: str, _sha256: str) -> FacePack | str:
    """The pack, or why there is none: a load that failed is not tried again for the next clip."""
    try:
        return load_pack(_folder(name), PACKS[name])
    except NotMeasurable as reason:
        return str(reason)


def _folder(name: str) -> Path:
    """The folder of a pack whose files have the hashes that its card or lock file says."""
    if name != SHIPPED:
        for file in pinned(name).files:
            checked(name, file)
        return find(name)
    folder = FOLDER / SHIPPED
    card = _card(folder)
    for path in _onnx_files(folder):
        if file_sha256(path) != card.get(path.name):
            raise NotMeasurable(f"{path} is not the file that its card names: install again, or train it anew")
    return folder


def _card(folder: Path) -> Mapping[str, Any]:
    """Name -> SHA-256 of the files that a pack's card names."""
    try:
        return {name: str(file["sha256"]) for name, file in json.loads((folder / CARD).read_bytes())["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise NotMeasurable(
            f"no face pack in {folder}: install again, or train one with `moviegen train faces`"
        ) from None


def _onnx_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.onnx"))


def load_pack(folder: Path, spec: PackSpec) -> FacePack:
    """The pack in a folder, whatever its name. Nothing is fetched. Raises NotMeasurable in one line."""
    from eval.faces.pack import FacePack

    if not _onnx_files(folder):
        raise NotMeasurable(f"no face pack in {folder}: it holds no ONNX file")
    return FacePack.load(folder, spec)
