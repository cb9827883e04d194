"""Calibrate a face pack on impostors: `python -m eval.identity.calibrate PACK FOLDER`.

FOLDER holds a folder of pictures (PNG, JPEG) for each person: the first by name is the portrait, the others are other
pictures. Take people like those whom you will ask for, who have agreed to it, and hundreds of each group: what a
calibration supports, it says. It keeps no picture, name or embedding.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eval.clip import ClipError
from eval.errors import UserError
from eval.faces.packs import PACKS, open_pack
from eval.feature import NotMeasurable
from eval.identity.impostors import Known, calibration, calibration_path, write_calibration
from eval.identity.portraits import Picture, describe
from eval.video import read_picture

if TYPE_CHECKING:
    from eval.faces.pack import FacePack

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
    """Everybody in the folder who is known; pictures that do not serve are named and left out."""
    loaded = open_pack(pack)
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        paths = sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES)
        pictures = (picture for path in paths if (picture := _read(path)) is not None)

        def left_out(reason: str, person: str = person.name) -> None:
            print(f"left out: a picture of {person} {reason}", file=sys.stderr)

        if found := known(pictures, loaded, left_out):
            yield found


def _read(path: Path) -> Picture | None:
    try:
        return np.ascontiguousarray(read_picture(path))
    except ClipError as error:
        print(f"left out: {error}", file=sys.stderr)
        return None


def known(
    pictures: Iterable[Picture], pack: FacePack, left_out: Callable[[str], None] = lambda _: None
) -> Known | None:
    """One person as the pack reads the portrait, the first picture that serves, and the others; None without others.

    pictures: uint8 RGB H,W,3. left_out: told why a picture does not serve.
    """
    found = []
    for picture_HWC in pictures:
        try:
            found.append(describe(picture_HWC, pack))
        except NotMeasurable as reason:
            left_out(str(reason))
    if len(found) < 2:
        return None
    return Known(found[0].group, found[0].embedding_D, np.stack([one.embedding_D for one in found[1:]]))


if __name__ == "__main__":
    main()
