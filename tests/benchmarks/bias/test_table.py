"""A run as the long table: every clip that was asked for has a row, whatever came of it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.bias.audit import require_like_the_card
from benchmarks.bias.labels import LabelError, sheet, with_labels
from benchmarks.bias.table import Sources, observe
from benchmarks.manifest import CodeFacts, EnvironmentFacts, GeneratorFacts, Manifest, MetricFacts
from benchmarks.records import UnitResult
from benchmarks.store import Run, RunWriter, StoreError
from benchmarks.suite import load_suite
from eval.faces.tracks import FaceRows, FaceTracks, Track, track_arrays
from eval.feature import NotMeasurable
from eval.metric import METRICS
from eval.planner import Score
from safety.bias.axes import NOBODY
from safety.bias.table import AuditTable

SHA = {"person": "a" * 64, "empty": "b" * 64}


class Features:
    """Face tracks without a pack: eight sure frames of one person in one clip, nobody in the other."""

    def __init__(self):
        self.fetched = {}

    def fetch(self, paths, feature):
        self.fetched[feature] = set(paths)

    def why_absent(self, _sha256, _feature):
        return "no face pack"

    def arrays(self, sha256, _feature):
        rows = FaceRows.unknown(8, 2)
        rows.frames_N[:] = np.arange(8)
        rows.boxes_N4[:] = (0, 0, 16, 20)
        rows.embeddings_ND[:] = (1, 0)
        rows.masculine_N[:], rows.ages_N[:], rows.tones_NK[:] = 0.1, 35, np.eye(10)[8]
        tracks = (Track(0, rows),) if sha256 == SHA["person"] else ()
        return track_arrays(FaceTracks(64, 64, np.arange(8) / 8, tracks), 2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three cases, two seeds: a person, nobody, and one failed, one missing clip; the last case was never begun."""
    suite = load_suite("bias-occupations").model_copy(update={"seeds": (0, 1)})
    suite = suite.model_copy(update={"cases": suite.cases[:3]})
    manifest = Manifest(
        run="r", created=datetime(2026, 11, 23, tzinfo=UTC), suite_name=suite.name, suite_version=1,
        suite_hash=suite.sha256, suite=suite.model_dump(mode="json"),
        metrics=tuple(MetricFacts.of(METRICS.get(metric.name).spec) for metric in suite.metrics),
        generators=(GeneratorFacts(name="mine", version="7"),), code=CodeFacts(version="0.1.0"),
        environment=EnvironmentFacts(python="3", platform="test", cpu_count=1), planned_units=6,
    )  # fmt: skip
    scores = [Score(name, 1, 0.75, "ok") for name in ("motion_coherence", "backlot_prompt_accuracy")]
    scores += [Score("exposure", 1, None, "failed", "broke")]
    first, second, _ = (case.id for case in suite.cases)
    with RunWriter.create(tmp_path_factory.mktemp("runs") / "r", manifest) as writer:
        writer.add(UnitResult("mine", first, 0, scores, SHA["person"], "a.mp4"))
        writer.add(UnitResult("mine", first, 1, scores, SHA["empty"], "b.mp4"))
        writer.add(UnitResult("mine", second, 0, [], status="failed", reason="it crashed"))
        writer.add(UnitResult("mine", second, 1, [], status="missing", reason="over quota"))
    return Run(writer.folder)


@pytest.fixture(scope="module")
def seen(run):
    return observe(run, "mine", Sources(), Features())


def test_nothing_is_lost(seen):
    frame = seen.table.frame
    outcomes = ["person", NOBODY, "failed clip", "missing", "missing", "missing"]
    assert frame["outcome"].tolist() == outcomes
    assert frame["reason"].dropna().tolist()[:2] == ["it crashed", "over quota"]
    assert set(frame["version"]) == {"7"}
    assert (seen.clips_looked_at, seen.faces_found) == (2, 8)


def test_rows_join_what_was_asked_seen_and_scored(seen):
    person, nobody = seen.table.frame.iloc[0], seen.table.frame.iloc[1]
    assert (person["role"], person["template_id"]) == ("doctor", "close-up-wave")
    assert (person["presentation"], person["age"], person["skin_tone"], person["monk"]) == (
        "feminine", "adult", "dark", 9,
    )  # fmt: skip
    assert person["quality"] == person["alignment"] == 0.75
    assert np.isnan(person["illumination"])  # the metric failed: empty, and not 0
    assert nobody["coverage"] == nobody["screen_time"] == 0
    assert nobody["quality"] == 0.75


def test_a_name_that_the_run_has_not_is_one_line(run):
    with pytest.raises(StoreError, match="it has mine"):
        observe(run, "yours", Sources(), Features())
    with pytest.raises(StoreError, match="no metric 'beauty'"):
        observe(run, "mine", Sources(quality="beauty"), Features())


def test_a_sheet_of_labels_comes_back_filled_in(seen, tmp_path):
    rows = sheet(seen.table)
    assert len(rows) == 2
    assert {row["presentation"] for row in rows} == {""}
    path = tmp_path / "labels.csv"
    rows = [row | {"presentation": "masculine"} for row in rows if row["track_id"]]
    write(path, rows)
    frame = with_labels(seen.table, path).frame
    assert frame["annotator_presentation"].tolist()[0] == "masculine"
    assert frame["in_validation"].tolist() == [True] + [False] * 5


@pytest.mark.parametrize(
    ("change", "said"),
    [({"presentation": "male"}, "none of masculine"), ({"seed": "9"}, "no such clip"), ({"track_id": "3"}, "no such")],
)
def test_a_sheet_that_does_not_fit_is_one_line(seen, tmp_path, change, said):
    (row,) = [row for row in sheet(seen.table) if row["track_id"]]
    path = tmp_path / "labels.csv"
    write(path, [row | {"presentation": "masculine"} | change])
    with pytest.raises(LabelError, match=said) as caught:
        with_labels(seen.table, path)
    assert "line 2" in str(caught.value)


def write(path, rows):
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def test_a_card_does_not_hold_where_faces_come_and_go(seen):
    require_like_the_card(seen.table)
    flicker = AuditTable(seen.table.frame.assign(coverage=0.3))
    with pytest.raises(NotMeasurable, match="does not hold here"):
        require_like_the_card(flicker)
