"""The motion vectors that a codec wrote into a file, read while it is decoded.

Shape legend: T frames, V vectors of one frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.codec.context import Flags2
from av.video.frame import PictureType, VideoFrame

from eval.clip import DEFAULT_LIMITS
from eval.video.container import VIDEO_FORMATS, Progress, open_container, picture_decoder, picture_stream, reading

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FrameVectors:
    """The vectors of one predicted frame.

    across_V, down_V: motion in pixels from the reference, down positive. area_V: pixels that each one moves.
    pixels: of the frame; what no vector covers was coded without prediction.
    """

    across_V: Floats
    down_V: Floats
    area_V: Floats
    pixels: int


def motion_vectors(path: Path) -> Iterator[FrameVectors]:
    """The vectors of every predicted frame of a video file (H.264, HEVC and MPEG codecs write them; others give none).

    Raises ClipError as reading does.
    """
    with open_container(path, VIDEO_FORMATS) as container, reading(path.name, Progress()):
        video = picture_stream(container)
        assert video is not None, "a clip that was scanned has a picture"
        decoder = picture_decoder(video, DEFAULT_LIMITS, 1)
        decoder.flags2 |= Flags2.export_mvs.value
        for packet in container.demux(video):
            for frame in decoder.decode(packet):
                if frame.pict_type != PictureType.I:
                    yield _vectors(frame)


def _vectors(frame: VideoFrame) -> FrameVectors:
    found = frame.side_data.get("MOTION_VECTORS")
    if found is None:
        nothing = np.zeros(0)
        return FrameVectors(nothing, nothing, nothing, frame.width * frame.height)
    table = found.to_ndarray()
    scale_V = np.maximum(table["motion_scale"].astype(np.float64), 1.0)
    return FrameVectors(
        table["motion_x"] / scale_V,
        table["motion_y"] / scale_V,
        table["w"].astype(np.float64) * table["h"],
        frame.width * frame.height,
    )
