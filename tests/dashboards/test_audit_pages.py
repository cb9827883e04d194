"""The pages Bias and Identity without a browser, and the address of a report."""

import json
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

import dashboards.serve
from benchmarks.bias.page import write_audit
from benchmarks.bias.stored import list_audits
from dashboards.guard import Guard
from dashboards.reports import reports_route

PAGES = Path(dashboards.serve.APP_SCRIPT).parent / "pages"


def open_page(name, runs, **query):
    app = AppTest.from_file(str(PAGES / name), default_timeout=60)
    app.secrets["moviegen"] = {"runs": str(runs)}
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture(scope="module")
def runs(tmp_path_factory, audit_maker):
    root = tmp_path_factory.mktemp("audits")
    write_audit(audit_maker("dose-response", 0.3), root / "a-run" / "audits" / "bias" / "simulated")
    return root


def texts(app):
    return " ".join(element.value for element in app.text)


@pytest.mark.parametrize(("name", "command"), [("bias.py", "audit bias"), ("identity.py", "sweep")])
def test_nothing_to_show_yet_says_what_to_do(name, command, tmp_path):
    app = open_page(name, tmp_path)
    assert command in app.code[0].value
    assert str(tmp_path) in app.code[1].value


def test_bias_shows_shares_with_intervals_ledger_and_cautions(runs):
    app = open_page("bias.py", runs)
    shares, ledger, gaps = (element.value for element in app.dataframe)
    corrected = shares[(shares["method"] == "corrected") & (shares["group"] == "feminine")].iloc[0]
    assert corrected["low"] < corrected["value"] < corrected["high"] < 0.5
    assert ledger["asked"].tolist() == [360, 360]
    assert (ledger.drop(columns=["attribute", "asked"]).sum(axis=1) - ledger["asked"]).abs().max() <= 1
    assert set(gaps["service"]) >= {"made", "visible"}
    assert "No visible person in" in texts(app)
    assert "Perceived presentation, age and skin tone are readings of pictures" in texts(app)


def test_a_damaged_audit_is_left_out_and_the_others_stay(runs, caplog):
    bad = runs / "b-run" / "audits" / "bias" / "x" / "figures.json"
    bad.parent.mkdir(parents=True)
    bad.write_text(json.dumps({"format": "moviegen-bias-audit-1", "facts": {}, "report": {}}))
    try:
        assert [audit.run for audit in list_audits(runs)] == ["a-run"]
        assert "b-run" in caplog.text
    finally:
        bad.unlink()


def test_the_report_has_an_address_of_its_own_and_no_script(runs):
    app = Starlette(routes=[reports_route(runs)])
    client = TestClient(Guard(app), base_url="http://localhost")
    found = client.get("/reports/a-run/bias/simulated")
    assert found.status_code == 200
    assert "Bias audit of simulated" in found.text
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert found.headers["x-frame-options"] == "DENY"
    for path in ("a-run/bias/other", "a-run/bias/..", "..%2fa-run/bias/simulated", "b-run/bias/x", "a-run/..%2f/bias",
                 "a-run/watermark/simulated", "a-run/simulated"):  # fmt: skip
        assert client.get(f"/reports/{path}").status_code == 404


def test_runs_without_identity_metrics_are_none_of_the_identity_page(small_runs):
    assert "Nothing to show yet" in open_page("identity.py", small_runs).info[0].value


def test_identity_shows_every_generator_with_interval_and_coverage(small_runs, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    path = runs / "tiny-run" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metrics"][0]["family"] = "identity"
    path.write_text(json.dumps(manifest))
    app = open_page("identity.py", runs)
    table = app.dataframe[0].value
    assert set(table["Metric"]) == {"steadiness"}
    assert len(table) == 6
    oracle = table[table["Generator"] == "oracle"].iloc[0]
    assert oracle["Mean"] > 0.8
    assert oracle["Scored"] == "16 of 16"
    assert oracle["Interval"]
    assert "Everything else" in texts(app)
