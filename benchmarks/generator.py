"""Generators: anything that answers cases with clips. One file each in `benchmarks/generators/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from eval.case import Case
from eval.clip import Clip
from eval.errors import UserError
from eval.registry import Registry

Bracket = Literal["ceiling", "floor"]


class NoClip(Exception):
    """The generator has no clip for this case; the message says why. Becomes rows with status `missing`."""


class GeneratorError(UserError):
    """A generator that cannot be set up as asked: the user's mistake, one line."""


class Generator(Protocol):
    """Answers one case at a time. It must not keep state between cases: work is spread over processes."""

    def generate(self, case: Case, folder: Path) -> Clip | Path:
        """The clip for `case`, in memory or as a path. `folder` is empty, private and removed afterwards.

        Raises NoClip where there is no answer; any other exception becomes `failed` rows with its message.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of generator.

    make: (argument, all cases of the suite) → generator; raises GeneratorError.
    settle: the argument made independent of the folder that the command was given in, so that a run can be resumed
        from anywhere.
    fingerprint: of what the argument names (a program's files, a folder's clips), to notice that it has changed.
    version: raised when the same case would be answered with another clip.
    bracket: `ceiling` or `floor` for generators with a known place.
    argument: what the argument is, for help texts; empty: takes none.
    """

    name: str
    version: int
    summary: str
    make: Callable[[str, Sequence[Case]], Generator]
    bracket: Bracket | None = None
    argument: str = ""
    settle: Callable[[str], str] = str
    fingerprint: Callable[[str], str] = lambda _: ""


KINDS: Registry[Kind] = Registry("generator", ("benchmarks.generators",))


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """`NAME`, `KIND:ARGUMENT` or `NAME=KIND:ARGUMENT`, as given on the command line."""

    name: str
    kind: str
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> GeneratorSpec:
        """Read one specification; raises GeneratorError or UnknownName with a remedy."""
        label, equals, rest = text.partition("=")
        if not equals or ":" in label:
            label, rest = "", text
        kind_name, _, argument = rest.partition(":")
        kind = KINDS.get(kind_name.strip())
        if kind.argument and not argument:
            raise GeneratorError(f"generator {text!r}: {kind.name} needs {kind.argument}, as in NAME={kind.name}:…")
        if argument and not kind.argument:
            raise GeneratorError(f"generator {text!r}: {kind.name} takes no argument")
        name = label.strip() or (Path(argument.strip().rstrip("/")).name if argument else kind.name)
        if not name or len(name) > 80 or not name.isprintable():
            raise GeneratorError(f"generator {text!r}: give it a name of 1 to 80 printable characters, as NAME={rest}")
        return cls(name, kind.name, kind.settle(argument.strip()))

    def make(self, cases: Sequence[Case]) -> Generator:
        """Set the generator up for these cases."""
        return KINDS.get(self.kind).make(self.argument, cases)


def parse_generators(texts: Sequence[str]) -> tuple[GeneratorSpec, ...]:
    """Read `--generators` values: each may hold several, separated by commas. Names must differ.

    A comma inside an argument stays there: what follows it begins a new generator only if it names a kind.
    """
    specs = tuple(GeneratorSpec.parse(part) for text in texts for part in _split(text))
    names = [spec.name for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GeneratorError(f"two generators are called {twice[0]!r}: name them apart, as in a=folder:…,b=folder:…")
    if not specs:
        raise GeneratorError("no generator given: --generators oracle,noise or --generators mine=folder:PATH")
    return specs


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for piece in text.split(","):
        kind = re.split("[=:]", piece.strip())
        begins = any(name.strip() in KINDS for name in kind[:2])
        if parts and ":" in parts[-1] and not begins:
            parts[-1] += f",{piece}"
        else:
            parts.append(piece)
    return [part for part in parts if part.strip()]
