"""How fast the dashboard opens and turns pages, and what ten big clips cost it: 20 generators, 1,000 cases, 40 metrics.

First page: the leaderboard of a server just started, in a browser just started, until its table and plot stand and
nothing is running; against DuckDB's plain mean over the same rows plus Streamlit's empty page in another such browser.
Pages: a click on each page's name until the new page stands and nothing is running, every page visited once before.
Memory: ten readers take ten clips of 100 MB at once, in ranges, as browsers that play them do.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.speed._synthetic import plain_mean, write_big_run
from benchmarks.store import Run

FIRST_PAGES = 3
ROUNDS = 3
CLIPS, CLIP_BYTES, RANGE_BYTES = 10, 100 * 10**6, 2**20
PAGES = ("Compare", "Cases", "Metric", "Runs", "Leaderboard")
_EMPTY = "import streamlit as st\nst.title('Empty')\n"
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--window-size=1400,1000")  # fmt: skip
_SERVE = "from importlib import import_module; from pathlib import Path; import_module('dashboards.serve').serve({})"
_SERVE_EMPTY = (
    "from importlib import import_module; import streamlit as st; serve = import_module('dashboards.serve'); "
    "st.App({!r}).run(config=serve.streamlit_options('127.0.0.1', {}))"
)

_READY = """
const [heading, tables, plots] = arguments, done = arguments[arguments.length - 1], begun = performance.now();
const look = () => {
  const h1 = document.querySelector('h1'), app = document.querySelector('[data-testid=stApp]');
  const idle = app && app.getAttribute('data-test-script-state') === 'notRunning';
  const drawn = document.querySelectorAll('[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg');
  const grids = document.querySelectorAll('[data-testid=stDataFrame] canvas');
  if (idle && h1 && h1.textContent.trim() === heading && grids.length >= tables && drawn.length >= plots) {
    done(performance.now() - begun);
  } else if (performance.now() - begun > 110000) { done(-1); } else { requestAnimationFrame(look); }
};
look();
"""
_CLICK = """
const link = Array.from(document.querySelectorAll('[data-testid=stTopNavLink], [data-testid=stSidebarNavLink]'))
  .find(each => each.textContent.includes(arguments[0]));
link.click();
"""


def main() -> None:
    """Print the three measurements. Needs chromium, chromedriver and selenium."""
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        print("dashboard: not measured: chromium and chromedriver are not on the PATH")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = write_big_run(folder / "runs" / "big")
        _first_page(run, folder)
        _turns_and_memory(run, folder / "runs")


def _first_page(run: Run, folder: Path) -> None:
    rows = run.row_table(["value"]).num_rows
    (folder / "empty.py").write_text(_EMPTY)
    query_s = _median([_timed(lambda: plain_mean(run)) for _ in range(FIRST_PAGES)])
    empty, first, server = [], [], []
    for _ in range(FIRST_PAGES):  # by turns, so that both see the same load
        with _browser() as browser, _server(_SERVE_EMPTY.format(str(folder / "empty.py"), "{port}")) as (url, _):
            empty.append(_open(browser, url, "Empty", 0, 0))
        with _browser() as browser, _dashboard(folder / "runs") as (url, process):
            first.append(_open(browser, url, "Leaderboard", 1, 1))
            server.append(_cpu_s(process))
    first_s, empty_s = _median(first), _median(empty)
    print(
        f"dashboard, first page of {rows:,} rows: {first_s:.2f} s; DuckDB query {query_s:.2f} s + Streamlit's empty "
        f"page {empty_s:.2f} s; ratio {first_s / (query_s + empty_s):.2f}; the server's processor time with its start "
        f"{_median(server):.2f} s"
    )


def _turns_and_memory(run: Run, runs: Path) -> None:
    with _dashboard(runs) as (url, process), _browser() as browser:
        _open(browser, url, "Leaderboard", 1, 1)
        for page in PAGES:
            _turn(browser, page)
        begun_s = _cpu_s(process)
        turns = [_turn(browser, page) for _ in range(ROUNDS) for page in PAGES]
        server_s = (_cpu_s(process) - begun_s) / len(turns)
        print(
            f"dashboard, turning pages: median {_median(turns):.2f} s, slowest {max(turns):.2f} s "
            f"({len(turns)} turns); the server's processor time {server_s:.2f} s a turn"
        )
        before, after = _memory_while_playing(url, process, run.folder / "clips")
    print(
        f"dashboard, server memory: {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB at its highest while {CLIPS} "
        f"clips of {CLIP_BYTES // 10**6} MB were read"
    )


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds)


def _timed(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@contextmanager
def _dashboard(runs: Path) -> Iterator[tuple[str, int]]:
    with _server(_SERVE.format(f"Path({str(runs)!r}), port={{port}}")) as served:
        yield served


@contextmanager
def _server(program: str) -> Iterator[tuple[str, int]]:
    """A fresh server process; its address, once it answers, and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", program.replace("{port}", str(port))]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()  # noqa: S310 - our own address
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("the server did not start in a minute")
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def _browser() -> Iterator[Any]:
    """A headless browser that has seen no page yet."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        browser.set_script_timeout(120)
        try:
            yield browser
        finally:
            browser.quit()


def _open(browser: Any, url: str, heading: str, tables: int, plots: int) -> float:
    begun = time.perf_counter()
    browser.get(url)
    _wait(browser, heading, tables, plots)
    return time.perf_counter() - begun


def _turn(browser: Any, page: str) -> float:
    begun = time.perf_counter()
    browser.execute_script(_CLICK, page)
    _wait(browser, page, 1, 0)
    return time.perf_counter() - begun


def _wait(browser: Any, heading: str, tables: int, plots: int) -> None:
    if browser.execute_async_script(_READY, heading, tables, plots) < 0:
        raise RuntimeError(f"the page {heading} did not stand in 110 s")


def _memory_while_playing(url: str, process: int, folder: Path) -> tuple[int, int]:
    """Bytes of the server before, and at their highest while all clips are read at once."""
    names = [f"{number:064x}.mp4" for number in range(CLIPS)]
    for name in names:
        with (folder / name).open("wb") as stream:
            stream.truncate(CLIP_BYTES)
    readers = [threading.Thread(target=_play, args=(url, f"/clips/{folder.parent.name}/{name}")) for name in names]
    before = highest = _resident(process)
    for reader in readers:
        reader.start()
    while any(reader.is_alive() for reader in readers):
        highest = max(highest, _resident(process))
        time.sleep(0.02)
    return before, highest


def _play(url: str, path: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=120)
    for first in range(0, CLIP_BYTES, RANGE_BYTES):
        last = min(first + RANGE_BYTES, CLIP_BYTES) - 1
        connection.request("GET", path, headers={"Range": f"bytes={first}-{last}"})
        answer = connection.getresponse()
        assert (answer.status, len(answer.read())) == (206, last - first + 1)
    connection.close()


def _cpu_s(process: int) -> float:
    """Processor seconds that the server has used: what waits for other programs is not in them."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


if __name__ == "__main__":
    main()
