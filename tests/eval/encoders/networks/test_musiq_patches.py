"""MUSIQ's patches against loops over pixels, and its sizes and places as the published code gives them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from eval.encoders.networks.musiq_patches import GRID, PATCH, cut, multiscale, normalised, places
from eval.feature import NotMeasurable

Picture = npt.NDArray[np.float64]


def pictures(height: int, width: int, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * 10_000 + width)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("size", [(32, 32), (33, 64), (95, 31), (7, 100)])
def test_every_pixel_lies_where_a_loop_puts_it(size: tuple[int, int]) -> None:
    height, width = size
    rows, columns = math.ceil(height / PATCH), math.ceil(width / PATCH)
    top, left = (rows * PATCH - height) // 2, (columns * PATCH - width) // 2
    picture = pictures(*size).float() + 1
    patches = cut(picture)
    assert patches.shape == (1, rows * columns, 3, PATCH, PATCH)
    for index in range(rows * columns):
        for y in range(PATCH):
            for x in range(PATCH):
                from_y, from_x = index // columns * PATCH + y - top, index % columns * PATCH + x - left
                inside = 0 <= from_y < height and 0 <= from_x < width
                wanted = picture[0, :, from_y, from_x] if inside else torch.zeros(3)
                assert torch.equal(patches[0, index, :, y, x], wanted)


@pytest.mark.parametrize("columns", [1, 9, 10, 16])
def test_places_are_the_nearest_cells_of_the_grid(columns: int) -> None:
    """As published: the numbers 0 to 9 resized to the count of patches by nearest neighbours."""
    for rows in range(1, 33):
        grid = torch.arange(GRID, dtype=torch.float32)[None, None]
        down, across = (functional.interpolate(grid, count, mode="nearest")[0, 0] for count in (rows, columns))
        wanted = (down[:, None] * GRID + across[None]).flatten()
        assert places(rows, columns).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [
        ((1080, 1920), (288, 512)),
        ((1920, 1080), (512, 288)),
        ((480, 832), (295, 512)),  # 295.38…: cut, not rounded
        ((200, 561), (182, 511)),  # 512/561·561 falls short of 512
        ((512, 512), (512, 512)),
        ((90, 160), (90, 160)),  # never enlarged
    ],
)
def test_frames_shrink_to_vbenchs_size(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    assert normalised(pictures(*size)).shape[2:] == shrunk


@pytest.mark.parametrize(
    ("size", "grids"),
    [
        ((1080, 1920), [(4, 7), (7, 12), (9, 16)]),
        ((100, 100), [(7, 7), (12, 12), (4, 4)]),
        ((24, 512), [(1, 7), (1, 12), (1, 16)]),
        ((75, 512), [(2, 7), (2, 12), (3, 16)]),
    ],
)
def test_each_scale_gives_its_patches(size: tuple[int, int], grids: list[tuple[int, int]]) -> None:
    patches = multiscale(pictures(*size))
    counts = [rows * columns for rows, columns in grids]
    assert patches.scales_L.tolist() == [scale for scale, count in enumerate(counts) for _ in range(count)]
    assert patches.places_L.tolist() == [place for grid in grids for place in places(*grid).tolist()]
    assert patches.patches_NLCHW.shape == (1, sum(counts), 3, PATCH, PATCH)


def test_halves_are_rounded_to_the_even_number() -> None:
    """24 rows become 10.5 at 224 and are then 10, with borders of 11 above and below."""
    first = multiscale(torch.full((1, 3, 24, 512), 255, dtype=torch.uint8)).patches_NLCHW[0, 0, 0]
    assert (first[:, 0] != 0).nonzero().flatten().tolist() == list(range(11, 21))


def test_shrinking_is_bilinear_without_antialiasing() -> None:
    frames = pictures(60, 640)
    wanted = np.stack([resampled(channel, (48, 512), triangle, 1) for channel in frames[0].numpy()])
    found = normalised(frames)[0].numpy()
    np.testing.assert_allclose(found, (wanted / 255 - 0.5) * 2, atol=1e-5)


def test_scales_are_bicubic_without_antialiasing_and_overshoot() -> None:
    frames = pictures(8, 300)
    wanted = np.stack([resampled(channel, (6, 224), keys, 2) for channel in normalised(frames)[0].numpy()])
    found = multiscale(frames).patches_NLCHW[0, :7, :, 13:19].permute(1, 2, 0, 3).flatten(2)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-4)  # torch's coordinates are float32
    assert wanted.max() > 1.05


def triangle(x: float) -> float:
    return max(0.0, 1 - abs(x))


def keys(x: float) -> float:
    """Keys' kernel with a = -0.75."""
    a, x = -0.75, abs(x)
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def resampled(picture: npt.NDArray[np.generic], size: tuple[int, int], kernel, reach: int) -> Picture:
    """Interpolated at pixel centres, the border being repeated."""
    values = picture.astype(np.float64)
    for axis, wanted in enumerate(size):
        values = np.moveaxis(values, axis, 0)
        had = len(values)
        out = np.zeros((wanted, *values.shape[1:]))
        for index in range(wanted):
            centre = (index + 0.5) * had / wanted - 0.5
            for near in range(math.floor(centre) - reach + 1, math.floor(centre) + reach + 1):
                out[index] += kernel(centre - near) * values[min(max(near, 0), had - 1)]
        values = np.moveaxis(out, 0, axis)
    return values


def test_frames_of_a_batch_do_not_touch_each_other() -> None:
    frames = pictures(40, 70, count=3)
    together = multiscale(frames).patches_NLCHW
    for index in range(3):
        assert torch.equal(multiscale(frames[index : index + 1]).patches_NLCHW[0], together[index])


@pytest.mark.parametrize("size", [(1, 600), (600, 1), (1, 449)])
def test_a_line_is_not_measurable(size: tuple[int, int]) -> None:
    with pytest.raises(NotMeasurable, match=f"{size[1]}×{size[0]} is nearly a line"):
        multiscale(pictures(*size))
