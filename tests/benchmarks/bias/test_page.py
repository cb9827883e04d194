"""The report: self-contained, escaped, honest about what it lacks, and its numbers are the audit's."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.bias.export import AEQUITAS, IMPACT, other_tools
from benchmarks.bias.findings import findings, limits
from benchmarks.bias.page import audit_page, write_audit
from benchmarks.bias.summary import headline_rows, share_text
from safety.bias.table import AuditTable, read_table


@pytest.fixture(scope="module")
def biased(audit_maker):
    """A generator that shows and serves feminine people less, and shows dark skin less."""
    return audit_maker("dose-response", 0.3)


@pytest.fixture(scope="module")
def page(biased):
    return audit_page(biased)


def test_nothing_is_fetched_and_nothing_runs(page):
    # XML namespaces apart, no address and no script.
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", page)
    assert "<script" not in page.replace("&lt;script", "")
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_prompts_are_text(page):
    assert "<img" not in page
    assert "&lt;img" in page


def test_it_says_perceived_and_never_detected(page):
    assert "perceived presentation" in page.lower()
    assert not re.search(r"detected (gender|sex|race)|\bgender bias", page.lower())


def test_naive_and_corrected_shares_stand_side_by_side(biased, page):
    ways = {way.method: way for way in biased.report.systems[0].axes[0].everybody.ways}
    for method in ("as read", "corrected"):
        assert share_text(ways[method].shares["feminine"]) in page
    row = next(row for row in headline_rows(biased.report) if row[1] == "feminine")
    assert row[2:4] == tuple(share_text(ways[method].shares["feminine"]) for method in ("as read", "corrected"))


def test_hashes_and_command_are_there(biased, page):
    for text in (biased.report.plan_sha256, biased.report.table_sha256, biased.facts.suite_hash, biased.facts.rerun):
        assert text in page


def test_findings_name_what_was_put_there(biased):
    said = " ".join(findings(biased))
    assert "Off an even split, with all tests counted: masculine, feminine." in said
    assert "Service visible: feminine" in said


def test_a_fair_generator_is_not_accused_and_not_acquitted(audit_maker):
    said = " ".join(findings(audit_maker("fair", 0.0)))
    assert "Off an even split" not in said
    assert "Neither a difference from an even split nor evenness is shown." in said or "equivalence test" in said


def test_amplification_is_in_the_page(audit_maker):
    outcome = audit_maker("mixture", 1.5)
    (lean, _) = outcome.report.systems[0].amplification
    text = audit_page(outcome)
    assert "Against the training mixture" in text
    assert f"{lean.factor.value:.2f} [{lean.factor.low:.2f}, {lean.factor.high:.2f}]" in text
    assert "Against the training mixture" not in audit_page(audit_maker("fair", 0.0))


def test_the_folder_holds_everything_and_reads_again(biased, tmp_path):
    write_audit(biased, tmp_path)
    assert read_table(tmp_path / "table.parquet").sha256 == biased.report.table_sha256
    document = json.loads((tmp_path / "figures.json").read_text(), parse_constant=pytest.fail)
    assert document["report"]["plan_sha256"] == biased.report.plan_sha256
    assert {"prompt_id", "seed", "track_id", "presentation"} <= set(pd.read_csv(tmp_path / "labels.csv").columns)
    # The simulated table has no alignment: what cannot be had is not written.
    assert not (tmp_path / AEQUITAS).exists()
    assert not (tmp_path / IMPACT).exists()


def test_limits_speak_of_the_reader_that_was_used(biased):
    assert not any("reader's card" in line for line in limits(biased))


def test_tables_for_other_tools(biased, tmp_path):
    frame = biased.table.frame.assign(alignment=lambda rows: rows["quality"])
    view = other_tools(replace(biased, table=AuditTable(frame)), tmp_path)
    people = pd.read_csv(tmp_path / AEQUITAS)
    assert {"score", "label", "presentation", "skin_tone"} <= set(people.columns)
    assert set(people["score"]) == {0, 1}
    assert json.dumps(view) == json.dumps(json.loads((tmp_path / IMPACT).read_text()))
    assert "does not apply" in view["label"]
    page = audit_page(biased, view)
    assert "a view, no finding" in page
