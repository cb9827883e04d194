"""What the encoder's towers are trained on: each rendered clip once through the reader's trunk, kept on disk.

The trunk is the greatest part of the work by far and is not trained here; what it sees of a clip is a few hundred
numbers.

Shape legend: N clips, T frames, C channels, H height, W width, D features.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from eval.cache import write_atomically
from eval.features.backlot_encoder.network import Trunk
from eval.hashing import json_sha256
from moviegen.backlot import Scene
from moviegen.training.reader_augment import FramesTHWC, augmented
from moviegen.training.reader_data import PER_FILE, Clips, ClipsError, Split, make_clips, rendered
from moviegen.training.reader_figures import to_network

FloatND = npt.NDArray[np.float16]
BATCH = 32
FRAMES = 2
"""Frames of a clip that are seen on their own: what they have in common is what stays."""
FEW = 32
"""Held-out clips that are rendered at least; from here on whole files of them are."""


@dataclass(frozen=True, slots=True)
class Views:
    """What the trunk sees of each clip: of the clip as a whole, and of two of its frames, each on its own."""

    clips_ND: FloatND
    frames_NFD: FloatND

    def __len__(self) -> int:
        return len(self.clips_ND)

    def rows(self, chosen: Sequence[int]) -> Views:
        """Those of some of the clips."""
        return Views(self.clips_ND[list(chosen)], self.frames_NFD[list(chosen)])


def make_views(
    folder: Path,
    name: str,
    trunk: Trunk,
    count: int,
    frames: Callable[[int], FramesTHWC],
    on_clips: Callable[[int], None] = lambda _: None,
) -> Views:
    """Views of `count` clips, in files of PER_FILE clips in `folder`; files that exist are kept.

    folder: must belong to this trunk. frames: gives a clip's frames, uint8 T,H,W,3. Raises ClipsError for a damaged
    file.
    """
    parts = []
    for first in range(0, count, PER_FILE):
        rows = range(first, min(first + PER_FILE, count))
        path = folder / f"{name}-{first:06d}-{len(rows)}.npy"
        if not path.exists():
            stream = io.BytesIO()
            np.save(stream, _seen(trunk, rows, frames), allow_pickle=False)
            write_atomically(path, stream.getvalue())
        parts.append(_read(path, len(rows), trunk.clip_features + FRAMES * trunk.frame_features))
        on_clips(len(rows))
    all_ND = np.concatenate(parts)
    frames_NFD = all_ND[:, trunk.clip_features :].reshape(count, FRAMES, trunk.frame_features)
    return Views(all_ND[:, : trunk.clip_features], frames_NFD)


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Rendered clips in a folder, and what a trunk sees of them in a folder below, named after the trunk."""

    folder: Path
    trunk: Trunk
    trunk_sha256: str
    progress: bool = False

    def training(self, count: int) -> Views:
        """The first training clips, worn."""
        with self._bar("rendering scenes", count) as step:
            clips = make_clips(self.folder, "train", count, lambda: step(1))
        return self.see("train", count, lambda row: worn(clips, row))

    def held_out(self, split: Split, rows: Sequence[int]) -> Views:
        """Some clips of a held-out split, undamaged. All up to the last of them are rendered, in whole files."""
        count = -(-(max(rows) + 1) // PER_FILE) * PER_FILE if max(rows) >= FEW else FEW
        with self._bar("rendering held-out scenes", count) as step:
            clips = make_clips(self.folder, split, count, lambda: step(1))
        return self.see(split.replace(", ", "-").replace(" ", "-"), count, clips.frames).rows(rows)

    def scenes(self, name: str, scenes: Sequence[Scene]) -> Views:
        """Views of any scenes' clips, undamaged, kept under a name that tells of these very scenes."""
        told = json_sha256([scene.to_dict() for scene in scenes])
        return self.see(f"{name}-{told[:12]}", len(scenes), lambda number: rendered(scenes[number]))

    def see(self, name: str, count: int, frames: Callable[[int], FramesTHWC]) -> Views:
        """Views of `count` clips of any kind, kept under a name."""
        with self._bar(f"seeing clips: {name}", count) as step:
            home = self.folder / f"views-{self.trunk_sha256[:12]}"
            return make_views(home, name, self.trunk, count, frames, step)

    @contextmanager
    def _bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar, and how to move it on."""
        from rich.progress import Progress

        with Progress(transient=True, disable=not self.progress) as bar:
            task = bar.add_task(what, total=total)
            yield lambda more: bar.advance(task, more)


def worn(clips: Clips, row: int) -> FramesTHWC:
    """A training clip with the damage that generators do, half of them in a mirror."""
    random = _random(row)
    frames_THWC = clips.frames(row)
    if random.random() < 0.5:
        frames_THWC = np.ascontiguousarray(frames_THWC[:, :, ::-1])
    return augmented(frames_THWC, random)


def is_mirrored(row: int) -> bool:
    """Whether worn() shows training clip `row` in a mirror."""
    return bool(_random(row).random() < 0.5)


def _random(row: int) -> np.random.Generator:
    return np.random.default_rng((7, row))


@torch.inference_mode()
def _seen(trunk: Trunk, rows: range, frames: Callable[[int], FramesTHWC]) -> FloatND:
    """float16 N,D: the clip's features, then those of two of its frames."""
    found = []
    for first in range(0, len(rows), BATCH):
        some = rows[first : first + BATCH]
        clips_NTCHW = to_network(np.stack([frames(row) for row in some]))
        chosen_NF = torch.tensor([two_frames(row, clips_NTCHW.shape[1]) for row in some])
        singles_NFCHW = clips_NTCHW[torch.arange(len(some))[:, None], chosen_NF]
        single_ND = trunk.frames(singles_NFCHW.flatten(0, 1)).view(len(some), -1)
        found.append(torch.cat([trunk.clips(clips_NTCHW), single_ND], dim=1).half().numpy())
    return np.concatenate(found)


def two_frames(row: int, total: int) -> tuple[int, int]:
    """Numbers of the frames that are looked at of clip `row`; different ones where there are."""
    random = np.random.default_rng((8, row))
    first = int(random.integers(total))
    return first, (first + 1 + int(random.integers(max(1, total - 1)))) % total


def _read(path: Path, count: int, width: int) -> FloatND:
    try:
        array: FloatND = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ClipsError(f"{path}: damaged ({error}): delete it and run again") from None
    if array.dtype != np.float16 or array.shape != (count, width):
        raise ClipsError(f"{path}: holds something else ({array.dtype} {array.shape}): name another folder")
    return array
