"""VBench's frame-wise quality: aesthetic_quality (LAION's head on CLIP) and imaging_quality (MUSIQ).

Shape legend: T frames, D features.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from eval.encoders.networks.aesthetic import NAME, aesthetic_scores
from eval.formulas import imaging_quality, unit_rows
from eval.metric import Measured, metric

dimension = partial(metric, version=1, unit="1", low=0.0, high=1.0, direction="higher")


@dimension(
    name="vbench_aesthetic_quality",
    family="aesthetics",
    needs=("clip_l14_frames",),
    encoders=(NAME,),
    source="VBench (Huang et al. 2024), dimension aesthetic_quality: LAION's linear predictor on CLIP ViT-L/14",
    summary="how beautiful people who rated photographs and AI pictures would find the frames: 0 not at all, 1 most",
    blind_spots="the taste of its raters: paintings and shallow focus please it; it sees each frame alone, at 224 "
    "pixels",
)
def vbench_aesthetic_quality(measured: Measured) -> float:
    """Mean over frames of head(f / |f|) / 10; 0-1."""
    unit_TD = unit_rows(measured["clip_l14_frames"]["features_TD"]).astype(np.float32)
    return float(aesthetic_scores(unit_TD).mean(dtype=np.float64)) / 10.0


@dimension(
    name="vbench_imaging_quality",
    family="picture",
    needs=("musiq_frames",),
    source="VBench (Huang et al. 2024), dimension imaging_quality: MUSIQ (Ke et al. 2021), trained on SPAQ",
    summary="how free of blur, noise and wrong exposure the frames look to MUSIQ: 0 bad, 1 excellent",
    blind_spots="trained on phone photographs: drawings and night scenes score low; over 512 pixels it sees a smaller "
    "copy; it sees each frame alone",
)
def vbench_imaging_quality(measured: Measured) -> float:
    """Mean over frames of MUSIQ's score / 100; 0-1."""
    return imaging_quality(measured["musiq_frames"]["score_T"])
