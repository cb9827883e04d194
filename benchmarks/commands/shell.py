"""What all commands share: one-line errors with the right exit status, and consoles that keep streams apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

USER = 2
FAILURE = 1
INTERRUPTED = 130
OURS = frozenset({"eval", "moviegen", "safety", "benchmarks", "dashboards"})


@contextmanager
def errors() -> Iterator[None]:
    """Turn the mistakes that our own code names into one line (per mistake) on standard error.

    A ValueError of our own is a user's mistake (exit 2); a full disk and other OSErrors are failures (exit 1).
    Anything else is a bug and keeps its traceback.
    """
    from benchmarks.sweep import DiskFullError

    try:
        yield
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except DiskFullError as error:
        fail(str(error), FAILURE)
    except OSError as error:
        fail(f"{error.filename or 'input/output'}: {error.strerror or error}", FAILURE)
    except ValueError as error:
        if type(error).__module__.split(".")[0] not in OURS:
            raise  # a library's complaint, not a user's mistake that we have named: a bug, which needs its traceback
        fail(str(error), USER)


def fail(message: str, status: int) -> None:
    """Print `error: …` on standard error and leave."""
    for line in message.splitlines() or [""]:
        typer.echo(f"error: {line}", err=True)
    raise typer.Exit(status)


def out() -> Console:
    """The console for results. Plain text where nobody is looking, wide enough not to fold tables there."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=100)


def err() -> Console:
    """The console for progress and remarks: standard error, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)
