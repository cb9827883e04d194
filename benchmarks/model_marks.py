"""The mark `latent`: clips of the reference model that carry a message in the noise they were made from.

    clip      = generate_marked(reference, prompt, seed, form, sampler, message_K, key_folder)
    detection = detect_latent(clip, key_folder)

Unlike the other marks it cannot be put into a clip that exists, and it is found by what its owner keeps, in a folder
for his eyes only:

    latent.key          one integer: the key (made at first use)
    latent-marks.jsonl  a line for each clip that was made: its nonce, its form and its prompt, no message

Who loses these lines can no longer find those clips' marks; who steals both files can read them and forge more.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.marks.bits import check_message
from eval.marks.keys import read_key_file
from eval.marks.mark import Bits, Detection, MarkError, Stream
from safety.provenance.keys import refuse_repository, write_owned

if TYPE_CHECKING:
    from eval.clip import Clip
    from moviegen.generate import Form, Reference
    from moviegen.latent_mark.marking import MarkRecord
    from moviegen.sampling import Sampler

KEY_FILE, RECORDS_FILE = "latent.key", "latent-marks.jsonl"
KEY_BITS = 256


def default_key_folder() -> Path:
    """Where the key and the records go if nobody says."""
    return Path.home() / ".moviegen" / "marks"


@dataclass(frozen=True, slots=True)
class Owned:
    """A folder's key and records. warnings: plain sentences."""

    folder: Path
    key: int = field(repr=False)
    records: tuple[MarkRecord, ...] = ()
    warnings: tuple[str, ...] = ()


def open_folder(folder: Path, *, make: bool = False) -> Owned:
    """The key and the records in a folder. make: make a key where there is none, readable by its owner alone.

    Raises MarkError in one line where there is no key or a file cannot be read, and SigningKeyError where a key would
    be made inside a Git working tree. Files that others can read are a warning.
    """
    folder = folder.expanduser()
    path = folder / KEY_FILE
    if not path.exists():
        if not make:
            raise MarkError(f"{path}: no such key; `moviegen generate --mark latent` makes one with its first clip")
        refuse_repository(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_owned(path, f"{secrets.randbits(KEY_BITS):#x}\n".encode())
    key, warnings = read_key_file(path)
    kept = folder / RECORDS_FILE
    return Owned(folder, key, _read_records(kept), (*warnings, *_others_can_read(kept)))


def keep(record: MarkRecord, folder: Path) -> None:
    """Add a line to the folder's records; the file is its owner's alone."""
    line = json.dumps({"nonce": record.nonce.hex(), **asdict(record.form), "prompt": record.prompt})
    handle = os.open(folder.expanduser() / RECORDS_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(line.encode() + b"\n")


def generate_marked(
    reference: Reference,
    prompt: str,
    seed: int,
    form: Form,
    sampler: Sampler | None,
    message_K: Bits,
    key_folder: Path,
    on_step: Callable[[int], None] = lambda _: None,
    *,
    with_prompt: bool = True,
) -> Clip:
    """A clip with the message in its noise; what finds it again lies in the folder before the clip is made.

    with_prompt: keep the prompt as well, which detection can use but does not need.
    Raises MarkError for a message of another length than the mark's, and what open_folder and generate_batch raise.
    """
    from moviegen.generate import as_text
    from moviegen.latent_mark import marking
    from moviegen.latent_mark.shading import fresh_nonce

    check_message(message_K, marking.BITS)
    text = as_text(reference.preset, prompt)
    owned = open_folder(key_folder, make=True)
    record = marking.MarkRecord(fresh_nonce(), form, text if with_prompt else "")
    keep(record, owned.folder)
    clip, _ = marking.generate_marked(
        reference, prompt, seed, form, sampler, message_K, owned.key, nonce=record.nonce, on_step=on_step
    )
    return clip


def detect_latent(
    clip: Clip, key_folder: Path, reference: Reference | None = None, *, with_prompts: bool = False
) -> Detection:
    """Read a clip under the key and the records of a folder. reference: the model that made the clips, if not shipped.

    Raises MarkError without a key or records, or for a clip too long to be searched.
    """
    from moviegen.generate import load_reference
    from moviegen.latent_mark.reading import read_mark

    owned = open_folder(key_folder)
    return read_mark(reference or load_reference(), clip, owned.records, owned.key, with_prompts=with_prompts).detection


class GeneratedMark:
    """The latent mark for audits: clips are generated with it, and the records stay in memory (eval.marks.Mark).

    with_prompts: detect with the prompts as well. records: of the clips made so far, by key.
    """

    name = "latent"
    version = 1
    bits = 32
    stream: Stream = "picture"
    summary = "message in the signs of the noise that a clip of the reference model starts from"
    source = "Gaussian Shading (arXiv 2404.04956), over time as in VideoShield (arXiv 2501.14195)"

    def __init__(
        self,
        reference: Reference | None = None,
        form: Form | None = None,
        sampler: Sampler | None = None,
        *,
        with_prompts: bool = False,
    ) -> None:
        from moviegen.generate import form_of, load_reference

        self.reference = reference or load_reference()
        self.form = form or form_of(self.reference.preset)
        self.sampler = sampler
        self.with_prompts = with_prompts
        self.records: dict[int, list[MarkRecord]] = {}

    @property
    def weights_sha256(self) -> str:
        """Of the model's and the autoencoder's weights together."""
        from eval.hashing import json_sha256
        from moviegen.video_weights import autoencoder_id

        return json_sha256([autoencoder_id(part) for part in (self.reference.model, self.reference.tae)])

    def generate(self, prompt: str, seed: int, message_K: Bits, key: int) -> Clip:
        """A marked clip of the prompt. Raises MarkError for a message of another length, PromptError without a word."""
        from moviegen.latent_mark.marking import generate_marked

        check_message(message_K, self.bits)
        clip, record = generate_marked(self.reference, prompt, seed, self.form, self.sampler, message_K, key)
        self.records.setdefault(key, []).append(record)
        return clip

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:  # noqa: ARG002
        """Raises MarkError: this mark goes into clips as they are made."""
        raise MarkError(
            "mark 'latent' goes into a clip as it is made, not into one that exists: moviegen generate --mark latent"
        )

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """Read a clip under the nonces of all clips made with this key. Raises MarkError where none was made."""
        from moviegen.latent_mark.reading import read_mark

        return read_mark(self.reference, clip, self.records.get(key, []), key, with_prompts=self.with_prompts).detection


def kept_mark(folder: Path, reference: Reference | None = None) -> tuple[GeneratedMark, int, tuple[str, ...]]:
    """The mark with the records of a folder, the folder's key, and warnings. Raises what open_folder raises."""
    owned = open_folder(folder)
    mark = GeneratedMark(reference)
    mark.records[owned.key] = list(owned.records)
    return mark, owned.key, owned.warnings


def _read_records(path: Path) -> tuple[MarkRecord, ...]:
    """Raises MarkError for a file that cannot be read, or a line that is no record."""
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MarkError(f"{path}: cannot be read ({error}); records of marked clips are lines of JSON") from None
    return tuple(_record(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip())


def _record(line: str, place: str) -> MarkRecord:
    from moviegen.generate import Form
    from moviegen.latent_mark.marking import MarkRecord
    from moviegen.latent_mark.shading import NONCE_BYTES

    try:
        facts: dict[str, Any] = json.loads(line)
        nonce = bytes.fromhex(facts["nonce"])
        form = Form(int(facts["frames"]), int(facts["width"]), int(facts["height"]), float(facts["fps"]))
        if len(nonce) != NONCE_BYTES or min(form.frames, form.width, form.height, form.fps) <= 0:
            raise ValueError(line)
        return MarkRecord(nonce, form, str(facts["prompt"]))
    except (ValueError, TypeError, KeyError):
        raise MarkError(f"{place}: no record of a marked clip; remove the line") from None


def _others_can_read(path: Path) -> tuple[str, ...]:
    if os.name != "posix" or not path.exists() or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return ()
    return (f"{path}: others can read what finds your marks, prompts included: chmod 600 {path}",)
