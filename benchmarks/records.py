"""What a sweep writes down: the record of one unit (generator × case × seed) and the columns of the store."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from eval.metric import Status
    from eval.planner import Score


class Unit(NamedTuple):
    """What is generated once: a generator's answer to a case with a seed."""

    generator: str
    case: str
    seed: int


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Everything one unit gave: its clip's record and its scores, committed together.

    file: name inside the run's clips/ folder, or "" where no clip is kept.
    status, reason: of the clip itself; `ok`, or why there is none.
    decodes, computed: how often the clip was decoded and which features were computed rather than read from the cache.
    scores: one per metric; (metric, version) is unique among them.
    """

    generator: str
    case: str
    seed: int
    scores: Sequence[Score]
    clip_sha256: str = ""
    file: str = ""
    status: Status = "ok"
    reason: str = ""
    prompt: str = ""
    tags: tuple[str, ...] = ()
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration_s: float | None = None
    has_audio: bool | None = None
    frames: int | None = None
    notes: tuple[str, ...] = ()
    generate_seconds: float = 0.0
    score_seconds: float = 0.0
    decodes: int = 0
    computed: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        return Unit(self.generator, self.case, self.seed)


ROW_SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("suite", pa.string()),
        ("suite_hash", pa.string()),
        ("generator", pa.string()),
        ("case", pa.string()),
        ("seed", pa.int64()),
        ("clip_sha256", pa.string()),
        ("metric", pa.string()),
        ("version", pa.int32()),
        ("encoder", pa.string()),
        ("encoder_sha256", pa.string()),
        ("value", pa.float64()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""One row: one number, or the reason why there is none. `value` is null exactly where status is not `ok`."""

CLIP_SCHEMA = pa.schema(
    [
        ("generator", pa.string()),
        ("case", pa.string()),
        ("seed", pa.int64()),
        ("clip_sha256", pa.string()),
        ("file", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("prompt", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("fps", pa.float64()),
        ("duration_s", pa.float64()),
        ("has_audio", pa.bool_()),
        ("frames", pa.int64()),
        ("notes", pa.list_(pa.string())),
        ("generate_seconds", pa.float64()),
        ("score_seconds", pa.float64()),
        ("decodes", pa.int32()),
        ("computed", pa.list_(pa.string())),
    ]
)
"""One clip record: what a unit produced."""


def clip_record(result: UnitResult) -> dict[str, Any]:
    """The unit as one line of the clips table."""
    return {name: getattr(result, name) for name in CLIP_SCHEMA.names}


def row_records(result: UnitResult, constants: Mapping[str, str]) -> list[dict[str, Any]]:
    """The unit's scores as rows; `constants` are run, suite and suite_hash."""
    unit = {"generator": result.generator, "case": result.case, "seed": result.seed, "clip_sha256": result.clip_sha256}
    return [
        {
            **constants,
            **unit,
            "metric": score.metric,
            "version": score.version,
            "encoder": score.encoder,
            "encoder_sha256": score.encoder_sha256,
            "value": score.value,
            "status": score.status,
            "reason": score.reason,
            "seconds": score.seconds,
        }
        for score in result.scores
    ]


def check_unit(result: UnitResult) -> None:
    """Assert what only a bug in the sweep can break: one row per (metric, version); a finite value exactly when ok."""
    keys = [(score.metric, score.version) for score in result.scores]
    assert len(keys) == len(set(keys)), f"{result.unit}: a metric is scored twice"
    for score in result.scores:
        finite = score.value is not None and math.isfinite(score.value)
        assert finite == (score.status == "ok"), f"{result.unit}: {score.metric} is {score.status} with {score.value}"
        assert finite or score.value is None, f"{result.unit}: {score.metric} holds {score.value}"
