"""Calibrate a face pack on impostors: `python -m eval.identity.calibrate PACK FOLDER`.

FOLDER holds a folder of pictures (PNG, JPEG) for each person: the first by name is the portrait, the others are other
pictures. Take people like those whom you will ask for, who have agreed to it, and hundreds of each group: what a
calibration supports, it says. It keeps no picture, name or embedding.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from eval.clip import ClipError
from eval.errors import UserError
from eval.faces.packs import PACKS, open_pack
from eval.feature import NotMeasurable
from eval.identity.impostors import Known, calibration, calibration_path, write_calibration
from eval.identity.portraits import describe
from eval.video import read_picture

SUFFIXES = {".png", ".jpg", ".jpeg"}


def main() -> None:
    """Read the command line; exits 2 with one line for the user's mistakes."""
    about = "Calibrate a face pack on impostors: people of your own, a folder of pictures each."
    parser = argparse.ArgumentParser(prog="python -m eval.identity.calibrate", description=about)
    parser.add_argument("pack", choices=sorted(PACKS))
    parser.add_argument("folder", type=Path, help="a folder of pictures for each person")
    asked = parser.parse_args()
    try:
        path = calibrate(asked.pack, asked.folder)
    except (UserError, NotMeasurable, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"wrote {path}")


def calibrate(pack: str, folder: Path) -> Path:
    """Measure the people of a folder and write the pack's calibration; its path.

    Raises UserError for a folder that is not there, NotMeasurable for a missing pack or too few people.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    content = calibration(list(_people(pack, folder)), pack, f"python -m eval.identity.calibrate {pack}")
    path = calibration_path(pack)
    write_calibration(content, path)
    return path


def _people(pack: str, folder: Path) -> Iterator[Known]:
    """Everybody with a portrait and at least one other picture; pictures that do not serve are named and left out."""
    loaded = open_pack(pack)
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = []
        for picture in sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES):
            try:
                found.append(describe(np.ascontiguousarray(read_picture(picture)), loaded))
            except (ClipError, NotMeasurable) as reason:
                print(f"left out: {picture.name} of {person.name}: {reason}", file=sys.stderr)
        if len(found) > 1:
            yield Known(found[0].group, found[0].embedding_D, np.stack([one.embedding_D for one in found[1:]]))


if __name__ == "__main__":
    main()
