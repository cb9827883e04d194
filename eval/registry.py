"""A small registry: parts register themselves when their module is imported, and names are forgiving to look up."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from eval.errors import UserError

T = TypeVar("T")


class UnknownName(UserError):
    """A name that nothing was registered under; the message suggests the nearest ones."""


_OTHERS: dict[str, list[str]] = {}


def search_also(kind: str, package: str) -> None:
    """Have registries of this kind search one more package: how a higher floor adds parts that this one cannot know.

    Call it before a name is asked for, in every process that asks: in the `__init__` of a package, say.
    """
    packages = _OTHERS.setdefault(kind, [])
    if package not in packages:
        packages.append(package)


class Registry(Generic[T]):
    """Name → part. `packages` are searched (all modules, one level down) the first time a name is asked for, and after
    them those that `search_also` named.
    """

    def __init__(self, kind: str, packages: tuple[str, ...]) -> None:
        self.kind = kind
        self._packages = packages
        self._parts: dict[str, T] = {}
        self._loaded = False

    def add(self, name: str, part: T) -> T:
        """Register `part`; a second part of the same name is a bug and raises ValueError."""
        if name in self._parts:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._parts[name] = part
        return part

    def get(self, name: str) -> T:
        """Look a part up; raises UnknownName with suggestions."""
        self._load()
        if name in self._parts:
            return self._parts[name]
        near = near_matches(name, self._parts)
        hint = f": did you mean {' or '.join(map(repr, near))}?" if near else f"; known: {', '.join(self.names())}"
        raise UnknownName(f"unknown {self.kind} {name!r}{hint}")

    def names(self) -> list[str]:
        """All names, sorted."""
        self._load()
        return sorted(self._parts)

    def __iter__(self) -> Iterator[T]:
        return (self._parts[name] for name in self.names())

    def __contains__(self, name: str) -> bool:
        self._load()
        return name in self._parts

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for package_name in (*self._packages, *_OTHERS.get(self.kind, ())):
            package = importlib.import_module(package_name)
            for module in pkgutil.iter_modules(package.__path__, package_name + "."):
                importlib.import_module(module.name)


def near_matches(name: str, known: Iterable[str]) -> list[str]:
    """The names that `name` was probably meant to be, best first: close ones, and those nearly as close as the best."""
    found = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    closeness = [difflib.SequenceMatcher(None, other, name).ratio() for other in found]
    return [other for other, ratio in zip(found, closeness, strict=True) if ratio > closeness[0] - 0.1]
