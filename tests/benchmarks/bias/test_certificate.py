"""The certification that is shipped: whole, of today's figures and worlds, and passed."""

from __future__ import annotations

from benchmarks.bias.certificate import MEANT_TO_FAIL, SEED, shipped_certification, unlisted
from safety.bias.figures import figures
from safety.bias.worlds import worlds


def test_the_shipped_certification_tried_every_figure_in_every_world() -> None:
    certification = shipped_certification()
    assert certification is not None
    assert set(certification.figures) == {figure.name for figure in figures()}
    assert {check.world for check in certification.checks} == {world.name for world in worlds()}
    assert (certification.seed, certification.repetitions) == (SEED, 400)


def test_it_lists_all_figures_but_those_that_take_a_reader_at_its_word() -> None:
    certification = shipped_certification()
    assert certification is not None
    assert unlisted(certification) == {}
    left_out = set(certification.figures) - set(certification.listed)
    assert left_out
    assert all(name.endswith(MEANT_TO_FAIL) for name in left_out)
