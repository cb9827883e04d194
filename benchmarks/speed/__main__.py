"""`make bench`: every benchmark of this folder, or those named on the command line."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks.speed


def main(wanted: list[str]) -> int:
    """Run benchmarks by name; all of them without names. Returns the exit status."""
    known = sorted(m.name for m in pkgutil.iter_modules(benchmarks.speed.__path__) if not m.name.startswith("_"))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in wanted or known:
        module = importlib.import_module(f"benchmarks.speed.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
