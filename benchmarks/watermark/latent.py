"""The reference model's own mark in an audit: marked clips are made anew from the prompt."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generators.reference import nearest_form, one_thread
from benchmarks.model_marks import GeneratedMark
from eval.clip import Clip
from eval.marks.mark import Bits, Detection, MarkError
from eval.video import write_clip
from moviegen.latent_mark.marking import MarkRecord, generate_marked
from moviegen.latent_mark.reading import read_mark
from moviegen.latent_mark.shading import NONCE_BYTES
from safety.watermark.plan import Form, MarkFacts
from safety.watermark.subjects import Subject, read_stretch


class LatentMarker:
    """Makes and reads the latent mark (safety.watermark.marker.Marker).

    An owner draws a fresh nonce for every clip and keeps it. Here nonces follow from the clip and the key, so that
    every worker process knows those of all clips of the audit: each reading tries all of them, as the owner's would.
    """

    twins = False

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._mark = GeneratedMark()
        self._subjects = tuple(subject for subject in subjects if subject.case is not None)

    @property
    def facts(self) -> MarkFacts:
        mark = self._mark
        return MarkFacts(
            mark.name, mark.version, mark.bits, mark.stream, mark.summary, mark.source, mark.weights_sha256
        )

    def marked(self, subject: Subject, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """A marked clip of the subject's prompt and seed, cut to the stretch that `clip` is. Raises MarkError.

        It is written and read as the unmarked one was: the file's codec is no part of the mark's cost.
        """
        if subject.case is None:
            raise MarkError("mark 'latent' goes into a clip as it is made: this clip has no prompt")
        reference, form = self._mark.reference, nearest_form(self._mark.reference.preset, subject.case.asked)
        with one_thread():
            made, _ = generate_marked(
                reference,
                subject.case.prompt,
                subject.case.seed,
                form,
                self._mark.sampler,
                message_K,
                key,
                nonce=nonce_of(subject, key),
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.mp4"
            write_clip(made, path)
            return read_stretch(path, subject.start, Form(frames=len(clip.frames_TCHW))).clip

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """Read a clip under the nonces of all clips of the audit."""
        preset = self._mark.reference.preset
        records = [
            MarkRecord(nonce_of(subject, key), nearest_form(preset, subject.case.asked))
            for subject in self._subjects
            if subject.case is not None
        ]
        with one_thread():
            return read_mark(self._mark.reference, clip, records, key).detection


def nonce_of(subject: Subject, key: int) -> bytes:
    """As good as fresh: different for every clip and key."""
    return hashlib.sha256(f"latent\x1f{subject.sha256}\x1f{key}".encode()).digest()[:NONCE_BYTES]
