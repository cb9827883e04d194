"""Set metric `separability`: can the generated clips be told from the real ones by traces that need no weights?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eval.distribution.clip_set import ClipSet
from eval.distribution.measures import Measure, Numbers, of_size, register

if TYPE_CHECKING:
    from eval.sets.estimate import SetEstimate


def separability(real: ClipSet, generated: ClipSet) -> SetEstimate:
    """eval.sets.separability over all clips, with as many real clips as generated ones where those can be ranked."""
    import torch

    from eval.sets.separability import FEWEST_RANKED
    from eval.sets.separability import separability as measure
    from eval.sets.validity import check_count

    for clips, which in ((real, "real"), (generated, "generated")):
        check_count(clips.clips, 2, which, "telling two sets apart")
    real = of_size(real, max(generated.clips, FEWEST_RANKED))
    return measure(*(torch.from_numpy(clips.features()) for clips in (real, generated)),
                   *(torch.from_numpy(_cases(clips)) for clips in (real, generated)))  # fmt: skip


def _cases(clips: ClipSet) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.concatenate([cases_N for _, cases_N in clips.batches()])


SEPARABILITY = Measure(
    "separability", "distribution", "1", 0.5, 1.0, "lower", True,
    "Lopez-Paz and Oquab 2017, arXiv:1610.06545; eval/sets/separability.py",
    "cross-fitted AUC of a classifier that tells the clips from the real ones",
    "traces finer than 64 pixels on the short side; sound; why they differ: other sizes, codecs, lengths or contents "
    "separate as well as a generator's traces do, which moviegen audit deepfake looks into",
    separability,
)  # fmt: skip

register(
    Numbers("forensic", "forensic_traces", "traces_D", "clip", "traces that need no weights"),
    [SEPARABILITY],
    names={"separability": "separability"},
)
