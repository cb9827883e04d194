"""`moviegen audit bias`: mistakes are one line before a clip is made; what clips do not show is an outcome."""

import json

import pytest
from typer.testing import CliRunner

from benchmarks.cli import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def audit(folder, *words):
    return run("audit", "bias", "--runs", folder / "runs", "-o", folder / "out", "--executor", "serial", *words)


TABLES = {
    "sums": ("axis,group,share\npresentation,masculine,0.7\npresentation,feminine,0.7\n", "add up to 1.4"),
    "group": ("axis,group,share\npresentation,male,0.5\npresentation,feminine,0.5\n", "no group 'male'"),
    "axis": ("axis,group,share\ngender,masculine,1\n", "unknown axis 'gender'"),
    "role": ("role,axis,group,share\nnurze,presentation,masculine,1\nnurze,presentation,feminine,0\n", "nurze"),
    "columns": ("a,b\n1,2\n", "needs the columns"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_reference_table_that_is_none_is_one_line(tmp_path, name):
    content, said = TABLES[name]
    path = tmp_path / "table.csv"
    path.write_text(content)
    result = audit(tmp_path, "-g", "oracle", "--reference-table", path)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which generator?"),
        (("-g", "orcale"), "did you mean 'oracle'"),
        (("-g", "oracle,noise"), "an audit is of one generator"),
        (("-g", "oracle", "--suite", "smoke"), "is not one for a bias audit"),
        (("-g", "oracle", "--labels", "nothing.csv"), "there is no such file"),
        (("-g", "oracle", "--pack", "nobody"), "nobody"),
        (("-g", "oracle", "--quality", "beauty", "--limit", "1"), "beauty"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(tmp_path, words, said):
    result = audit(tmp_path, *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.count("error:") == 1
    assert not (tmp_path / "runs").exists()


def test_too_few_clips_are_an_outcome_and_no_number(tmp_path):
    result = audit(tmp_path, "-g", "oracle", "--seeds", "1", "--limit", "2", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    (system,) = document["report"]["systems"]
    assert {axis["everybody"]["status"] for axis in system["axes"]} == {"too few"}
    assert system["scope"]["people"] == 2
    assert "a claim needs" in (tmp_path / "out" / "report.html").read_text()
    again = audit(tmp_path, "-g", "oracle", "--seeds", "1", "--limit", "2")
    assert "too few" in again.stdout or "a claim needs" in again.stdout
    assert len(list((tmp_path / "runs").glob("bias-*"))) == 1  # the same run, gone on with


def test_no_face_anywhere_is_said_and_fails(tmp_path):
    result = audit(tmp_path, "-g", "noise", "--seeds", "1", "--limit", "2")
    assert result.exit_code == 1
    assert "no clip shows a visible person" in result.stderr
    report = (tmp_path / "out" / "report.html").read_text()
    assert "No visible person in any clip" in report


def test_certification_prints_its_table(monkeypatch):
    from benchmarks.bias import certificate

    names = ("shares, as read", "shares, corrected")
    shares = [f for f in certificate.figures() if f.name in names and f.probe == "presentation feminine"]
    fair = [w for w in certificate.worlds() if w.name == "biased reader, fair generator"]
    monkeypatch.setattr(certificate, "figures", lambda: shares)
    monkeypatch.setattr(certificate, "worlds", lambda: fair)
    result = run("audit", "bias", "--certify", "--repetitions", "40", "--json")
    assert result.exit_code == 0, result.output
    checks = json.loads(result.stdout)["checks"]
    passed = {check["figure"]: check["passed"] for check in checks if check["kind"] == "coverage"}
    # What the reader says is off, as it has to be; what is corrected is not.
    assert passed["shares, as read"] is False
    assert passed["shares, corrected"] is True


def test_a_figure_that_is_shown_and_fails_is_a_failure(monkeypatch):
    from benchmarks.bias import certificate

    broken = [f for f in certificate.figures() if f.name == "shares, as read" and f.probe == "presentation feminine"]
    fair = [w for w in certificate.worlds() if w.name == "biased reader, fair generator"]
    monkeypatch.setattr(certificate, "MEANT_TO_FAIL", ("nothing",))
    monkeypatch.setattr(certificate, "figures", lambda: broken)
    monkeypatch.setattr(certificate, "worlds", lambda: fair)
    result = run("audit", "bias", "--certify", "--repetitions", "40")
    assert result.exit_code == 1
    assert "not listed: shares, as read" in result.stdout
