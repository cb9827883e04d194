import csv
import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from benchmarks.cube import MixError
from benchmarks.export import guarded
from benchmarks.leaderboard import build_board, render_table
from benchmarks.manifest import GeneratorFacts
from benchmarks.store import RunWriter
from benchmarks.suite import MetricModel
from eval.planner import Score

HOSTILE = "=cmd|'/C calc'!A0<script>alert(1)</script>[red]\x1b[31m\nx"


def rows_of(board):
    return {row.generator: row for row in board.rows}


def levels(*means, cases=20, metrics=1, noise=0.05, seed=0):
    """values_GMC of generators at these levels, on cases of different difficulty."""
    generator = np.random.default_rng(seed)
    difficulty_C = generator.uniform(-0.1, 0.1, cases)
    shape = (len(means), metrics, cases)
    return np.clip(np.array(means)[:, None, None] + difficulty_C + generator.normal(0, noise, shape), 0, 1)


def text_of(board, width=100):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    render_table(board, console)
    return console.file.getvalue()


def test_totals_families_and_means_by_hand(run_of, facts):
    parts = (facts("a"), facts("b", direction="lower"), facts("c", family="motion", high=10.0))
    models = [MetricModel.model_construct(name="a", weight=3.0), *(MetricModel.model_construct(name=n) for n in "bc")]
    values = [[[0.2, 0.4], [0.1, 0.3], [5.0, 7.0]]]
    row = build_board([run_of(values, parts, models=models, families={"motion": 3.0})]).rows[0]
    assert row.metrics["a"].raw.value == pytest.approx(0.3)
    assert row.metrics["b"].raw.value == pytest.approx(0.2)
    assert row.metrics["b"].utility.value == pytest.approx(0.8)
    assert row.families["picture"].value == pytest.approx((3 * 0.3 + 0.8) / 4)
    assert row.families["motion"].value == pytest.approx(0.6)
    assert row.total.value == pytest.approx(0.25 * 0.425 + 0.75 * 0.6)
    assert row.rank == (1, 1)


def test_seeds_are_averaged_inside_their_case(run_of):
    """Ten equal seeds of each case are no more evidence than one: the interval must not shrink."""
    values = levels(0.5, cases=12)
    once = build_board([run_of(values, run="once")]).rows[0].total
    ten = build_board([run_of(np.repeat(values[..., None], 10, axis=3), run="ten")]).rows[0].total
    assert (ten.value, ten.low, ten.high) == pytest.approx((once.value, once.low, once.high))
    as_cases = build_board([run_of(np.repeat(values, 10, axis=2), run="wrong")]).rows[0].total
    assert as_cases.high - as_cases.low < 0.5 * (ten.high - ten.low), "this is what treating seeds as cases would claim"


def test_a_case_with_fewer_seeds_weighs_as_much_as_the_others(run_of):
    values = np.array([[[[0.0, 0.0, 0.0], [1.0, np.nan, np.nan]]]])
    row = build_board([run_of(values, minimum_coverage=0.5)]).rows[0]
    assert row.total.value == pytest.approx(0.5)
    cell = row.metrics["sharp"]
    assert (cell.scored, cell.skipped, cell.expected) == (4, 2, 6)


def test_clear_differences_are_ranked_and_equals_are_tied(run_of):
    values = levels(0.9, 0.6, 0.6, 0.2)
    board = build_board([run_of(values, generators=["oracle", "one", "other", "noise"])])
    ranks = {name: row.rank for name, row in rows_of(board).items()}
    assert ranks == {"oracle": (1, 1), "one": (2, 3), "other": (2, 3), "noise": (4, 4)}
    assert board.rows[0].generator == "oracle"
    assert board.rows[-1].generator == "noise"


def test_pairing_finds_what_separate_intervals_hide(run_of):
    """Every case is a little better, cases differ a lot: the intervals overlap, the ranks do not."""
    hard_C = np.linspace(0.05, 0.85, 16)
    values = np.stack([hard_C + 0.04 + 0.01 * np.sin(np.arange(16)), hard_C])[:, None]
    best, second = build_board([run_of(values)]).rows
    assert best.total.low < second.total.high
    assert (best.rank, second.rank) == ((1, 1), (2, 2))


def test_six_cases_can_rank_and_five_say_that_they_cannot(run_of):
    six = build_board([run_of(levels(0.9, 0.5, 0.1, cases=6), run="six")])
    assert [row.rank for row in six.rows] == [(1, 1), (2, 2), (3, 3)]
    five = build_board([run_of(levels(0.9, 0.5, 0.1, cases=5), run="five")])
    assert [row.rank for row in five.rows] == [(1, 3)] * 3
    assert any("too few to tell generators apart" in note for note in five.notes)


def test_a_clone_ties_and_one_generator_is_first(run_of):
    values = levels(0.5)
    clone = build_board([run_of(np.concatenate([values, values]), run="clone")])
    assert [row.rank for row in clone.rows] == [(1, 2), (1, 2)]
    assert build_board([run_of(values, run="alone")]).rows[0].rank == (1, 1)


def test_the_ceiling_leads_those_that_it_ties_with(run_of):
    ceiling = levels(0.6)
    rival = ceiling + 0.05 * (-1.0) ** np.arange(20) + 0.001  # sometimes better, sometimes worse
    values = np.concatenate([rival, ceiling, levels(0.2)])
    names = [GeneratorFacts(name=name, bracket=kind) for name, kind in (("a", ""), ("o", "ceiling"), ("n", "floor"))]
    board = build_board([run_of(values, generators=names)])
    assert [(row.name, row.rank) for row in board.rows] == [("o", (1, 2)), ("a", (1, 2)), ("n", (3, 3))]
    assert board.rows[0].total.value < board.rows[1].total.value


def test_low_coverage_keeps_the_total_and_loses_the_rank(run_of):
    values = levels(0.9, 0.5)
    values[0, 0, :4] = np.nan
    row = rows_of(build_board([run_of(values, minimum_coverage=0.9)]))["a"]
    assert row.total.value == pytest.approx(np.nanmean(values[0]))
    assert row.rank is None
    assert row.coverage == pytest.approx(0.8)
    assert row.reasons == ("coverage 80.0% is below the suite's 90.0%: no rank",)


def test_units_never_stored_are_missing(run_of):
    board = build_board([run_of(levels(0.9, 0.5), absent={(0, c) for c in range(5)})])
    cell = rows_of(board)["a"].metrics["sharp"]
    assert (cell.scored, cell.missing, cell.expected) == (15, 5, 20)
    assert rows_of(board)["a"].rank is None
    assert rows_of(board)["b"].rank == (1, 1)


def test_a_few_gaps_are_ranked_on_common_cases(run_of):
    """b lacks the easy cases: its mean looks worse than a's, case by case it is better."""
    values = np.stack([np.linspace(0.1, 0.8, 20), np.linspace(0.1, 0.8, 20) + 0.05])[:, None]
    values[1, 0, 15:] = np.nan
    rows = rows_of(build_board([run_of(values, minimum_coverage=0.5)]))
    assert rows["b"].total.value < rows["a"].total.value
    assert (rows["b"].rank, rows["a"].rank) == ((1, 1), (2, 2))
    assert "5 of 20 cases lack a value: ranked on the cases in common" in rows["b"].reasons[0]


def test_a_metric_without_any_value_means_no_total(run_of, facts):
    values = levels(0.9, 0.5, metrics=2)
    values[0, 1] = np.nan
    row = rows_of(build_board([run_of(values, (facts("sharp"), facts("loud", family="sound")))]))["a"]
    assert row.total.value is None
    assert row.families["sound"].value is None
    assert row.families["picture"].value is not None
    assert row.rank is None
    assert "no value for loud (20 skipped, 0 failed of 20): no total" in row.reasons


def test_skipped_counts_as_worst_where_the_suite_says_so(run_of):
    values = levels(0.8, 0.5)
    values[0, 0, :5] = np.nan
    models = [MetricModel.model_construct(name="sharp", if_skipped="worst")]
    row = rows_of(build_board([run_of(values, models=models)]))["a"]
    cell = row.metrics["sharp"]
    assert (cell.scored, cell.skipped, cell.as_worst, cell.expected) == (15, 5, 5, 20)
    assert cell.raw.value == pytest.approx(np.nanmean(values[0]))
    assert cell.utility.value == pytest.approx(np.nan_to_num(values[0]).mean())
    assert row.coverage == 1


def test_failed_is_never_worst(run_of, manifest, unit, tmp_path):
    models = [MetricModel.model_construct(name="sharp", if_skipped="worst")]
    with RunWriter.create(tmp_path / "f", manifest(models=models, minimum_coverage=0.0, cases=2)) as writer:
        writer.add(unit("a", "c0", values={"sharp": 0.6}))
        writer.add(unit("a", "c1", values={"sharp": "failed"}))
    row = rows_of(build_board([_open(writer)]))["a"]
    assert row.total.value == pytest.approx(0.6)
    assert row.metrics["sharp"].failed == 1
    assert row.coverage == 0.5


def _open(writer):
    from benchmarks.store import Run

    return Run(writer.folder)


def test_a_band_without_reference_is_raw_and_outside_the_totals(run_of, facts):
    values = levels(0.9, 0.5, metrics=2)
    board = build_board([run_of(values, (facts("sharp"), facts("amount", direction="band", family="motion")))])
    row = rows_of(board)["a"]
    assert row.metrics["amount"].raw.value == pytest.approx(values[0, 1].mean())
    assert row.metrics["amount"].utility is None
    assert board.families == ("picture",)
    assert row.total.value == pytest.approx(values[0, 0].mean())
    assert "amount: no reference clips" in text_of(board)


def test_different_suites_are_never_mixed(run_of):
    runs = [run_of(levels(0.5), run="r1"), run_of(levels(0.5), run="r2", description="changed")]
    with pytest.raises(MixError, match="runs r1 and r2 hold different suites: made version 1"):
        build_board(runs)


def test_different_metric_versions_are_never_mixed(run_of, facts):
    runs = [run_of(levels(0.5), run="r1"), run_of(levels(0.5), (facts(version=2),), run="r2")]
    with pytest.raises(MixError, match="'sharp' is version 1 in run r1 and version 2 in run r2"):
        build_board(runs)


def test_different_encoders_are_never_mixed(manifest, unit, tmp_path):
    runs = []
    for name, encoder in (("r1", "clip-b"), ("r2", "clip-l")):
        with RunWriter.create(tmp_path / name, manifest(run=name, generators=[name])) as writer:
            one = unit(name)
            scores = [Score("sharp", 1, 0.5, "ok", encoder=encoder, encoder_sha256="e" * 64)]
            writer.add(type(one)(name, "c0", 0, scores, "0" * 64))
        runs.append(_open(writer))
    with pytest.raises(MixError, match=r"encoder clip-b \(eeeeeeeeeeee\) in run r1 and by encoder clip-l .* in run r2"):
        build_board(runs)
    column = build_board(runs[:1]).columns[0]
    assert (column.encoder, column.encoder_sha256) == ("clip-b", "e" * 64)


def test_rows_of_an_earlier_metric_version_are_left_out_and_counted(manifest, unit, tmp_path, facts):
    with RunWriter.create(tmp_path / "r1", manifest((facts(version=2),), cases=2, minimum_coverage=0.0)) as writer:
        writer.add(unit("a", "c0", values={"sharp": 0.9}))
        one = unit("a", "c1")
        writer.add(type(one)("a", "c1", 0, [Score("sharp", 2, 0.1, "ok")], "0" * 64))
    board = build_board([_open(writer)])
    assert rows_of(board)["a"].total.value == pytest.approx(0.1)
    assert "run r1: 1 rows of earlier metric versions are left out" in board.notes


def test_two_runs_of_one_suite_rank_together(run_of):
    first = run_of(levels(0.9, 0.5), generators=["oracle", "mine"], run="r1")
    second = run_of(levels(0.9, 0.1), generators=["oracle", "yours"], run="r2")
    rows = rows_of(build_board([first, second]))
    assert set(rows) == {"oracle@r1", "oracle@r2", "mine", "yours"}
    assert rows["oracle@r1"].rank == rows["oracle@r2"].rank == (1, 2)
    assert rows["yours"].rank == (4, 4)
    with pytest.raises(ValueError, match="given twice"):
        build_board([first, first])


def test_the_board_is_the_same_every_time_and_in_any_order(run_of):
    values = levels(0.7, 0.65, 0.6)
    run = run_of(values, run="r1")
    assert build_board([run]).to_json() == build_board([run]).to_json()
    turned = rows_of(build_board([run_of(values[:, :, ::-1], run="r2")]))
    for name, row in rows_of(build_board([run])).items():
        assert turned[name].total.value == pytest.approx(row.total.value)
        assert turned[name].total.low == pytest.approx(row.total.low, abs=0.005)


def test_intervals_stay_in_the_range_of_the_metric(run_of):
    row = build_board([run_of([[[0.95, 1.0, 1.0]]])]).rows[0]
    assert row.total.high == 1
    assert row.metrics["sharp"].raw.high == 1
    assert row.total.low < 0.95


def test_json_has_the_promised_shape_and_no_nan(run_of, facts):
    values = levels(0.9, 0.5, metrics=2)
    values[0, 1] = np.nan
    run = run_of(values, (facts("sharp"), facts("open", high=float("inf"), direction="band")))
    text = build_board([run]).to_json()
    assert not re.search(r"NaN|Infinity", text)
    document = json.loads(text)
    assert {"suite", "suite_hash", "run", "generators"} <= set(document)
    first = document["generators"][0]
    assert set(first["total"]) == {"value", "low", "high"}
    assert {"value", "low", "high", "scored", "expected"} <= set(first["metrics"]["sharp"])
    assert first["rank"] == [1, 1]
    assert document["metrics"][1]["high"] is None
    assert next(g for g in document["generators"] if g["generator"] == "a")["metrics"]["open"]["value"] is None


def test_csv_cells_are_never_formulas(run_of):
    board = build_board([run_of(levels(0.9, 0.5), generators=[HOSTILE, "b"])])
    header, *lines = csv.reader(io.StringIO(board.to_csv()))
    assert len(lines) == 2
    assert lines[0][header.index("generator")] == "'" + HOSTILE
    assert float(lines[0][header.index("total")]) == pytest.approx(board.rows[0].total.value)
    for start in "=+-@\t\r\n＝＋－＠":
        assert guarded(start + "1") == "'" + start + "1"
    assert (guarded("plain"), guarded(-1.5), guarded(None)) == ("plain", -1.5, None)


def test_html_shows_hostile_names_as_text(run_of, facts):
    evil = '"><img src=x onerror=alert(1)>'
    generators = [HOSTILE, GeneratorFacts(name="b", bracket=evil)]
    run = run_of(levels(0.9, 0.5), (facts("sharp", unit=evil, summary=evil),), generators, run="r1")
    page = build_board([run]).to_html()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?\s*(https?:)?//""", page), "nothing remote"
    assert "default-src 'none'" in page
    assert page.count("<circle") == 2


def test_the_table_fits_and_runs_no_markup(run_of, facts):
    parts = [facts(f"m{n}", family=family) for n, family in enumerate(("temporal", "motion", "picture", "sound",
                                                                       "synchrony", "conformance"))]  # fmt: skip
    run = run_of(levels(0.9, 0.9, 0.1, metrics=6), parts, [HOSTILE, "b", "c"])
    text = text_of(build_board([run]))
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert re.search(r"=cmd\|'/C calc'!A0\S*…", text), "a long name is cut, visibly"
    assert "1–2" in text
    for family in ("tempor…", "motion", "picture", "sound", "synchr…", "confor…"):
        assert family in text
    short = text_of(build_board([run_of(levels(0.9, 0.1, metrics=6), parts, ["b", "c"], run="short")]))
    assert max(map(len, short.splitlines())) <= 100
    assert "temporal motion picture sound synchrony conformance" in short


def test_nothing_to_rank_says_why(run_of, facts, manifest, tmp_path):
    only_raw = build_board([run_of(levels(0.5), (facts("amount", direction="band"),))])
    assert only_raw.rows[0].reasons == ("no metric of this suite counts towards a total",)
    assert only_raw.rows[0].coverage is None
    assert only_raw.to_html()
    assert text_of(only_raw)
    empty = RunWriter.create(tmp_path / "empty", manifest(run="empty"))
    board = build_board([_open(empty)])
    assert [row.rank for row in board.rows] == [None, None]
    assert board.rows[0].metrics["sharp"].missing == 8
    with pytest.raises(MixError, match="no cases"):
        build_board([_open(RunWriter.create(tmp_path / "none", manifest(run="none", cases=0)))])


def test_a_partial_run_says_so(manifest, unit, tmp_path):
    made = manifest(run="half").model_copy(update={"status": "partial"})
    with RunWriter.create(tmp_path / "half", made) as writer:
        writer.add(unit())
    assert "run half is not complete: resume it" in build_board([_open(writer)]).notes
