"""Whoever marks a clip in an audit: a mark that is put on clips that exist, or a generator that makes them marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from eval.clip import Clip
from eval.marks.mark import Bits, Detection, Mark, find_mark
from safety.watermark.plan import MarkFacts
from safety.watermark.subjects import Subject


class Marker(Protocol):
    """Makes marked clips and reads them. twins: its marked clip is the unmarked one but for the mark, so that the two
    can be compared pixel by pixel.
    """

    @property
    def facts(self) -> MarkFacts: ...
    @property
    def twins(self) -> bool: ...

    def marked(self, subject: Subject, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """The subject's clip with the message in it. Raises MarkError."""
        ...

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """Read a clip, without knowledge of the message. Raises MarkError."""
        ...


@dataclass(frozen=True, slots=True)
class PostHoc:
    """A mark that is put on clips after they were made."""

    mark: Mark
    twins: bool = True

    @property
    def facts(self) -> MarkFacts:
        mark = self.mark
        return MarkFacts(
            mark.name, mark.version, mark.bits, mark.stream, mark.summary, mark.source, mark.weights_sha256
        )

    def marked(self, subject: Subject, clip: Clip, message_K: Bits, *, key: int) -> Clip:  # noqa: ARG002 - Marker's
        return self.mark.embed(clip, message_K, key=key)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        return self.mark.detect(clip, key=key)


def find_marker(name: str) -> Marker:
    """The mark of that name. Raises UnknownName with suggestions, and MarkError for programs that cannot be used."""
    return PostHoc(find_mark(name))
