"""The face networks: a detector in the form of SCRFD, a recogniser, and small ones for attributes.

They are trained here and used through ONNX, in the forms that insightface knows a network's task by.

Shape legend: B pictures, C channels, H height, W width, A anchors of a place, R rows (places by anchors), L levels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
ANCHORS = 2
SIZES = ((16.0, 28.0), (44.0, 66.0), (104.0, 190.0))
"""Face sizes (square root of the box's area, pixels) that the anchors of each level stand for."""


def conv(channels: int, out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """x + two convolutions; the second norm starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return functional.relu(x_BCHW + self.norm(self.second(self.first(x_BCHW))))


class Found(NamedTuple):
    """What a detector says of the rows of one level, in the order (down, across, anchor).

    logits_BR: of a face. sides_BR4: distances to left, top, right, bottom; points_BR10: offsets of the landmarks, x and
    y in turn; both from the place (across * stride, down * stride), in strides.
    """

    logits_BR: Tensor
    sides_BR4: Tensor
    points_BR10: Tensor


class Detector(nn.Module):
    """SCRFD's form (Guo et al., arXiv 2105.04714): levels of stride 8, 16, 32, two anchors each, five landmarks.

    Height and width divide by 32. Pictures are RGB, (x - 127.5) / 128.
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 80)) -> None:
        super().__init__()
        first, second, third = widths
        self.stem = nn.Sequential(conv(3, 16, 2), conv(16, 24, 2))
        self.down = nn.ModuleList(
            [
                nn.Sequential(conv(24, first, 2), Residual(first), Residual(first)),
                nn.Sequential(conv(first, second, 2), Residual(second), Residual(second)),
                nn.Sequential(conv(second, third, 2), Residual(third), Residual(third)),
            ]
        )
        self.up = nn.ModuleList([nn.Conv2d(second, first, 1), nn.Conv2d(third, second, 1)])
        self.heads = nn.ModuleList(
            nn.Sequential(conv(width, width), nn.Conv2d(width, ANCHORS * 15, 3, 1, 1)) for width in widths
        )
        for head in self.heads:
            _start(head)

    def levels(self, pictures_BCHW: Tensor) -> list[Found]:
        """What is found at each level."""
        x, maps = self.stem(pictures_BCHW), []
        for down in self.down:
            x = down(x)
            maps.append(x)
        for level in (1, 0):
            above = self.up[level](functional.interpolate(maps[level + 1], scale_factor=2.0, mode="nearest"))
            maps[level] = maps[level] + above
        return [self._read(level, head(one)) for level, (head, one) in enumerate(zip(self.heads, maps, strict=True))]

    def _read(self, level: int, map_BCHW: Tensor) -> Found:
        rows_BR15 = map_BCHW.permute(0, 2, 3, 1).reshape(map_BCHW.shape[0], -1, ANCHORS, 15)
        sizes = map_BCHW.new_tensor(SIZES[level])[:, None] / STRIDES[level]
        sides_BRA4 = rows_BR15[..., 1:5].exp() * sizes
        points_BRA10 = rows_BR15[..., 5:] * sizes
        return Found(rows_BR15[..., 0].flatten(1), sides_BRA4.flatten(1, 2), points_BRA10.flatten(1, 2))

    def forward(self, pictures_BCHW: Tensor) -> tuple[Tensor, ...]:
        """One picture, as insightface decodes it: scores, boxes and landmarks of the three levels, R rows each."""
        found = self.levels(pictures_BCHW)
        return (
            *(torch.sigmoid(one.logits_BR)[0, :, None] for one in found),
            *(one.sides_BR4[0] for one in found),
            *(one.points_BR10[0] for one in found),
        )


def _start(head: nn.Module) -> None:
    """Begin with boxes of the anchors' sizes and hardly any face."""
    assert isinstance(head, nn.Sequential)
    last = head[-1]
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    with torch.no_grad():
        last.weight.mul_(0.1)
        bias = last.bias.view(ANCHORS, 15)
        bias.zero_()
        bias[:, 0] = -4.0
        bias[:, 1:5] = -0.7


class Recogniser(nn.Module):
    """An embedding of a face aligned to 112 x 112 pixels; RGB, (x - 127.5) / 127.5. Not of unit length."""

    def __init__(self, dimensions: int, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.body = nn.Sequential(
            conv(3, first, 2),
            conv(first, second, 2),
            Residual(second),
            conv(second, third, 2),
            Residual(third),
            conv(third, fourth, 2),
            Residual(fourth),
            conv(fourth, 32, kernel=1),
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(32 * 7 * 7, dimensions, bias=False), nn.BatchNorm1d(dimensions))

    def forward(self, faces_BCHW: Tensor) -> Tensor:
        embeddings_BD: Tensor = self.head(self.body(faces_BCHW))
        return embeddings_BD


class Attributes(nn.Module):
    """`outputs` numbers for a face cut out 96 x 96 pixels, half as large again as its box; RGB, (x - 127.5) / 128."""

    def __init__(self, outputs: int, widths: tuple[int, int, int, int] = (16, 24, 40, 56)) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.body = nn.Sequential(
            conv(3, first, 2),
            conv(first, second, 2),
            conv(second, third, 2),
            Residual(third),
            conv(third, fourth, 2),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(9 * fourth, 64), nn.ReLU(inplace=True), nn.Linear(64, outputs))

    def forward(self, faces_BCHW: Tensor) -> Tensor:
        answers_BK: Tensor = self.head(self.body(faces_BCHW))
        return answers_BK
