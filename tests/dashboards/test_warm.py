"""The newest run is in the pages' caches before anybody asks, and nothing is said about a run that cannot be read."""

import shutil

from dashboards import results, warm


def test_the_newest_run_is_read_ahead(small_runs, tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    warm.read_ahead(runs).join(60)

    def fail(*_arguments, **_named):
        raise AssertionError("built again")

    monkeypatch.setattr(results, "build_board", fail)
    board = results.load_board(results.open_run(runs, "tiny-run"))
    assert len(board.rows) == 6


def test_a_broken_run_and_an_empty_folder_are_left_to_their_page(small_runs, tmp_path):
    warm.read_ahead(tmp_path / "nothing").join(60)
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    for shard in (runs / "tiny-run").glob("shards/*/rows.parquet"):
        shard.write_bytes(b"PAR1 no")
    warm.read_ahead(runs).join(60)
