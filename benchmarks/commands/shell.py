"""What all commands share: one-line errors with the right exit status, and consoles that keep streams apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from benchmarks.plain import plain_line
from eval.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

USER = 2
FAILURE = 1
INTERRUPTED = 130


@contextmanager
def errors() -> Iterator[None]:
    """Turn the mistakes that our own code names into one line (per mistake) on standard error.

    A UserError is a user's mistake (exit 2); a full disk and other OSErrors are failures (exit 1).
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
    except UserError as error:
        fail(str(error), USER)


def fail(message: str, status: int) -> None:
    """Print `error: …` on standard error and leave."""
    for line in message.splitlines() or [""]:
        typer.echo(f"error: {plain_line(line)}", err=True)
    raise typer.Exit(status)


def say(console: Console, text: str, style: str = "") -> None:
    """Print one line that may hold a stranger's text (names, prompts, reasons): no markup, no control characters.

    Leading spaces are kept: they indent.
    """
    from rich.text import Text

    indent = text[: len(text) - len(text.lstrip(" "))]
    console.print(Text(indent + plain_line(text), style=style), soft_wrap=True)


def out() -> Console:
    """The console for results. Plain text where nobody is looking, wide enough not to fold tables there."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=100)


def err() -> Console:
    """The console for progress and remarks: standard error, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table that may hold a stranger's text on the console for results."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False)
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(plain_line(cell)) for cell in row))
    out().print(shown)
