"""The pages Watermark, and Deepfake and provenance, over small audits made by their own commands."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

import dashboards.serve
from benchmarks.audits import report_path
from benchmarks.cli import app as commands
from benchmarks.provenance_audits import home_of
from eval.clip import Clip
from eval.hashing import file_sha256
from eval.video import write_clip
from safety.provenance.authority import make_authority
from safety.provenance.claim import Claim
from safety.provenance.keys import signing_key
from safety.provenance.sign import sign_clip

PAGES = Path(dashboards.serve.APP_SCRIPT).parent / "pages"
QUIET = ("--executor", "serial", "--json")


def open_page(name, runs, **query):
    app = AppTest.from_file(str(PAGES / name), default_timeout=60)
    app.secrets["moviegen"] = {"runs": str(runs)}
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def texts(app):
    return " ".join(element.value for element in app.text)


def moviegen(*words):
    result = CliRunner().invoke(commands, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return result


def texture(seed):
    small = np.random.default_rng(seed).integers(40, 216, (3, 12, 12), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    return Clip(np.stack([np.roll(small, 2 * step, 2) for step in range(8)]), 8.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for number in range(2):
        write_clip(texture(number), folder / f"{number}.mp4")
    return folder


@pytest.fixture(scope="module")
def runs(clips, tmp_path_factory):
    """A runs folder with one audit of each kind; the credentials are those of a run's own clips, one of them signed."""
    root, real = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("real")
    for number in range(2):
        write_clip(texture(10 + number), real / f"{number}.mp4")
    moviegen("audit", "watermark", "--mark", "spread-dct", "--clips", clips, "--attacks", "grey,reshare=1",
             "--runs", root, *QUIET)  # fmt: skip
    moviegen("audit", "deepfake", "--fake", clips, "--real", real, "--runs", root, "--permutations", "19", *QUIET)
    (run,) = root.glob("watermark-*")
    home = run / "clips"
    home.mkdir()
    (run / "manifest.json").write_text("{}")
    for path in sorted(clips.glob("*.mp4")):
        made = home / path.name
        if path.stem == "0":
            sign_clip(path, made, Claim(title="signed"), signing_key(make_authority()))
        else:
            made.write_bytes(path.read_bytes())
        made.rename(home / f"{file_sha256(made)}.mp4")
    moviegen("audit", "provenance", home, "--json")
    return root


@pytest.mark.parametrize(("name", "command"), [("watermark.py", "audit watermark"), ("deepfake.py", "audit deepfake")])
def test_nothing_to_show_yet_says_what_to_do(name, command, tmp_path):
    app = open_page(name, tmp_path)
    assert command in app.code[0].value
    assert str(tmp_path) in app.code[1].value


def test_watermark_shows_what_survives_with_intervals_and_what_it_costs(runs):
    app = open_page("watermark.py", runs)
    heat = app.dataframe[0].value
    assert set(heat["attack"]) == {"none", "grey", "reshare"}
    known = heat.dropna(subset=["value"])
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    assert "Caution:" in texts(app)
    measures = next(box for box in app.selectbox if box.label == "Measure")
    assert "bit accuracy" in measures.options
    measures.set_value("message accuracy").run()
    assert not app.exception


def test_an_audit_has_a_permalink(runs):
    (run,) = [path.name for path in runs.glob("watermark-*")]
    (name,) = [path.name for path in (runs / run / "audits" / "watermark").iterdir()]
    app = open_page("watermark.py", runs, audit=f"{run}/{name}")
    assert app.query_params["audit"] == f"{run}/{name}"


def test_deepfake_gives_a_verdict_in_words_before_its_figures(runs):
    app = open_page("deepfake.py", runs)
    said = texts(app)
    assert "That means:" in said
    assert "Caution:" in said or "Because:" in said


def test_provenance_shows_each_clip_with_its_credentials(runs):
    app = open_page("deepfake.py", runs)
    tables = [element.value for element in app.dataframe]
    (clips,) = [table for table in tables if "credentials" in table.columns]
    assert sorted(clips["credentials"]) == ["none", "valid-untrusted"]
    (shares,) = [table for table in tables if "outcome" in table.columns]
    none = shares[(shares["what"] == "credentials") & (shares["outcome"] == "none")].iloc[0]
    assert (none["count"], none["of"]) == (1, 2)
    assert none["low"] < 0.5 < none["high"]


def test_every_kind_of_report_is_found_in_its_run_and_nowhere_else(runs):
    (run,) = [path.name for path in runs.glob("watermark-*")]
    assert report_path(runs, run, "provenance", "clips") == runs.resolve() / run / "audits/provenance/clips/report.html"
    assert report_path(runs, run, "clips", "clips") is None
    assert report_path(runs, "..", "provenance", "clips") is None
    assert report_path(runs, run, "provenance", "../../provenance/clips") is None


def test_only_a_runs_own_clips_have_a_place_in_the_run(runs, clips):
    assert home_of(clips) is None
    (run,) = runs.glob("watermark-*")
    assert home_of(run / "clips") == run.resolve() / "audits" / "provenance" / "clips"
    result = CliRunner().invoke(commands, ["audit", "provenance", str(clips)])
    assert result.exit_code == 2
    assert "-o report/" in result.output
