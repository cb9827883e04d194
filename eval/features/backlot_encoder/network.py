"""The encoder: a clip, a single frame and a text each become a point on one unit sphere.

    clip   ──trunk──▶ what a few frames show, how all of them move ──tower──▶ ●
    frame  ──trunk──▶ what it shows ────────────────────────────────tower──▶ ●   near one another where they tell of
    text   ──words and what stands beside them ─────────────────────tower──▶ ●   the same scene

Whatever else is to be compared (a clip's sound) is one more tower that ends on the same sphere.

Shape legend: B clips or texts, T frames, N frames of any clips, C channels, H height, W width, D features,
E coordinates of the sphere, P principal components.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.features.backlot_encoder.text import TextTower
from eval.features.backlot_reader.network import LOOKS, STRIDE, Looks, Moves

COORDINATES = 96
COMPONENTS = 16
"""Principal components of the clips' features, for distances between sets: few, so that a suite's clips suffice."""


class Trunk(nn.Module):
    """The reader's two trunks: what a few frames show, and how all of them move."""

    clip_features = Looks.features + Moves.features
    frame_features = Looks.features

    def __init__(self) -> None:
        super().__init__()
        self.looks = Looks()
        self.moves = Moves()

    def clips(self, frames_BTCHW: Tensor) -> Tensor:
        """uint8 frames at 8 fps, 64 pixels a side → B,clip_features."""
        total = frames_BTCHW.shape[1]
        mean_BCHW = frames_BTCHW[:, ::STRIDE].float().mean(dim=1, keepdim=True) / 127.5 - 1.0
        seen_BLCHW = frames_BTCHW[:, [k * total // LOOKS for k in range(LOOKS)]].float() / 127.5 - 1.0
        seen_BD, _ = self.looks(torch.cat([seen_BLCHW, 2 * (seen_BLCHW - mean_BCHW)], dim=2))
        return torch.cat([seen_BD, self.moves(frames_BTCHW)], dim=1)

    def frames(self, frames_NCHW: Tensor) -> Tensor:
        """uint8 frames, each by itself, as in a clip where nothing moves → N,frame_features."""
        seen_NLCHW = frames_NCHW[:, None].float() / 127.5 - 1.0
        seen_ND: Tensor = self.looks(torch.cat([seen_NLCHW, torch.zeros_like(seen_NLCHW)], dim=2))[0]
        return seen_ND


class Standard(nn.Module):
    """Features less their mean over the training clips, in units of their spread there."""

    mean_D: Tensor
    spread_D: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean_D", torch.zeros(features))
        self.register_buffer("spread_D", torch.ones(features))

    def fit(self, features_BD: Tensor) -> None:
        """Take mean and spread from these features; what never varies stays as it is."""
        self.mean_D.copy_(features_BD.mean(dim=0))
        self.spread_D.copy_(features_BD.std(dim=0) + 1e-3)

    def forward(self, features_BD: Tensor) -> Tensor:
        return (features_BD - self.mean_D) / self.spread_D


class Tower(nn.Module):
    """Standardised features → the sphere: a linear map, and a hidden layer that corrects it."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.straight = nn.Linear(features, COORDINATES)
        self.bent = nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, COORDINATES))

    def forward(self, features_BD: Tensor) -> Tensor:
        """…,D → …,E of length 1."""
        return functional.normalize(self.straight(features_BD) + self.bent(features_BD), dim=-1)


class Components(nn.Module):
    """The leading principal components of standardised features."""

    axes_DP: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("axes_DP", torch.zeros(features, COMPONENTS))

    def fit(self, features_BD: Tensor) -> float:
        """Take the axes from features whose mean is 0; the share of their variance that these keep."""
        variances_D, axes_DD = torch.linalg.eigh(features_BD.T @ features_BD)
        self.axes_DP.copy_(axes_DD.flip(1)[:, :COMPONENTS])
        return float(variances_D[-COMPONENTS:].sum() / variances_D.sum())

    def forward(self, features_BD: Tensor) -> Tensor:
        return features_BD @ self.axes_DP


class Encoder(nn.Module):
    """Trunk, standards and towers. Training leaves trunk and standards as they are."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.clip_standard = Standard(Trunk.clip_features)
        self.frame_standard = Standard(Trunk.frame_features)
        self.clip = Tower(Trunk.clip_features, 512)
        self.frame = Tower(Trunk.frame_features, 256)
        self.text = TextTower(words, COORDINATES)
        self.components = Components(Trunk.clip_features)

    def clips(self, frames_BTCHW: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 frames at 8 fps, 64 pixels a side → their points B,E and principal components B,P."""
        features_BD = self.clip_standard(self.trunk.clips(frames_BTCHW))
        return self.clip(features_BD), self.components(features_BD)

    def frames(self, frames_NCHW: Tensor) -> Tensor:
        """uint8 frames, 64 pixels a side → their points N,E."""
        points_NE: Tensor = self.frame(self.frame_standard(self.trunk.frames(frames_NCHW)))
        return points_NE
