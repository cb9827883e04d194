"""The manifest: what a run needs to be read, judged and repeated without the code that wrote it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from benchmarks.suite import Suite
from eval.distribution.spec import SetFamily, SetMetricSpec
from eval.errors import UserError
from eval.hashing import json_sha256
from eval.metric import Direction, Family, MetricSpec

RUN_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"


class StoreError(UserError):
    """A run that cannot be read or written. One line: what, where, what to do next."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class MetricFacts(_Strict):
    """What a stored number means, so that a run stays readable when the metric's code has moved on."""

    name: str
    version: int
    family: Family
    unit: str
    low: float
    high: float
    direction: Direction
    source: str = ""
    summary: str = ""
    blind_spots: str = ""

    @classmethod
    def of(cls, spec: MetricSpec) -> MetricFacts:
        return cls(**{name: getattr(spec, name) for name in cls.model_fields})


class SetMetricFacts(_Strict):
    """The same of a set metric."""

    name: str
    version: int
    family: SetFamily
    unit: str
    low: float
    high: float
    direction: Direction
    feature: str
    encoder: str
    source: str = ""
    summary: str = ""
    blind_spots: str = ""

    @classmethod
    def of(cls, spec: SetMetricSpec) -> SetMetricFacts:
        return cls(**{name: getattr(spec, name) for name in cls.model_fields})


class GeneratorFacts(_Strict):
    """Who made the clips."""

    name: str = Field(min_length=1, max_length=200)
    version: str = ""
    bracket: str = ""
    """`ceiling` or `floor` for a generator with a known place, else empty."""
    settings: dict[str, Any] = Field(default_factory=dict)


class CodeFacts(_Strict):
    """Which code scored: the package's version and, in a checkout, the commit."""

    version: str
    commit: str = ""
    dirty: bool = False


class EnvironmentFacts(_Strict):
    """Where it ran. No host name, no user name."""

    python: str
    platform: str
    cpu_count: int
    packages: dict[str, str] = Field(default_factory=dict)


class ImportFacts(_Strict):
    """Where a run came from that was made elsewhere and passed `moviegen submit check`. Nobody vouches for `who`."""

    who: str = Field(min_length=1, max_length=200)
    packed: AwareDatetime | None = None
    imported: AwareDatetime
    file_sha256: str = ""
    """Of the archive; empty where a folder was imported."""


class Manifest(_Strict):
    """manifest.json of a run."""

    format: Literal[1] = 1
    run: str = Field(pattern=RUN_ID)
    created: AwareDatetime
    suite_name: str
    suite_version: int
    suite_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    suite: dict[str, Any]
    """The whole suite, `Suite.model_dump(mode="json")`; its canonical hash is suite_hash."""
    metrics: tuple[MetricFacts, ...] = Field(min_length=1)
    set_metrics: tuple[SetMetricFacts, ...] = ()
    real_folder: str = ""
    """Where the suite's real clips lie, if they are a folder's; their hash is the suite's."""
    generators: tuple[GeneratorFacts, ...]
    code: CodeFacts
    environment: EnvironmentFacts
    argv: tuple[str, ...] = ()
    planned_units: int = Field(ge=0)
    status: Literal["partial", "complete"] = "partial"
    imported: ImportFacts | None = None
    """Set in runs that were made elsewhere."""

    def parsed_suite(self) -> Suite:
        """The suite as it was. Raises StoreError where the stored content does not carry its own hash."""
        if json_sha256(self.suite) != self.suite_hash:
            raise StoreError(f"run {self.run}: the suite in manifest.json was changed after the run; sweep again")
        try:
            return Suite.model_validate(self.suite, context={"stored": True})
        except ValidationError as error:
            raise StoreError(f"run {self.run}: manifest.json holds no usable suite: {_first(error)}") from error

    def planned(self) -> list[tuple[str, int]]:
        """(case id, seed) of everything each generator was asked for, in the suite's order."""
        return [(case.id, case.seed) for case in self.parsed_suite().expand()]


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json of a run folder. Raises StoreError with one line."""
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{folder} is not a run: manifest.json cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise StoreError(f"{path}: not a manifest this version can read: {_first(error)}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json under a temporary name and rename it."""
    temporary = folder / f".tmp-manifest-{os.getpid()}.json"
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(manifest.model_dump_json(indent=2))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(folder / "manifest.json")


def _first(error: ValidationError) -> str:
    mistake = error.errors()[0]
    place = ".".join(str(part) for part in mistake["loc"])
    return f"{place}: {mistake['msg']}" if place else mistake["msg"]
