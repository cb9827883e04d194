"""Votes written by hand."""

import pandas as pd
import pytest

from benchmarks.arena.ballots import ballots
from benchmarks.arena.votes import COLUMNS


def table(rows):
    """(left, right, choice, case, rater[, seed]) → the votes as the file gives them."""
    return pd.DataFrame(
        [
            {"id": str(n), "run": "r", "suite_hash": "0", "case": case, "seed": (rest or [0])[0], "axis": "realness",
             "left_generator": left, "right_generator": right, "left_clip": left, "right_clip": right,
             "choice": choice, "rater": rater, "time": "", "source": "arena"}
            for n, (left, right, choice, case, rater, *rest) in enumerate(rows)
        ],
        columns=list(COLUMNS),
    )  # fmt: skip


@pytest.fixture(scope="session")
def counted():
    """Ballots of votes written by hand: (left, right, choice, case, rater[, seed])."""
    return lambda rows: ballots(table(rows), "realness")
