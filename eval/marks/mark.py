"""A mark: a message hidden in a clip's picture or sound under a key, and read back without knowing the message.

Shape legend: K bits of the message, T frames or seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from eval.clip import Clip
from eval.errors import UserError
from eval.registry import Registry

Bits = npt.NDArray[np.uint8]
"""A message: zeros and ones, shape K."""

Stream = Literal["picture", "sound"]

TORCHSCRIPT = "torchscript:"
"""What the name of a mark of the user's own begins with; the folder of its programs follows."""


class MarkError(UserError):
    """A clip that cannot carry the mark, or a message that does not fit. One line: what, where, what to do next."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What was read from a clip, without knowledge of the message.

    bits_K: the decoded message. soft_K: signed confidence of each bit, positive for 1, in the mark's own unit.
    score: higher is more surely marked, whatever the message (0-bit presence).
    p_presence: probability of such a score or a higher one in a clip without this mark; None where the mark has no
        calibrated test of presence.
    searched: how many alignments (shifts, scales, flips) were tried for the message; 1 without a search. A p-value of
        the message's agreement has to be multiplied by it.
    local_T: evidence for each frame (picture) or each second (sound); None where the mark cannot tell.
    seconds: of wall clock that detection took.
    """

    bits_K: Bits
    soft_K: npt.NDArray[np.float64]
    score: float
    p_presence: float | None
    searched: int
    local_T: npt.NDArray[np.float64] | None
    seconds: float


class Mark(Protocol):
    """A way of marking clips. Any integer is a key; who lacks the key can neither read nor write.

    name, version: rows of results name both. bits: length of a message. source: paper, or "ours".
    weights_sha256: of the weights or programs used; empty where there are none.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def bits(self) -> int: ...
    @property
    def stream(self) -> Stream: ...
    @property
    def summary(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def weights_sha256(self) -> str: ...

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """The clip with the message in it: same size, length and rates; the other stream is untouched.

        Raises MarkError for a clip that is too small or short, that has no sound where sound is needed, or for a
        message of another length.
        """
        ...

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """Read a clip. Raises MarkError for a clip that could not carry the mark at all."""
        ...


MARKS: Registry[Mark] = Registry("mark", ("eval.marks",))


def find_mark(name: str) -> Mark:
    """The mark called `name`, or the user's own programs in FOLDER for `torchscript:FOLDER`.

    Raises UnknownName with suggestions, and MarkError for a folder whose programs cannot be used.
    """
    if name.startswith(TORCHSCRIPT):
        from eval.marks.torchscript import load_folder

        return load_folder(Path(name.removeprefix(TORCHSCRIPT)))
    return MARKS.get(name)
