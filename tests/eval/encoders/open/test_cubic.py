"""Our bicubic resizing against torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from eval.encoders.open import cubic


@pytest.mark.parametrize(
    ("old", "new"),
    [((480, 832), (224, 388)), ((832, 480), (388, 224)), ((90, 160), (224, 398)), ((3, 5), (7, 2)), ((1, 9), (4, 9))],
)
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_torchs_up_to_rounding(
    old: tuple[int, int], new: tuple[int, int], channels_last: bool, count: int
) -> None:
    """Of noise, the worst case: within 0.02 grey levels. Both are 0.03 from float64, as places are rounded."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    frames = torch.randint(0, 256, (count, 3, *old), generator=torch.Generator().manual_seed(0))
    frames = frames.float().contiguous(memory_format=layout)
    before = frames.clone()
    wanted = functional.interpolate(frames, new, mode="bicubic", align_corners=False)
    found = cubic.resized(frames, new)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)
    torch.testing.assert_close(frames, before, atol=0, rtol=0)


@pytest.mark.parametrize("part", [(range(224), range(82, 306)), (range(3, 5), range(1)), (range(220, 224), range(388))])
def test_a_part_is_the_same_part_of_the_whole(part: tuple[range, range]) -> None:
    frames = torch.randint(0, 256, (2, 3, 480, 832), generator=torch.Generator().manual_seed(0)).float()
    (top, *_, bottom), (left, *_, right) = ((*ends, ends[-1]) for ends in part)
    whole = cubic.resized(frames, (224, 388))
    torch.testing.assert_close(
        cubic.resized(frames, (224, 388), part), whole[..., top : bottom + 1, left : right + 1], atol=0, rtol=0
    )


def test_bytes_need_no_conversion() -> None:
    frames = torch.randint(0, 256, (2, 3, 40, 60), dtype=torch.uint8)
    torch.testing.assert_close(cubic.resized(frames, (20, 30)), cubic.resized(frames.float(), (20, 30)), atol=0, rtol=0)


def test_flat_colours_stay() -> None:
    frames = torch.full((1, 3, 50, 70), 200.0)
    torch.testing.assert_close(cubic.resized(frames, (22, 31)), torch.full((1, 3, 22, 31), 200.0), atol=1e-3, rtol=0)
