"""The latent mark's folder: a key and records for the owner's eyes only, and clips that are found again by them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.model_marks import (
    KEY_FILE,
    RECORDS_FILE,
    GeneratedMark,
    detect_latent,
    generate_marked,
    keep,
    open_folder,
)
from eval.clip import Clip
from eval.errors import UserError
from eval.marks.bits import matches, random_message
from eval.marks.mark import MarkError
from moviegen.generate import Form, Reference, load_reference
from moviegen.latent_mark.marking import MarkRecord
from moviegen.sampling import Sampler

FORM = Form(32, 64, 64, 8.0)
QUICK = Sampler(steps=8)
MESSAGE = random_message(32, 4)
MOST_BITS = 25
"""Of 32. Every run has a nonce of its own, and clips of eight sampling steps are the hardest to read (most of all where
they last a second): how often all bits of usual clips are read is a figure of the card. By chance 25 agree once in 950
times; presence, which is asked too, once in a million.
"""
RECORD = MarkRecord(bytes(range(12)), FORM, "a dog")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


def test_a_marked_clip_is_found_by_what_its_owner_keeps(reference: Reference, tmp_path: Path) -> None:
    folder = tmp_path / "marks"
    first = generate_marked(reference, "A dog runs", 1, FORM, QUICK, MESSAGE, folder)
    second = generate_marked(reference, "A dog runs", 1, FORM, QUICK, MESSAGE, folder, with_prompt=False)
    assert not np.array_equal(first.frames_TCHW, second.frames_TCHW)  # the same prompt and seed, and another nonce
    owned = open_folder(folder)
    assert [record.prompt for record in owned.records] == ["a dog runs", ""]
    assert owned.warnings == ()
    detection = detect_latent(first, folder, reference)
    assert matches(detection, MESSAGE) >= MOST_BITS
    assert detection.p_presence is not None
    assert detection.p_presence < 1e-6
    assert {mode(folder): 0o700, mode(folder / KEY_FILE): 0o600, mode(folder / RECORDS_FILE): 0o600} == {
        0o700: 0o700,
        0o600: 0o600,
    }


def test_the_key_is_made_once_and_is_another_in_every_folder(tmp_path: Path) -> None:
    keys = [open_folder(tmp_path / name, make=True).key for name in ("one", "one", "two")]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].bit_length() > 200
    assert str(keys[0]) not in repr(open_folder(tmp_path / "one"))


def test_records_read_back_as_they_were_kept(tmp_path: Path) -> None:
    open_folder(tmp_path / "marks", make=True)
    others = [MarkRecord(bytes([n] * 12), Form(9, 48, 32, 12.5), "") for n in range(3)]
    for record in (RECORD, *others):
        keep(record, tmp_path / "marks")
    assert open_folder(tmp_path / "marks").records == (RECORD, *others)


def test_files_that_others_can_read_are_a_warning(tmp_path: Path) -> None:
    open_folder(tmp_path, make=True)
    keep(RECORD, tmp_path)
    for name in (KEY_FILE, RECORDS_FILE):
        (tmp_path / name).chmod(0o644)
    warnings = open_folder(tmp_path).warnings
    assert len(warnings) == 2
    assert all("others can read" in warning and "chmod 600" in warning for warning in warnings)


def test_no_key_is_made_where_it_would_be_committed(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UserError, match="Git working tree"):
        open_folder(tmp_path / "marks", make=True)
    assert not (tmp_path / "marks").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "1: no record of a marked clip; remove the line"),
        ('{"nonce": "00"}', "1: no record"),
        ('{"nonce": "00", "frames": 8, "width": 64, "height": 64, "fps": 8, "prompt": ""}', "1: no record"),
        ("[]", "1: no record"),
    ],
)
def test_records_that_are_none_are_named_in_one_line(tmp_path: Path, line: str, message: str) -> None:
    open_folder(tmp_path, make=True)
    (tmp_path / RECORDS_FILE).write_text(line + "\n")
    with pytest.raises(MarkError, match=message) as raised:
        open_folder(tmp_path)
    assert "\n" not in str(raised.value)


def test_without_a_key_or_a_record_there_is_nothing_to_detect(reference: Reference, tmp_path: Path) -> None:
    clip = Clip(np.zeros((4, 3, 64, 64), np.uint8), 8.0)
    with pytest.raises(MarkError, match="no such key"):
        detect_latent(clip, tmp_path, reference)
    open_folder(tmp_path, make=True)
    with pytest.raises(MarkError, match="no marked clips are on record"):
        detect_latent(clip, tmp_path, reference)


def test_a_message_of_another_length_costs_no_clip(reference: Reference, tmp_path: Path) -> None:
    with pytest.raises(MarkError, match="carries 32"):
        generate_marked(reference, "A dog runs", 1, FORM, QUICK, random_message(16, 0), tmp_path / "marks")
    assert not (tmp_path / "marks").exists()


def test_the_mark_of_audits_makes_and_reads_but_does_not_embed(reference: Reference) -> None:
    mark = GeneratedMark(reference, FORM, QUICK)
    clip = mark.generate("A red ball", 2, MESSAGE, key=8)
    assert matches(mark.detect(clip, key=8), MESSAGE) >= MOST_BITS
    with pytest.raises(MarkError, match="no marked clips"):
        mark.detect(clip, key=9)
    with pytest.raises(MarkError, match="as it is made"):
        mark.embed(clip, MESSAGE, key=8)
    assert len(mark.weights_sha256) == 64


def test_the_command_line_marks_and_detects(tmp_path: Path) -> None:
    clip, folder = tmp_path / "dog.mp4", tmp_path / "marks"
    asked = ["--key-file", str(folder), "--mark", "latent", "--message", "0123cdef"]
    made = CliRunner().invoke(
        app, ["generate", "A dog runs", "-o", str(clip), "--steps", "8", "--duration", "4", *asked]
    )
    assert made.exit_code == 0, made.output
    found = CliRunner().invoke(app, ["marks", "detect", str(clip), *asked, "--json"])
    (row,) = json.loads(found.stdout)["clips"]
    assert row["marked"]
    assert row["matches"] >= MOST_BITS
    other = CliRunner().invoke(app, ["marks", "detect", str(clip), "--mark", "latent", "--key-file", str(tmp_path)])
    assert other.exit_code == 2
    assert "no such key" in " ".join(other.output.split())
