"""Clips in and out: the only package that touches PyAV.

    open_clip(path)          → a ClipSource that streams a file or a folder of pictures
    read_picture(path)       → one picture
    write_clip(clip, path)   → a file that plays in a browser and reads back aligned
    resample(audio_CN, …)    → sound at another rate

Read first: read.py (one pass over a file), then timeline.py (when each frame is shown).
"""

from eval.video.pictures import read_picture
from eval.video.read import FileSource, open_clip
from eval.video.sound import Resampler, resample
from eval.video.write import write_clip

__all__ = ["FileSource", "Resampler", "open_clip", "read_picture", "resample", "write_clip"]
