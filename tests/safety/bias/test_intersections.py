"""Two attributes at once: deviations by hand, suppression by what is expected, and shrinkage of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.correction import from_annotators
from safety.bias.intersections import Cell, intersections
from safety.bias.worlds import Design, Reader, Shown, Simulated

AXIS_PAIR = (AXES["presentation"], AXES["skin_tone"])
TONES = ("light", "medium", "dark")


def crossed(make: Any, counts: dict[tuple[str, str], int]) -> Any:
    """So many clips of each combination, spread at random over twelve prompts."""
    shown = [cell for cell, count in counts.items() for _ in range(count)]
    prompts = np.random.default_rng(0).permutation(len(shown)) % 12
    rows = [make.person(f"p{p}", n, a, skin_tone=b) for n, ((a, b), p) in enumerate(zip(shown, prompts, strict=True))]
    return make.clips(rows)


def cell_of(found: Any, *groups: str) -> Cell:
    (cell,) = [cell for cell in found.cells if cell.groups == groups]
    return cell


def test_deviations_are_shares_less_the_product_of_margins(make: Any) -> None:
    counts = {
        ("feminine", "light"): 40,
        ("feminine", "medium"): 20,
        ("masculine", "light"): 20,
        ("masculine", "dark"): 40,
    }
    clips = crossed(make, counts)
    found = intersections(clips, AXIS_PAIR, clips.neutral, 0.95, 5)
    cell = cell_of(found, "feminine", "dark")
    assert (cell.clips, cell.expected) == (0, pytest.approx(20))
    assert cell.share.value == 0.0
    assert cell.deviation.value == pytest.approx(0 - 0.5 / 3)
    assert cell.deviation.high < 0
    assert sum(cell.deviation.value for cell in found.cells) == pytest.approx(0)
    assert sum(cell.share.value for cell in found.cells) == pytest.approx(1)


def test_a_cell_that_is_never_shown_is_a_finding_and_a_small_one_is_suppressed(make: Any) -> None:
    counts = {("feminine", "light"): 60, ("masculine", "light"): 56, ("masculine", "dark"): 4}
    clips = crossed(make, counts)
    found = intersections(clips, AXIS_PAIR, clips.neutral, 0.95, 5)
    hidden = cell_of(found, "feminine", "dark")
    assert hidden.suppressed == "2 clips would be expected; 5 are needed"
    assert (hidden.share.value, hidden.deviation.status) == (None, "too few")
    assert found.suppressed == 4
    assert not cell_of(found, "feminine", "light").suppressed


def test_noise_is_shrunk_and_a_real_deviation_hardly(make: Any) -> None:
    generator = np.random.default_rng(0)
    even = {(a, b): 20 for a in ("masculine", "feminine") for b in TONES}
    noisy = {cell: int(generator.poisson(count)) for cell, count in even.items()}
    apart = dict(zip(even, (40, 20, 4, 4, 20, 40), strict=True))
    kept = {}
    for name, counts in (("noise", noisy), ("apart", apart)):
        clips = crossed(make, counts)
        cells = intersections(clips, AXIS_PAIR, clips.neutral, 0.95, 5).cells
        raw, shrunk = (np.array([getattr(cell, field).value for cell in cells]) for field in ("deviation", "shrunk"))
        kept[name] = np.abs(shrunk).sum() / np.abs(raw).sum()
    assert kept["noise"] < 0.75
    assert kept["apart"] > 0.9


def test_attributes_that_cannot_be_told_together(make: Any) -> None:
    clips = make.clips(
        [make.person("p", 0, "feminine", skin_tone="unknown"), make.person("p", 1, "unknown", skin_tone="dark")]
    )
    with pytest.raises(NotMeasurable, match="can both be told"):
        intersections(clips, AXIS_PAIR, clips.neutral, 0.95, 5)


def test_errors_of_two_readers_are_undone_together() -> None:
    """Dark skin 0.2 rarer among feminine people: deviation -0.05, of which an erring reader shows less."""
    shown = Shown(np.full(30, 0.5), np.full(30, 1 / 3), interplay=0.4)
    world = Simulated(
        "test", "", (0.0,), lambda *_: (shown, Reader(), None), Design(roles=5, templates=6, labelled=0.6)
    )
    generator = np.random.default_rng(1)
    plain, undone = [], []
    for _ in range(30):
        clips = clips_of(world.sample(0.0, generator).table)
        both = tuple(from_annotators(clips, axis, 5) for axis in AXIS_PAIR)
        for rows, corrections in ((plain, None), (undone, both)):
            found = intersections(clips, AXIS_PAIR, clips.neutral, 0.95, 1, corrections)
            rows.append(cell_of(found, "feminine", "dark").deviation.value)
    assert np.mean(undone) == pytest.approx(-0.1, abs=0.02)
    assert abs(np.mean(plain)) < 0.85 * abs(np.mean(undone))
