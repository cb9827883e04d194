"""Suites: cases, metrics and weights in one versioned, hashed YAML file."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from eval.cache import write_atomically
from eval.case import Asked, Case, Task
from eval.distribution.spec import SET_METRICS
from eval.errors import UserError
from eval.hashing import file_sha256, json_sha256
from eval.metric import METRICS, Family
from eval.registry import UnknownName

SUITES_FOLDER = Path(__file__).parent / "suites"
MAX_BYTES = 16 * 2**20
"""The largest suite file that is read; the shipped ones are under 50 kB."""
MAX_VALUES = 500_000
"""The most values in a suite file, five seconds' reading; 96 scenes with their truth are 5,200."""
MAX_SEED = 2**53 - 1
"""The largest whole number that JSON readers with double-precision numbers keep exactly (RFC 8259, section 6)."""
TRUTH_DEPTH = 32
"""Lists and mappings inside one another that a case's truth may have; scenes of the Backlot have two."""
YAML_DEPTH = TRUTH_DEPTH + 16
MAX_REFERENCE_BYTES = 256 * 2**20
"""The largest portrait or source clip of a case."""


class SuiteError(UserError):
    """A suite that cannot be used. One line per mistake, each with its place."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _stored(info: ValidationInfo) -> bool:
    """Whether a stored run is being read: it stays readable when rules and names have changed since."""
    return bool(info.context and info.context.get("stored"))


def _family(name: str, info: ValidationInfo) -> str:
    if _stored(info) or name in get_args(Family):
        return name
    near = difflib.get_close_matches(name, get_args(Family), n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(get_args(Family))}"
    raise ValueError(f"unknown family {name!r}: {hint}")


def _set_metric(name: str, info: ValidationInfo) -> str:
    if not _stored(info):
        try:
            SET_METRICS.get(name)
        except UnknownName as error:
            raise ValueError(str(error)) from error
    return name


def _reference_path(path: str) -> str:
    """Below the suite's folder, in stored runs too: nobody's file may say where else to read."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path or "\0" in path:
        raise ValueError(f"{path!r} must be a path below the suite's folder, as in portraits/somebody.png")
    return path


def _family_weight(weight: float, info: ValidationInfo) -> float:
    if weight < 0 and not _stored(info):
        raise ValueError(f"a weight is 0 or more, not {weight:g}")
    return weight


def _seed(seed: int, info: ValidationInfo) -> int:
    if not 0 <= seed <= MAX_SEED and not _stored(info):
        raise ValueError(f"a seed is between 0 and {MAX_SEED} (2**53 - 1)")
    return seed


def _once(seeds: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
    twice = _twice(seeds)
    if twice and not _stored(info):
        raise ValueError(f"seed given twice: {', '.join(twice)}")
    return seeds


def _twice(values: Iterable[Hashable]) -> list[str]:
    return sorted(str(value) for value, times in Counter(values).items() if times > 1)


FamilyWeights = dict[
    Annotated[str, AfterValidator(_family)],
    Annotated[float, AfterValidator(_family_weight)],
]
SetMetricName = Annotated[str, AfterValidator(_set_metric)]
Seeds = Annotated[tuple[Annotated[int, AfterValidator(_seed)], ...], AfterValidator(_once)]


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
        if _stored(info):
            return name
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
    seeds: Seeds | None = None
    tags: tuple[str, ...] = ()
    asked: AskedModel | None = None
    references: dict[str, Annotated[str, AfterValidator(_reference_path)]] = Field(default_factory=dict)
    """Name → path, relative to the suite's folder. Names that begin with `portrait` are people asked for."""
    truth: dict[str, Any] | None = None

    @field_validator("truth")
    @classmethod
    def _json_able(cls, truth: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        mistake = None if _stored(info) else next(_not_json(truth, ""), None)
        if mistake is not None:
            raise ValueError(mistake)
        return truth


def _not_json(value: Any, place: str, depth: int = 0) -> Iterator[str]:
    """What keeps a value out of JSON, each mistake with its place inside the value; goes no deeper than allowed."""
    at = f"at {place}: " if place else ""
    if depth >= TRUTH_DEPTH and isinstance(value, dict | list | tuple):
        yield f"more than {TRUTH_DEPTH} lists and mappings inside one another"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{at}the name {str(key)[:40]!r} is not text: put it in quotes"
                continue
            yield from _not_json(key, place, depth)
            yield from _not_json(item, f"{place}.{key[:40]}" if place else key[:40], depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _not_json(item, f"{place}[{index}]", depth + 1)
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            yield f"{at}half of a surrogate pair, which is no character"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{at}{value} is not a finite number"
    elif value is not None and not isinstance(value, int):
        kinds = "text, numbers, true, false, null, lists and mappings"
        yield f"{at}a {type(value).__name__} is not JSON, which has {kinds}"


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


class RealModel(_Strict):
    """The real clips that set metrics compare with: the Backlot's shipped set, or a folder given with --real."""

    source: Literal["backlot", "folder"]
    clips: int = Field(ge=1)
    clips_sha256: str
    """Of a folder: SHA-256 of the sorted SHA-256s of its clips. Of the shipped set: of its numbers."""


class Suite(_Strict):
    """A whole suite. `sha256` covers what can change a score, reference quantiles and real clips included."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    version: int = Field(ge=1)
    description: str = ""
    task: Task = "text-to-video"
    asked: AskedModel = AskedModel()
    seeds: Seeds = Field(default=(0,), min_length=1)
    minimum_coverage: float = Field(default=0.95, ge=0, le=1)
    families: FamilyWeights = Field(default_factory=dict)
    """Weight of each family in the total; a family that is not named weighs 1."""
    metrics: tuple[MetricModel, ...] = Field(min_length=1)
    cases: tuple[CaseModel, ...] = ()
    reference: ReferenceModel | None = None
    set_metrics: tuple[SetMetricName, ...] = ()
    """Measures of all clips of a generator together: shown with their intervals, and never part of the totals. Those
    are means over cases, compared case by case, and a number about a set is a number about no case."""
    real: RealModel | None = None
    reference_files: dict[str, str] = Field(default_factory=dict)
    """Path → SHA-256 of every file that the cases refer to. Found when the suite is read, not written in its file."""

    @model_serializer(mode="wrap")
    def _without_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Suites without set metrics or reference files keep the hash that they had before there were any."""
        content: dict[str, Any] = handler(self)
        late = {"set_metrics", "real", "reference_files"}
        return {name: value for name, value in content.items() if name not in late or value}

    @model_validator(mode="after")
    def _unique(self) -> Suite:
        names = {
            "case id": [case.id for case in self.cases],
            "metric": [metric.name for metric in self.metrics],
            "set metric": self.set_metrics,
        }
        for what, given in names.items():
            if twice := _twice(given):
                raise ValueError(f"{what} given twice: {', '.join(twice)}")
        return self

    @property
    def sha256(self) -> str:
        return json_sha256(self.model_dump(mode="json"))

    def expand(self, folder: Path | None = None) -> Iterator[Case]:
        """Every case with every one of its seeds, in the file's order.

        folder: where the reference files lie; the paths of references stay as the suite has them without it.
        """
        for case in self.cases:
            references = case.references
            if folder is not None:
                references = {name: str(folder / path) for name, path in references.items()}
            for seed in case.seeds or self.seeds:
                yield Case(
                    id=case.id,
                    task=case.task if "task" in case.model_fields_set else self.task,
                    prompt=case.prompt,
                    seed=seed,
                    asked=(case.asked or self.asked).asked(),
                    references=references,
                    tags=case.tags,
                    truth=case.truth,
                )


def suite_names() -> list[str]:
    """The suites that come with the project."""
    return sorted(p.stem for p in SUITES_FOLDER.glob("*.yaml") if not p.stem.endswith(".reference"))


def suite_path(name_or_path: str) -> Path:
    """The file of a suite by name or path; reference files lie below its folder. Raises SuiteError."""
    path = SUITES_FOLDER / f"{name_or_path}.yaml" if name_or_path in suite_names() else Path(name_or_path)
    if not path.is_file():
        near = difflib.get_close_matches(name_or_path, suite_names(), n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(suite_names())}"
        raise SuiteError(f"unknown suite {name_or_path!r}: {hint}")
    return path


def load_suite(name_or_path: str) -> Suite:
    """Read a suite by name or path. Raises SuiteError naming every mistake with its place."""
    path = suite_path(name_or_path)
    suite = parse_suite(_read_yaml(path), str(path.name), _reference(path))
    return suite.model_copy(update={"reference_files": _reference_files(suite, path)})


def _reference_files(suite: Suite, path: Path) -> dict[str, str]:
    """Path → SHA-256. Raises SuiteError, one line for each file that cannot be used."""
    found: dict[str, str] = {}
    mistakes = []
    for index, case in enumerate(suite.cases):
        for name, relative in case.references.items():
            mistake = _unusable(path.parent / relative, path.parent)
            if mistake:
                mistakes.append(f"{path.name}: cases[{index}].references.{name}: {relative!r} {mistake}")
            elif relative not in found:
                found[relative] = file_sha256(path.parent / relative)
    if mistakes:
        raise SuiteError("\n".join(mistakes))
    return dict(sorted(found.items()))


def _unusable(file: Path, folder: Path) -> str:
    """Why a case cannot refer to this file; empty where it can."""
    if not file.is_file():
        return "is not there: paths are relative to the suite's folder"
    if not file.resolve().is_relative_to(folder.resolve()):
        return "leads out of the suite's folder"
    if file.stat().st_size > MAX_REFERENCE_BYTES:
        return f"is larger than {MAX_REFERENCE_BYTES // 2**20} MiB"
    return ""


def write_suite(suite: Suite, path: Path) -> None:
    """Write a suite as YAML; its reference, if it has one, goes beside it."""
    content = suite.model_dump(mode="json", exclude_defaults=True, exclude={"reference", "reference_files"})
    _write_yaml({"name": suite.name, "version": suite.version, **content}, path)
    if suite.reference is not None:
        write_reference(suite.reference, path)


def with_real(suite: Suite, real: RealModel | None, more: Iterable[str] = ()) -> Suite:
    """The suite with these real clips and further set metrics. Its hash changes with them.

    Raises SuiteError where it then has no set metric at all, and UnknownName.
    """
    wanted = tuple(dict.fromkeys([*suite.set_metrics, *(SET_METRICS.get(name).spec.name for name in more)]))
    if not wanted:
        raise SuiteError(
            f"suite {suite.name!r} has no set metrics to compare with real clips: name some, as in --set-metric fvd "
            "(moviegen metrics lists them)"
        )
    return suite.model_copy(update={"real": real, "set_metrics": wanted})


def write_reference(reference: ReferenceModel, path: Path) -> Path:
    """Write the reference of the suite at `path` beside it, where load_suite finds it; returns where."""
    beside = path.with_name(f"{path.stem}.reference.yaml")
    _write_yaml(reference.model_dump(mode="json"), beside)
    return beside


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice in full each time: aliases are refused when a suite is read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _write_yaml(content: Any, path: Path) -> None:
    form: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 120, "default_flow_style": None}
    text = yaml.dump(content, Dumper=_PlainDumper, **form)
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
    # pydantic also calls a list too short when its items were bad: the items' own lines say what to do.
    bad = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    for one in found:
        if not (one["type"] == "too_short" and one["loc"] in bad):
            yield " ".join(f"{_where(one['loc'])}: {one['msg'].removeprefix('Value error, ')}".split())


def _where(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        if part != "[key]":  # pydantic's mark for a mistake in the name itself, which is already there
            text += f"[{part}]" if isinstance(part, int) else f".{part[:80]}" if text else part[:80]
    return text or "suite"


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _SuiteLoader(_Loader):  # type: ignore[misc]  # chosen at import: libyaml's where PyYAML was built with it
    """YAML within limits, and without aliases: nine in each of seven levels are five million values."""

    depth = 0
    values = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:  # noqa: ARG002
        """Called before each node. libyaml's composer is recursive in C: depth without a limit kills the process."""
        self.depth, self.values = self.depth + 1, self.values + 1
        if self.depth > YAML_DEPTH or self.values > MAX_VALUES:
            deep = f"more than {YAML_DEPTH} lists and mappings inside one another"
            problem = deep if self.depth > YAML_DEPTH else f"more than {MAX_VALUES} values; split it"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=current_node.start_mark if current_node else None)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def get_single_node(self) -> yaml.Node | None:
        """The document's root, once every node is known to have one parent."""
        root: yaml.Node | None = super().get_single_node()
        seen: set[int] = set()
        waiting = [root] if root else []
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                problem = "an alias (*) to this; aliases and anchors are not allowed in suites: write it out"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode):
                waiting += [part for pair in node.value for part in pair]
            elif isinstance(node, yaml.SequenceNode):
                waiting += node.value
        return root

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """One value; text that its tag does not fit (`2026-13-45`, `!!bool x`) is a mistake with its place."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:  # what PyYAML's own constructors raise for it
            problem = f"not a value of its kind: {error}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


def _read_yaml(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise SuiteError(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB, the limit for a suite; split it")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_SuiteLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise SuiteError(f"{path.name}: not readable as YAML: {reason}") from error


def _reference(path: Path) -> Any:
    beside = path.with_name(f"{path.stem}.reference.yaml")
    return _read_yaml(beside) if beside.is_file() else None
