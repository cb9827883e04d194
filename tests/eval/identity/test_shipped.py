"""The shipped calibration belongs to the shipped pack, and supports what it says."""

from __future__ import annotations

from itertools import product

import pytest

from eval.faces.packs import SHIPPED
from eval.identity.impostors import EVERYBODY, FAR, impostors
from eval.identity.portraits import TONE_GROUPS

GROUPS = [f"{presentation} {tones}" for presentation, tones in product(("feminine", "masculine"), TONE_GROUPS)]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_calibrated_at_the_stated_rate(group: str) -> None:
    found = impostors(SHIPPED, group)
    assert found.group == group
    assert found.far == FAR
    assert found.usual < found.threshold < found.cosines_Q[-1]
    # Impostors are more alike within a group than across all people: that is why there are groups.
    assert found.threshold > impostors(SHIPPED, EVERYBODY).threshold
