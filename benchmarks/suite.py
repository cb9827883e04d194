"""Suites: cases, metrics and weights in one versioned, hashed YAML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from eval.cache import write_atomically
from eval.case import Asked, Case, Task
from eval.hashing import json_sha256
from eval.metric import METRICS
from eval.registry import UnknownName

SUITES_FOLDER = Path(__file__).parent / "suites"


class SuiteError(ValueError):
    """A suite that cannot be used. One line per mistake, each with its place."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AskedModel(_Strict):
    """The technical form every case asks for."""

    width: int | None = Field(default=None, ge=8, le=8192)
    height: int | None = Field(default=None, ge=8, le=8192)
    fps: float | None = Field(default=None, ge=1, le=240)
    duration_s: float | None = Field(default=None, gt=0, le=1800)
    sound: bool | None = None

    def asked(self) -> Asked:
        return Asked(**self.model_dump())


class MetricModel(_Strict):
    """One metric of a suite."""

    name: str
    weight: float = Field(default=1.0, ge=0)
    """Weight inside its family; 0: shown, not counted."""
    worst: float | None = None
    best: float | None = None
    """Values that map to 0 and 1 for `higher` and `lower` metrics; the metric's own range where not given."""
    if_skipped: Literal["unscored", "worst"] = "unscored"
    """What a clip to which the metric does not apply counts as: unscored (it lowers coverage), or the worst score,
    for suites that ask for what the metric measures (sound, motion)."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        if info.context and info.context.get("stored"):
            return name  # a stored run stays readable when a metric's code has gone
        try:
            METRICS.get(name)
        except UnknownName as error:
            raise ValueError(str(error)) from error
        return name


class CaseModel(_Strict):
    """One case as written in the file."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    task: Task = "text-to-video"
    prompt: str = Field(default="", max_length=20_000)
    seeds: tuple[int, ...] | None = None
    tags: tuple[str, ...] = ()
    asked: AskedModel | None = None
    references: dict[str, str] = Field(default_factory=dict)
    truth: dict[str, Any] | None = None


class Quantiles(_Strict):
    """Where the reference clips lie on one metric: the ends and the middle of the band."""

    version: int
    q05: float
    q50: float
    q95: float
    clips: int = Field(ge=1)


class ReferenceModel(_Strict):
    """The reference clips behind the `band` metrics: who made them, their hash, and their quantiles."""

    made_by: str
    clips: int = Field(ge=1)
    clips_sha256: str
    """SHA-256 of the sorted SHA-256s of the reference clips."""
    quantiles: dict[str, Quantiles]


class Suite(_Strict):
    """A whole suite. `sha256` covers everything that can change a score, reference quantiles included."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    description: str = ""
    task: Task = "text-to-video"
    asked: AskedModel = AskedModel()
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    minimum_coverage: float = Field(default=0.95, ge=0, le=1)
    families: dict[str, float] = Field(default_factory=dict)
    """Weight of each family in the total; a family that is not named weighs 1."""
    metrics: tuple[MetricModel, ...] = Field(min_length=1)
    cases: tuple[CaseModel, ...] = ()
    reference: ReferenceModel | None = None

    @model_validator(mode="after")
    def _unique(self) -> Suite:
        for what, names in (("case id", [c.id for c in self.cases]), ("metric", [m.name for m in self.metrics])):
            twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(twice)}")
        return self

    @property
    def sha256(self) -> str:
        return json_sha256(self.model_dump(mode="json"))

    def expand(self) -> Iterator[Case]:
        """Every case with every one of its seeds, in the file's order."""
        for case in self.cases:
            for seed in case.seeds or self.seeds:
                yield Case(
                    id=case.id,
                    task=case.task if "task" in case.model_fields_set else self.task,
                    prompt=case.prompt,
                    seed=seed,
                    asked=(case.asked or self.asked).asked(),
                    references=case.references,
                    tags=case.tags,
                    truth=case.truth,
                )


def suite_names() -> list[str]:
    """The suites that come with the project."""
    return sorted(p.stem for p in SUITES_FOLDER.glob("*.yaml") if not p.stem.endswith(".reference"))


def load_suite(name_or_path: str) -> Suite:
    """Read a suite by name or path. Raises SuiteError naming every mistake with its place."""
    path = SUITES_FOLDER / f"{name_or_path}.yaml" if name_or_path in suite_names() else Path(name_or_path)
    if not path.is_file():
        import difflib

        near = difflib.get_close_matches(name_or_path, suite_names(), n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(suite_names())}"
        raise SuiteError(f"unknown suite {name_or_path!r}: {hint}")
    return parse_suite(_read_yaml(path), str(path.name), _reference(path))


def write_suite(suite: Suite, path: Path) -> None:
    """Write a suite as YAML; its reference, if it has one, goes beside it."""
    content = suite.model_dump(mode="json", exclude_defaults=True, exclude={"reference"})
    _write_yaml({"name": suite.name, "version": suite.version, **content}, path)
    if suite.reference is not None:
        write_reference(suite.reference, path)


def write_reference(reference: ReferenceModel, path: Path) -> Path:
    """Write the reference of the suite at `path` beside it, where load_suite finds it; returns where."""
    beside = path.with_name(f"{path.stem}.reference.yaml")
    _write_yaml(reference.model_dump(mode="json"), beside)
    return beside


def _write_yaml(content: Any, path: Path) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    write_atomically(path, text.encode())


def parse_suite(content: Any, place: str, reference: Any = None) -> Suite:
    """Validate a suite's content; `reference` is the content of the file beside it, if any."""
    if not isinstance(content, Mapping):
        raise SuiteError(f"{place}: a suite is a mapping with name, version, metrics and cases")
    whole = dict(content) if reference is None else {**content, "reference": reference}
    try:
        return Suite.model_validate(whole)
    except ValidationError as error:
        raise SuiteError("\n".join(f"{place}: {mistake}" for mistake in _mistakes(error))) from error


def _mistakes(error: ValidationError) -> Iterator[str]:
    found = error.errors()
    for one in found:
        # pydantic also calls a list too short when its items were bad: the items' own lines say what to do.
        inside = any(len(e["loc"]) > len(one["loc"]) and e["loc"][: len(one["loc"])] == one["loc"] for e in found)
        if not (one["type"] == "too_short" and inside):
            yield f"{_where(one['loc'])}: {one['msg'].removeprefix('Value error, ')}"


def _where(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "suite"


def _read_yaml(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader, in C
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from error


def _reference(path: Path) -> Any:
    beside = path.with_name(f"{path.stem}.reference.yaml")
    return _read_yaml(beside) if beside.is_file() else None
