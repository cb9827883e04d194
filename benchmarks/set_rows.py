"""Rows about whole sets of clips: one number for a generator and a set metric, or the reason why there is none.

    runs/<run id>/sets.parquet

One small file, always written whole and renamed: what is measured again takes the place of what was there.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.manifest import StoreError
from eval.cache import write_atomically

if TYPE_CHECKING:
    from eval.metric import Status

FILE = "sets.parquet"
NOT_RANKED = "not ranked: "
"""Begins the reason of a row whose number is there to be seen and not to be compared."""

SET_SCHEMA = pa.schema(
    [
        ("run", pa.string()),
        ("suite", pa.string()),
        ("suite_hash", pa.string()),
        ("generator", pa.string()),
        ("metric", pa.string()),
        ("version", pa.int32()),
        ("encoder", pa.string()),
        ("encoder_sha256", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("samples", pa.int64()),
        ("clips", pa.int64()),
        ("expected", pa.int64()),
        ("real_clips", pa.int64()),
        ("inputs_sha256", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""`value` is null exactly where status is not `ok`; low and high may be null beside it, with the reason."""


@dataclass(frozen=True, slots=True)
class SetRow:
    """One set metric of one generator.

    low, high: 95 % interval; None where there is none.
    samples: what the number rests on: clips of the smaller set, their frames, or cases.
    clips, expected: of the generator, used and asked for by this metric. real_clips: real ones at hand.
    inputs_sha256: of everything that went in; equal inputs need not be measured again.
    reason: why there is no number, or, beginning with NOT_RANKED, why it must not be compared.
    """

    generator: str
    metric: str
    version: int
    encoder: str
    encoder_sha256: str
    value: float | None
    low: float | None
    high: float | None
    samples: int
    clips: int
    expected: int
    real_clips: int
    inputs_sha256: str
    status: Status
    reason: str
    seconds: float

    @property
    def ranks(self) -> bool:
        """Whether the number may be compared with other generators'."""
        return self.value is not None and not self.reason.startswith(NOT_RANKED)


def read_set_rows(run_folder: Path) -> list[SetRow]:
    """All set rows of a run; none where nothing was measured yet. Raises StoreError."""
    path = run_folder / FILE
    try:
        lines = pq.read_table(io.BytesIO(path.read_bytes())).to_pylist()
        return [SetRow(**{name: line[name] for name in SetRow.__slots__}) for line in lines]
    except FileNotFoundError:
        return []
    except (pa.ArrowException, KeyError, OSError) as error:
        raise StoreError(f"{path}: cannot be read: delete it and resume the run ({str(error)[:80]})") from error


def write_set_rows(run_folder: Path, rows: Sequence[SetRow], run: str, suite: str, suite_hash: str) -> None:
    """Write these rows in place of all that were there. Raises OSError (a full disk) and leaves the old ones."""
    keys = [(row.generator, row.metric, row.version) for row in rows]
    assert len(keys) == len(set(keys)), "a set metric is there twice"
    for row in rows:
        known = row.value is not None and math.isfinite(row.value)
        assert known == (row.status == "ok"), f"{row} is {row.status}"
        assert known or row.value is None, f"{row} holds no finite number"
    constants = {"run": run, "suite": suite, "suite_hash": suite_hash}
    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{**constants, **asdict(row)} for row in rows], schema=SET_SCHEMA),
        buffer,
        compression="zstd",
    )
    write_atomically(run_folder / FILE, buffer.getvalue())
