"""What `--quick` means: a few attacks of every family, on short and small stretches. Minutes on two cores."""

from __future__ import annotations

from safety.watermark.plan import Form

QUICK_FORM = Form(frames=16, windows=2, side=256)

QUICK: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("crop", (0.71,)),
    ("resize", (0.5,)),
    ("blur", (5.0,)),
    ("noise", (0.05,)),
    ("jpeg", (40.0,)),
    ("h264", (30.0, 40.0)),
    ("h265", (30.0,)),
    ("reshare", (1.0, 2.0, 3.0)),
    ("drop", (0.5,)),
    ("average", (5.0,)),
    ("h264-crop-brightness", (30.0,)),
    ("bilateral", (25.0,)),
    ("sound-aac", (64.0, 32.0)),
    ("sound-lowpass", (3500.0,)),
    ("sound-white-noise", (20.0,)),
    ("sound-faster", (1.1,)),
    ("sound-cut", (0.3,)),
)
"""Each at strengths of its ladder; those for a stream that no audited mark is in are left out."""

QUICK_SCHEMES = ("average-out", "overwrite", "residual-copy", "residual-copy-0.25")
QUICK_SCHEME_CLIPS = 4
QUICK_TAX = frozenset({"temporal_flickering", "motion_smoothness", "sharpness", "noise", "blockiness", "contrast"})
"""Of the metrics of pictures, those that need no optical flow."""
