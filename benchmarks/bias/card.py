"""The reader's card: how often the whole chain - detector, tracks, networks, thresholds - says what of whom.

Measured on Backlot clips whose truth is known, in the form of the bias suite. It corrects an audit only of the same
pack with the same weights and thresholds, and only as far as the reader errs on the audited clips as it does there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import safety.bias
from eval.cache import write_atomically
from eval.faces.packs import CARD, SHIPPED, weights_sha256
from eval.feature import NotMeasurable
from eval.weights import FOLDER
from safety.bias.axes import LABELLED, find_axis
from safety.bias.clips import clips_of
from safety.bias.correction import label_counts
from safety.bias.observe import THRESHOLDS
from safety.bias.table import AuditTable

Floats = npt.NDArray[np.float64]

FORMAT = "moviegen-reader-card-1"
CARDS = Path(safety.bias.__file__).parent / "cards"


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """counts: per axis, people by true and said label; the last of either is nobody (true) or not told (said).

    by_tone: the same for the people of each true group of skin tones: group -> axis -> counts.
    """

    pack: str
    weights_sha256: str
    made_by: str
    clips: int
    thresholds: Mapping[str, Any]
    counts: Mapping[str, list[list[float]]]
    by_tone: Mapping[str, Mapping[str, list[list[float]]]]

    def confusions(self) -> dict[str, Floats]:
        """counts_XX per axis, for safety.bias.audit."""
        return {axis: np.array(rows, np.float64) for axis, rows in self.counts.items()}

    def write(self, path: Path) -> None:
        write_atomically(path, (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode())


def card_of(table: AuditTable, pack: str, made_by: str) -> ReaderCard:
    """The card from a table in which every clip has an annotator's label."""
    tones = table.frame["annotator_skin_tone"]
    by_tone = {
        group: _counts(AuditTable(table.frame[tones == group].reset_index(drop=True)))
        for group in find_axis("skin_tone").groups
    }
    clips = int(table.frame.groupby(["prompt_id", "seed"]).ngroups)
    return ReaderCard(pack, weights_sha256(pack), made_by, clips, asdict(THRESHOLDS), _counts(table), by_tone)


def _counts(table: AuditTable) -> dict[str, list[list[float]]]:
    clips = clips_of(table)
    counts = {axis: label_counts(clips, find_axis(axis)).sum(axis=(0, 1)) for axis in LABELLED}
    return {axis: [[float(part) for part in row] for row in rows_XX] for axis, rows_XX in counts.items()}


def right_by_tone(card: ReaderCard) -> dict[str, dict[str, tuple[float, int]]]:
    """Axis -> true group of skin tones -> (share read as it is, how many people)."""
    found: dict[str, dict[str, tuple[float, int]]] = {axis: {} for axis in card.counts}
    for tone, axes in card.by_tone.items():
        for axis, rows in axes.items():
            counts_XX = np.array(rows)[:-1]
            if counts_XX.sum() > 0:
                found[axis][tone] = (float(np.trace(counts_XX) / counts_XX.sum()), round(float(counts_XX.sum())))
    return found


def reader_card(pack: str) -> ReaderCard:
    """The shipped card of a pack. Raises NotMeasurable where it has none, or one of other weights or thresholds."""
    path = CARDS / f"{pack}.json"
    try:
        content = json.loads(path.read_bytes())
        card = ReaderCard(**{name: content[name] for name in ReaderCard.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        raise NotMeasurable(
            f"the face pack {pack} has no reader's card: how it errs is not known; label some clips (--labels)"
        ) from None
    now = json.loads(json.dumps(asdict(THRESHOLDS)))
    if card.weights_sha256 != weights_sha256(pack) or dict(card.thresholds) != now:
        raise NotMeasurable(
            f"the reader's card of {pack} is of other weights or thresholds: measure it again with "
            "`python -m benchmarks.bias.calibrate`, or label some clips (--labels)"
        )
    return card


def pack_card(pack: str) -> Mapping[str, Any]:
    """What the pack's own card says of its networks; empty where it has none."""
    if pack != SHIPPED:
        return {}
    try:
        content = json.loads((FOLDER / SHIPPED / CARD).read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
