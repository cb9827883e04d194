"""How numbers, ranks and ranges are written."""

import pytest

from benchmarks.leaderboard import Interval
from benchmarks.store import open_run
from dashboards import board_table, dot_plot, results
from dashboards.side_by_side import score_table


@pytest.mark.parametrize(("rank", "text"), [((1, 1), "1"), ((2, 4), "2–4"), (None, "–")])
def test_ranks(rank, text):
    assert board_table.rank_text(rank) == text


def test_an_interval_that_is_not_there_is_empty():
    assert board_table.interval_text(Interval(0.5, 0.4123, 0.6)) == "0.412–0.600"
    assert board_table.interval_text(Interval(0.5, None, None)) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.97943, "0.9794"), (0.0, "0"), (1e-7, "1e-07"), (123456.7, "123,457"), (-23.45678, "-23.46"), (None, "–")],
)
def test_numbers(value, text):
    assert board_table.number_text(value) == text


@pytest.fixture(scope="module")
def run(small_runs):
    return open_run(small_runs, "tiny-run")


@pytest.fixture(scope="module")
def board(run):
    return results.load_board(run)


def test_the_table_keeps_the_boards_order_and_the_asked_families(board):
    rows = board_table.shown_rows(board, "", list(board_table.BRACKETS.values()))
    table = board_table.board_frame(rows, ["picture"])
    assert list(table["Generator"]) == [row.generator for row in board.rows]
    assert list(table.columns) == ["Rank", "Generator", "Total", "Interval", "Bracket", "picture", "Coverage", "Cases",
                                   "Making", "Scoring"]  # fmt: skip
    assert set(table.columns) <= set(board_table.column_config(board, ["picture"]))


def test_filters_narrow_by_name_and_bracket(board):
    def names(part, brackets):
        return {row.generator for row in board_table.shown_rows(board, part, brackets)}

    assert names(" NOI ", ["▼ floor", "contender"]) == {"noise"}
    assert names("noi", ["contender"]) == set()
    assert names("", ["▲ ceiling"]) == {"oracle"}


def test_help_texts_hold_no_text_from_the_run(board, hostile):
    """Streamlit renders help as Markdown; names and summaries come from strangers."""
    config = board_table.column_config(board, board.families)
    helps = " ".join(str(entry.get("help", "")) for entry in config.values())
    assert hostile[1] not in helps
    assert not any(column.summary in helps for column in board.columns)


def test_what_is_plotted_is_what_the_board_holds(board):
    data = dot_plot.points(board, board.rows, "Total").set_index("generator")
    for row in board.rows:
        assert data.loc[row.generator, "value"] == row.total.value
        assert data.loc[row.generator, "low"] == row.total.low
    flicker = dot_plot.points(board, board.rows, "steadiness")
    assert list(flicker["value"]) == [row.metrics["steadiness"].raw.value for row in board.rows]
    assert set(dot_plot.measures(board)) >= {"Total", "motion", "steadiness"}


def test_a_measure_without_values_plots_nothing(board):
    assert dot_plot.points(board, [], "Total").empty


def test_the_plot_is_readable_without_colour(board):
    chart = dot_plot.dot_plot(dot_plot.points(board, board.rows, "Total")).to_dict()
    shaped = [layer["encoding"]["shape"] for layer in chart["layer"] if "shape" in layer["encoding"]]
    assert len(set(shaped[0]["scale"]["range"])) == 3
    order = [layer["encoding"]["y"]["sort"] for layer in chart["layer"]]
    assert all(names == [row.generator for row in board.rows] for names in order)


def test_titles_say_unit_direction_and_confidence(board):
    assert dot_plot.measure_title(board, "motion_amount") == (
        "motion_amount in 1/s, better: ↔ near the reference; bars show the 95% interval"
    )
    assert "0 is worst, 1 is best" in dot_plot.measure_title(board, "motion")


def test_scores_of_a_case_equal_the_rows(run, board):
    rows = results.case_rows(run, board, "case-1", 0)
    chosen = [row for row in board.rows if row.generator in {"oracle", "noise"}]
    table = score_table(board, chosen, rows).set_index("Metric")
    for row in rows[rows["generator"].isin(["oracle", "noise"])].itertuples():
        assert float(table.loc[row.metric, row.generator]) == pytest.approx(row.value, rel=1e-3)


def test_outcomes_count_every_row(run):
    counts = results.outcomes(run)
    assert counts["rows"].sum() == 6 * 8 * 2 * 4
    assert results.outcome_sentences(counts) == ["2 of 384 rows failed", "8 of 384 rows have no clip"]
    assert results.outcome_sentences(counts[counts["status"] == "ok"]) == []


def test_columns_are_picked(small_runs):
    from benchmarks.leaderboard import build_board
    from benchmarks.store import open_run

    board = build_board([open_run(small_runs, "tiny-run")])
    plain = board_table.board_frame(board.rows, ["motion"], [])
    assert list(plain.columns) == ["Rank", "Generator", "Total", "Interval", "motion"]
    chosen = [board_table.COST, board_table.INTERVALS, "steadiness"]
    frame = board_table.board_frame(board.rows, ["motion"], chosen, {"oracle": (1.5, 0.25)})
    assert list(frame.columns[4:]) == [
        "motion", "motion interval", "Making", "Scoring", "steadiness", "steadiness interval"
    ]  # fmt: skip
    oracle = frame[frame["Generator"] == "oracle"].iloc[0]
    assert (oracle["Making"], oracle["Scoring"]) == (1.5, 0.25)
    assert oracle["steadiness"] == board.rows[0].metrics["steadiness"].raw.value
    assert frame["Making"].isna().sum() == len(board.rows) - 1
