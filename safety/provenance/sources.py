"""Where credentials say that pictures come from: IPTC's digital source types, told apart by origin.

https://cv.iptc.org/newscodes/digitalsourcetype/. C2PA does not check the value against the vocabulary, so a term that
is not listed there is "unknown" here, never "captured".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Origin = Literal["generated", "captured", "unknown"]

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED = VOCABULARY + "trainedAlgorithmicMedia"
CAPTURED = VOCABULARY + "digitalCapture"

_GENERATED = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
        "dataDrivenMedia",
        "virtualRecording",
    }
)
_CAPTURED = frozenset(
    {
        "digitalCapture",
        "computationalCapture",
        "compositeCapture",
        "negativeFilm",
        "positiveFilm",
        "print",
        "screenCapture",
        "humanEdits",
        "digitalCreation",
    }
)


def term(source_type: str) -> str:
    """The last part of the address: `trainedAlgorithmicMedia`. Also without the address, as some writers have it."""
    return source_type.rstrip("/").rpartition("/")[2]


def origin_of(source_types: Iterable[str]) -> Origin:
    """What a history of source types says together: generated where any part of it is, then captured, else unknown.

    An edit of a generated clip, however it calls itself, remains generated.
    """
    terms = {term(source_type) for source_type in source_types}
    if terms & _GENERATED:
        return "generated"
    return "captured" if terms & _CAPTURED else "unknown"
