"""The audit of a folder: rows, counts, exact intervals, the laundering experiment, and the files of a report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from eval.clip import Clip
from eval.video import write_clip
from safety.provenance.audit import audit_clips, exact_share, read_pictures, run_experiment, summarise
from safety.provenance.authority import Authority
from safety.provenance.claim import Claim, MarkBinding
from safety.provenance.errors import ProvenanceError
from safety.provenance.export import write_audit
from safety.provenance.keys import SigningKey, signing_key
from safety.provenance.launder import CHAINS, NotApplicable, make_parties, outcome_of, prepare
from safety.provenance.offline import Anchors
from safety.provenance.sign import sign_clip
from safety.provenance.sources import CAPTURED
from safety.provenance.verdicts import Picture, Verdict


def quiet(_done: int, _name: str) -> None:
    return None


@pytest.fixture
def folder(plain: Path, signed: Path, key: SigningKey, stranger: Authority, tmp_path: Path) -> Path:
    """One clip of each state, and one whose name and title want to be markup."""
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    shutil.copyfile(signed, folder / "a-trusted.mp4")
    shutil.copyfile(plain, folder / "b-plain.mp4")
    sign_clip(plain, folder / "c-stranger.mp4", Claim("c", source_type=CAPTURED), signing_key(stranger))
    data = bytearray(signed.read_bytes())
    data[-600] ^= 1
    (folder / "d-changed.mp4").write_bytes(data)
    (folder / "e-junk.mp4").write_bytes(b"junk" * 30)
    evil = Claim("<script>alert(1)</script>", model="<b>model</b>", marks=(MarkBinding("<i>m</i>", "aa"),))
    sign_clip(plain, folder / "deep" / "<img src=x>.mp4", evil, key)
    return folder


def paths(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.mp4"))


def test_every_clip_is_a_row_and_counted(folder: Path, anchors: Anchors) -> None:
    pictures = {"c-stranger.mp4": Picture("present"), "b-plain.mp4": Picture(detector="present")}
    clips = audit_clips(folder, paths(folder), anchors, pictures, quiet)
    assert {clip.file: (clip.report.state, clip.verdict.kind) for clip in clips} == {
        "a-trusted.mp4": ("trusted", "attested"),
        "b-plain.mp4": ("none", "suspected"),
        "c-stranger.mp4": ("valid-untrusted", "contradicted"),
        "d-changed.mp4": ("invalid", "tampered"),
        "e-junk.mp4": ("unreadable", "unreadable"),
        "deep/<img src=x>.mp4": ("trusted", "attested"),
    }
    audit = summarise("clips", anchors, clips)
    assert {state: share.count for state, share in audit.states.items()} == {
        "trusted": 2,
        "valid-untrusted": 1,
        "invalid": 1,
        "none": 1,
        "unreadable": 1,
    }
    assert all(share.of == 6 for share in audit.states.values())
    assert dict(audit.contradictions) == {"mark-denied": 1}


def test_the_report_and_its_files(folder: Path, anchors: Anchors, tmp_path: Path) -> None:
    clips = audit_clips(folder, paths(folder), anchors, {}, quiet)
    write_audit(summarise("clips", anchors, clips), tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    for raw in ("<script>", "<b>model", "<img src", "<i>m"):
        assert raw not in page
    assert "&lt;b&gt;model&lt;/b&gt;" in page
    assert "http:" not in page
    assert "src=" not in page.replace("src=x", "")
    frame = pd.read_parquet(tmp_path / "report" / "provenance.parquet")
    assert list(frame["state"]) == ["trusted", "none", "valid-untrusted", "invalid", "trusted", "unreadable"]
    assert frame["sha256"].str.len().eq(64).all()
    figures = json.loads((tmp_path / "report" / "figures.json").read_text())
    assert figures["states"]["trusted"]["count"] == 2
    assert figures["laundering"] is None
    assert figures["clips"][0]["source_type"] == "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (3, 8, 0.0852, 0.7551), (50, 100, 0.3983, 0.6017)],
)
def test_intervals_are_those_of_published_tables(count: int, of: int, low: float, high: float) -> None:
    share = exact_share(count, of, 0.95)
    assert (share.low, share.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_a_share_of_nothing_has_no_interval() -> None:
    assert exact_share(0, 0, 0.95).low is None


EXPECTED = {
    "copy": ("trusted", "vouched", "vouched", False),
    "edit-with-parent": ("trusted", "vouched", "vouched", True),
    "remux": ("none", "silent", "alarm", True),
    "re-encode": ("none", "silent", "alarm", True),
    "strip": ("none", "silent", "alarm", True),
    "sidecar": ("trusted", "vouched", "vouched", True),
    "sidecar-remux": ("invalid", "alarm", "alarm", True),
    "sidecar-re-encode": ("invalid", "alarm", "alarm", True),
    "picture-bit": ("invalid", "alarm", "alarm", True),
    "brand-byte": ("trusted", "vouched", "vouched", True),
    "hidden-payload": ("trusted", "vouched", "vouched", True),
    "transplant": ("invalid", "alarm", "alarm", True),
    "re-sign-stranger": ("valid-untrusted", "misclaimed", "alarm", True),
    "re-sign-insider": ("trusted", "deceived", "alarm", True),
}


def test_what_every_chain_leaves_of_a_generated_clip(folder: Path, anchors: Anchors) -> None:
    before = {path: path.read_bytes() for path in paths(folder)}
    chosen = [folder / "a-trusted.mp4", folder / "b-plain.mp4", folder / "e-junk.mp4"]
    experiment = run_experiment(folder, chosen, anchors, most=9, seed=0, confidence=0.95, step=quiet)
    assert [(clip.file, clip.own) for clip in experiment.clips] == [("a-trusted.mp4", True), ("b-plain.mp4", False)]
    assert list(experiment.skipped) == ["e-junk.mp4"]
    for clip in experiment.clips:
        found = {
            one.chain: (one.after.state, one.outcome, one.outcome_with_mark, one.changed)
            for one in clip.results
            if one.after
        }
        assert found == EXPECTED
    summary = {one.chain.name: one for one in experiment.chains}
    assert list(summary) == [chain.name for chain in CHAINS] == list(EXPECTED)
    assert summary["remux"].alarm.count == 0
    assert summary["remux"].alarm_with_mark.count == 2
    assert summary["re-sign-insider"].contradictions == {"mark-denied": 2}
    assert {path: path.read_bytes() for path in paths(folder)} == before, "the clips themselves are only read"


def test_a_camera_clip_that_is_called_generated(plain: Path, key: SigningKey, anchors: Anchors, tmp_path: Path) -> None:
    sign_clip(plain, tmp_path / "camera.mp4", Claim("camera", source_type=CAPTURED), key)
    found = run_experiment(tmp_path, [tmp_path / "camera.mp4"], anchors, most=1, seed=0, confidence=0.95, step=quiet)
    outcomes = {one.chain: one.outcome for one in found.clips[0].results}
    assert outcomes["re-sign-insider"] == "deceived"
    assert outcomes["edit-with-parent"] == outcomes["sidecar"] == "vouched"


def test_clips_that_cannot_go_through_a_chain_say_why(
    anchors: Anchors, tmp_path: Path, tiny: Callable[[int], Clip]
) -> None:
    write_clip(tiny(0), tmp_path / "clip.gif")
    write_clip(tiny(0), tmp_path / "clip.webm")
    chosen = [tmp_path / "clip.gif", tmp_path / "clip.webm"]
    experiment = run_experiment(tmp_path, chosen, anchors, most=2, seed=0, confidence=0.95, step=quiet)
    assert "WebM cannot be signed" in experiment.skipped["clip.webm"]
    results = {one.chain: one for one in experiment.clips[0].results}
    assert (results["copy"].status, results["copy"].outcome) == ("measured", "vouched")
    assert (results["strip"].status, results["strip"].outcome) == ("skipped", "")
    assert "no whole ISO media file" in results["strip"].reason
    summary = {one.chain.name: one for one in experiment.chains}
    assert (summary["strip"].measured, summary["strip"].alarm.low) == (0, None)


def test_clips_too_large_for_the_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(NotApplicable, match="over 256 MB"):
        prepare(large, tmp_path, make_parties(Anchors()))


def test_the_draw_is_seeded(folder: Path, anchors: Anchors) -> None:
    def drawn(seed: int) -> list[str]:
        chosen = [folder / "e-junk.mp4", folder / "a-trusted.mp4"]
        found = run_experiment(folder, chosen, anchors, most=1, seed=seed, confidence=0.95, step=quiet)
        return [clip.file for clip in found.clips] + list(found.skipped)

    assert drawn(0) == drawn(0)
    assert {name for seed in range(4) for name in drawn(seed)} == {"e-junk.mp4", "a-trusted.mp4"}


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict("attested", "generated"), "vouched"),
        (Verdict("claimed", "generated"), "claimed"),
        (Verdict("attested", "captured"), "deceived"),
        (Verdict("claimed", "captured"), "misclaimed"),
        (Verdict("contradicted", "generated"), "alarm"),
        (Verdict("lost", "generated"), "alarm"),
        (Verdict("unknown", "unknown"), "silent"),
        (Verdict("unreadable", "unknown"), "silent"),
    ],
)
def test_outcomes_for_a_generated_clip(verdict: Verdict, outcome: str) -> None:
    assert outcome_of("generated", verdict) == outcome


def test_tables_of_evidence(tmp_path: Path) -> None:
    table = tmp_path / "evidence.csv"
    table.write_text("file,mark,detector,message_sha256\na.mp4,present,,AA\nb.mp4,,absent,\n")
    assert read_pictures(table) == {
        "a.mp4": Picture("present", "not asked", "aa"),
        "b.mp4": Picture("not asked", "absent"),
    }
    for text, said in [
        ("file,mark\na.mp4,yes\n", "line 2: 'yes': present, absent, or nothing"),
        ("file\na.mp4\na.mp4\n", "line 3: named twice"),
        ("name\na.mp4\n", "line 2: the column file is empty or missing"),
    ]:
        table.write_text(text)
        with pytest.raises(ProvenanceError, match=said):
            read_pictures(table)
    with pytest.raises(ProvenanceError, match="not readable as CSV"):
        read_pictures(tmp_path / "nowhere.csv")


def test_evidence_of_clips_that_are_not_there(folder: Path, anchors: Anchors) -> None:
    with pytest.raises(ProvenanceError, match=r"names 'x\.mp4', which is no clip"):
        audit_clips(folder, paths(folder), anchors, {"x.mp4": Picture("present")}, quiet)
    with pytest.raises(ProvenanceError, match="no clips in this folder"):
        audit_clips(folder, [], anchors, {}, quiet)
