"""`moviegen audit deepfake` from folders to a report, stored audits, and what cannot be done.

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.audits import report_path
from benchmarks.cli import app
from benchmarks.deepfake.export import FIGURES, REPORT, TABLE
from benchmarks.deepfake.gather import folder_clips, generator_named
from benchmarks.deepfake.stored import list_audits, read_audit
from benchmarks.manifest import StoreError
from eval.clip import Clip
from eval.video import write_clip
from safety.deepfake.errors import DeepfakeError

RUN = CliRunner()


def texture(seed: int, frames: int = 10, side: int = 32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    big = np.kron(rng.normal(size=(12, 12)), np.ones((4, 4)))
    big = 128 + 25 * (big + np.roll(big, 1, 0) + np.roll(big, 2, 1))
    views = np.stack([big[t : t + side, t : t + side] for t in range(frames)]) + rng.normal(0, 2, (frames, side, side))
    return np.repeat(np.clip(views, 0, 255).astype(np.uint8)[:, None], 3, axis=1)


def board(frames: np.ndarray) -> np.ndarray:
    pattern = 12 * (2 * (np.indices(frames.shape[2:]).sum(axis=0) % 2) - 1)
    return np.clip(frames.astype(int) + pattern, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Eight clips of a generator that leaves a checkerboard, six and six real ones of two sources."""
    root = tmp_path_factory.mktemp("folders")
    for name, count, first, change in (("made", 8, 0, board), ("film", 6, 100, None), ("phone", 6, 200, None)):
        (root / name).mkdir()
        for place in range(count):
            frames = texture(first + place)
            write_clip(Clip(frames if change is None else change(frames), 8.0), root / name / f"{place}.mp4")
    (root / "film" / "cut.mp4").write_bytes((root / "film" / "0.mp4").read_bytes()[:900])
    return root


@pytest.fixture(scope="module")
def audited(folders, tmp_path_factory):
    out, runs = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("runs")
    result = RUN.invoke(
        app,
        [
            "audit", "deepfake", "--fake", str(folders / "made"), "--real", str(folders / "film"),
            "--real", str(folders / "phone"), "-o", str(out), "--runs", str(runs), "--permutations", "19",
            "--executor", "serial", "--name", "a <b>made</b>", "--json",
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), out, runs


def test_json_has_every_part(audited):
    document, _, _ = audited
    assert document["form"]["side"] == 32
    assert document["form"]["frames"] == 10
    assert document["verdict"]["state"] in {"separable", "no further than real sources", "refused", "not told apart"}
    assert document["measured"]["blocks"]["all"]["value"] > 0.9
    assert [control["name"] for control in document["floors"]] == ["real against real", "a generator against itself"]
    ceilings = {control["name"]: control["auc"]["value"] for control in document["ceilings"]}
    assert ceilings["planted: frozen"] > 0.9
    film = next(count for count in document["ledger"] if count["set"] == "film")
    assert (film["clips"], film["measured"]) == (7, 6)
    assert "breaks off" in next(iter(film["reasons"]))


def test_files_are_whole_and_the_table_holds_every_clip(audited):
    _, out, _ = audited
    frame = pd.read_parquet(out / TABLE)
    assert len(frame) == 8 + 6 + 6 + 1
    assert frame.groupby("set").size().to_dict() == {"film": 7, "made": 8, "phone": 6}
    assert frame["score"].between(0, 1).sum() == 20
    assert frame.loc[frame["score"].isna(), "reason"].str.contains("breaks off").all()
    assert {"dct.diagonal_00", "before.fps", "after.bits_per_pixel"} <= set(frame)


def test_the_page_is_self_contained_and_escaped(audited):
    _, out, _ = audited
    page = (out / REPORT).read_text()
    assert "&lt;b&gt;made" in page
    assert "<b>made" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for part in ("Floors and ceilings", "Limits", "moviegen", "is not &#34;cannot be told&#34;", "1: cut.mp4"):
        assert part in page


def test_stored_audits_are_found_and_read_as_frames(audited):
    _, _, runs = audited
    (found,) = list_audits(runs)
    assert found.block_frame()["block"].tolist()[-1] == "all"
    assert set(found.control_frame()["kind"]) == {"floor", "ceiling"}
    assert found.nuisance_frame().query("nuisance == 'together'")["when"].tolist() == ["before", "after"]
    assert found.roc_frame()["tpr"].max() == 1
    assert found.curve_frame()["clips"].is_monotonic_increasing
    assert "undecidable" in found.operating_frame().set_index("figure").loc["TPR at FPR 0.001", "reason"]
    assert found.ledger_frame()["clips"].sum() == 21
    assert found.detector_frame().empty
    path = report_path(runs, found.run, "deepfake", found.folder)
    assert path is not None
    assert path.is_file()
    assert report_path(runs, found.run, "deepfake", "../../../../etc") is None


@pytest.mark.parametrize("text", ["", "{}", '{"format": "other"}', "[1]", '{"format": "moviegen-deepfake-audit-1"}'])
def test_other_files_are_left_out(tmp_path, text):
    path = tmp_path / "run" / "audits" / "deepfake" / "x" / FIGURES
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(StoreError):
        read_audit(path)
    assert list_audits(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "which clips are generated?"),
        (["--fake", "{made}"], "what are they held against?"),
        (["--fake", "{made}", "--real", "{none}"], "there is no such folder; --real takes a folder of clips"),
        (["--fake", "{none}", "--real", "{film}"], "there is no such folder; name one that holds clips"),
        (["--fake", "{empty}", "--real", "{film}"], "no clips in this folder"),
        (["--fake", "{made}", "--real", "{made}"], "two sets are called 'made'"),
        (["--fake", "{made}", "--real", "{film}", "--detector", "{none}"], "there is no such file"),
        (["--fake", "{made}", "--real", "{film}", "--mark", "nonesuch"], "unknown mark 'nonesuch'"),
        (["--fake", "{made}", "--real", "{film}", "--attacks", "nonesuch"], "unknown attack 'nonesuch'"),
        (["--fake", "{broken}", "--real", "{film}"], "no generated clip can be read: cut.mp4"),
        (["--generator", "nonesuch", "--real", "{film}"], "unknown generator 'nonesuch'"),
    ],
)
def test_what_cannot_be_done_is_one_line(folders, tmp_path, arguments, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "cut.mp4").write_bytes((folders / "film" / "cut.mp4").read_bytes())
    places = {"none": tmp_path / "none", "empty": tmp_path / "empty", "broken": tmp_path / "broken"}
    places |= {name: folders / name for name in ("made", "film")}
    words = [word.format(**places) for word in arguments]
    result = RUN.invoke(app, ["audit", "deepfake", *words, "--runs", str(tmp_path / "runs")])
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert says in line


def test_one_clip_a_side_has_a_report_and_no_verdict(folders, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.mp4").write_bytes((folders / "made" / "0.mp4").read_bytes())
    (tmp_path / "other" / "a.mp4").write_bytes((folders / "film" / "0.mp4").read_bytes())
    words = ["--fake", str(tmp_path / "one"), "--real", str(tmp_path / "other"), "--runs", str(tmp_path / "runs")]
    result = RUN.invoke(app, ["audit", "deepfake", *words, "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "No verdict: 1 independent generated and 1 independent real clips" in result.output
    assert (tmp_path / "out" / REPORT).is_file()
    assert len(list_audits(tmp_path / "runs")) == 1


def test_the_same_file_on_both_sides_is_on_neither(folders, tmp_path):
    (tmp_path / "copy").mkdir()
    for place in range(3):
        (tmp_path / "copy" / f"{place}.mp4").write_bytes((folders / "film" / f"{place}.mp4").read_bytes())
    words = ["--fake", str(tmp_path / "copy"), "--real", str(folders / "film"), "--runs", str(tmp_path / "runs")]
    result = RUN.invoke(app, ["audit", "deepfake", *words])
    assert result.exit_code == 2
    assert "the same file is on both sides" in result.stderr


def test_tables_give_groups_and_generators_stand_for_real(folders, tmp_path):
    (tmp_path / "told").mkdir()
    for place in range(3):
        (tmp_path / "told" / f"{place}.mp4").write_bytes((folders / "film" / f"{place}.mp4").read_bytes())
    (tmp_path / "told" / "clips.csv").write_text("file,prompt,seed\n0.mp4,a dog,0\n1.mp4,a dog,1\n")
    clips = folder_clips(tmp_path / "told", "fake").clips
    assert [clip.group for clip in clips] == ["case a dog", "case a dog", "file told/2.mp4"]
    assert [clip.seed for clip in clips] == [0, 1, 0]
    assert generator_named("oracle").kind == "oracle"
    assert generator_named(str(tmp_path)) is None
    with pytest.raises(DeepfakeError, match="there is no such folder"):
        generator_named("footge")
