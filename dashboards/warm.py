"""What the first reader would wait for, done while the server starts: the newest run's leaderboard."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

_LOG = logging.getLogger(__name__)

_NAME = "read ahead"
_QUIET = ("streamlit.runtime.scriptrunner_utils.script_run_context", "streamlit.runtime.caching.cache_data_api")
"""Streamlit's caches work without a page and before the server runs, and would say so each time."""


def read_ahead(runs: Path) -> threading.Thread:
    """Load what every page needs, then read the newest run in a thread of its own; gives back the thread.

    Comes back when the code is loaded. The run goes into the caches that the pages share; one that cannot be shown is
    left to its page, which says why.
    """
    loaded = threading.Event()
    thread = threading.Thread(target=_newest, args=(runs.resolve(), loaded), name=_NAME, daemon=True)
    thread.start()
    loaded.wait()
    return thread


def _elsewhere(_record: logging.LogRecord) -> bool:
    """Whether a record comes from another thread; Streamlit sets its loggers' levels anew, so levels do not hold."""
    return threading.current_thread().name != _NAME


def _newest(runs: Path, loaded: threading.Event) -> None:
    for name in _QUIET:
        logging.getLogger(name).addFilter(_elsewhere)
    try:
        from benchmarks.store import list_runs
        from dashboards import dot_plot, exports, results, side_by_side  # noqa: F401 - loaded for the pages
    finally:
        loaded.set()
    try:
        for run in list_runs(runs)[:1]:
            results.load_board(run)
            results.case_index(run)
            results.outcomes(run)
    except (ValueError, OSError) as error:
        _LOG.info("not read ahead: %s", error)
