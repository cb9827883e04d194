"""The page Metric without a browser: spread, brackets, damage, correlations, cases at both ends."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.cube import score_cube
from benchmarks.damage_curves import curves_of
from benchmarks.store import open_run
from dashboards.damage_plot import damage_frame, noticed


@pytest.fixture(scope="module")
def page(open_page, small_runs):
    return open_page("metric.py", small_runs, metric="steadiness")


def texts(app):
    return " ".join(element.value for element in app.text)


def test_it_says_what_the_number_means(page):
    told = texts(page)
    for part in ("How much steadiness a clip has", "version 1", "0 to 1", "Blind to: Everything else.", "for tests"):
        assert part in told


def test_brackets_rank_as_they_should(page):
    table = page.dataframe[0].value
    assert table["Ceiling"].tolist() == ["oracle"]
    assert table["Floor"].tolist() == ["noise"]
    assert table["Outcome"].tolist() == ["as it should"]
    assert table["Difference"].iloc[0] > 0.5


def test_a_metric_that_nobody_measured_under_damage_says_how(page):
    assert "python -m benchmarks.damage_curves" in [code.value for code in page.code]


def test_the_ends_are_the_lowest_and_the_highest_cases(page, small_runs):
    cube = score_cube([open_run(small_runs, "tiny-run")])
    values = cube.raw_GMC[cube.find("oracle"), 0]
    table = page.dataframe[-1].value
    assert table["Case"].iloc[0] == cube.cases[int(np.argmin(values))]
    assert table["Case"].iloc[-1] == cube.cases[int(np.argmax(values))]
    assert table["Clips"].str.contains("run=tiny-run&case=case-").all()


def test_a_shipped_curve_is_shown_for_its_version_only(open_page, small_runs, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    for path in (runs / "tiny-run").glob("shards/*/rows.parquet"):
        rename(path)
    manifest = runs / "tiny-run" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("blockiness", "sharpness"))
    rehash(manifest)
    app = open_page("metric.py", runs, metric="sharpness")
    table = next(frame.value for frame in app.dataframe if "Damage" in frame.value.columns)
    assert "blur" in set(table["Damage"])
    assert curves_of("sharpness", 999) == []


def rename(path):
    import pyarrow.parquet as pq

    frame = pq.read_table(path).to_pandas()
    pq.write_table(
        pq.read_table(path).from_pandas(
            frame.replace({"metric": {"blockiness": "sharpness"}}), schema=pq.read_schema(path), preserve_index=False
        ),
        path,
    )


def rehash(manifest):
    """The suite's hash, after its metrics were renamed; rows carry it too."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from eval.hashing import json_sha256

    document = json.loads(manifest.read_text())
    document["suite_hash"] = json_sha256(document["suite"])
    manifest.write_text(json.dumps(document))
    for path in manifest.parent.glob("shards/*/rows.parquet"):
        table = pq.read_table(path)
        place = table.schema.get_field_index("suite_hash")
        pq.write_table(table.set_column(place, "suite_hash", pa.array([document["suite_hash"]] * len(table))), path)


def test_shipped_curves_notice_what_they_should():
    """Blur takes sharpness, noise adds noise; the frame rate that was asked for is another matter."""
    told = {
        name: {curve.damage: noticed(curve, direction) for curve in curves_of(name, version)}
        for name, version, direction in (("sharpness", 1, "higher"), ("noise", 1, "lower"), ("silence", 1, "lower"))
    }
    assert told["sharpness"]["blur"] == "↓ worse"
    assert told["noise"]["noise"] == "↑ worse"
    assert told["silence"]["muted"] == "↑ worse"
    assert "noise" not in told["silence"]
    frame = damage_frame(curves_of("sharpness", 1), "higher")
    assert frame["Course"].map(len).eq(5).all()


def test_foreign_names_are_only_text(open_page, small_runs, hostile):
    app = open_page("metric.py", small_runs, generator=hostile[1])
    for element in [*app.markdown, *app.caption, *app.subheader, *app.info, *app.warning, *app.expander]:
        assert "tracker" not in str(getattr(element, "value", "")) + str(getattr(element, "label", ""))


def test_no_runs_yet(open_page, tmp_path):
    assert "No runs yet" in open_page("metric.py", tmp_path).info[0].value
