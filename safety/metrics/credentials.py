"""credentials_state: whether a clip's content credentials hold, as a number of a sweep."""

from __future__ import annotations

from eval.metric import Measured, NotMeasurable, metric

HOLD, NONE, BROKEN = 1.0, 0.0, -1.0


@metric(
    name="credentials_state",
    version=1,
    family="provenance",
    unit="1",
    low=BROKEN,
    high=HOLD,
    direction="higher",
    needs=(),
    source="C2PA 2.2, read by c2pa-python without a network; the coding is ours",
    summary="content credentials of the file: 1 they hold, 0 there are none, -1 they are there and do not hold",
    blind_spots="who signed is not asked (moviegen audit provenance --anchors does), nor whether what is signed is "
    "true; it is as of the day of the sweep: credentials without a time stamp end with their certificate",
    invariant_to=frozenset({"fps", "size"}),
)
def credentials_state(measured: Measured) -> float:
    """1, 0 or -1. A signer nobody has heard of counts: the file is as he signed it, which is all this says."""
    path = measured.info.path
    if path is None:
        raise NotMeasurable("credentials are a file's, and this clip was not read from one")
    from safety.provenance.credentials import credentials

    found = credentials(path)
    if found.state == "unreadable":
        raise NotMeasurable(f"credentials: {found.reason}")
    if found.state == "none":
        return NONE
    return HOLD if found.usable else BROKEN
