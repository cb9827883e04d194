"""A clip played several times in a row, copied packet by packet without decoding."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from eval.video.container import VIDEO_FORMATS, open_container, picture_stream, sound_stream


def repeat_clip(path: Path, target: Path, times: int) -> None:
    """Write `path` as an mp4 that plays it `times` times in a row: long clips for trials, made in a moment.

    The picture of `path` must start with a key frame; its frame count over its rate is one round.
    Raises ClipError when it cannot be read and ValueError for fewer than one round.
    """
    if times < 1:
        raise ValueError(f"a clip is repeated at least once; got {times}")
    with av.open(f"file:{target}", "w", format="mp4") as out:
        for turn in range(times):
            _append(path, out, turn)


def _append(path: Path, out: OutputContainer, turn: int) -> None:
    with open_container(path, VIDEO_FORMATS) as container:
        video = picture_stream(container)
        assert video is not None, "a clip that was opened before has a picture"
        round_s = Fraction(video.frames) / (video.average_rate or Fraction(1))
        streams = [stream for stream in (video, sound_stream(container)) if stream is not None]
        if not turn:
            for stream in streams:
                out.add_stream_from_template(stream)
        targets = {stream.index: out.streams[place] for place, stream in enumerate(streams)}
        for packet in container.demux(*streams):
            if packet.dts is None or packet.pts is None:
                continue
            shift = round(turn * round_s / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = targets[packet.stream.index]
            out.mux(packet)
