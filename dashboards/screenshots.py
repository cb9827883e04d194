"""Pictures of every page for the README, from a real sweep, through a headless browser.

    python -m dashboards.screenshots --runs runs                       writes dashboards/pictures/*.png
    python -m dashboards.screenshots --runs runs --only Compare --query "a=reference&b=degraded"

Needs chromium, chromedriver and selenium. The pages are those that app.py names.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from dashboards.serve import APP_SCRIPT

FOLDER = Path(__file__).parent / "pictures"
WIDTH, MOST_HEIGHT = 1280, 2600
COLOURS = 128
MOST_BYTES = 150_000
PATIENCE_S = 300
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
          "--disable-background-networking", "--hide-scrollbars")  # fmt: skip

_STANDS = """
const app = document.querySelector('[data-testid=stApp]');
const idle = app && app.getAttribute('data-test-script-state') === 'notRunning';
const waiting = document.querySelectorAll('[data-testid=stSkeleton]').length;
const clips = Array.from(document.querySelectorAll('video')).every(clip => clip.readyState >= 1);
return Boolean(idle && !waiting && clips && document.querySelector('h1'));
"""
_HEIGHT = """
const main = document.querySelector('[data-testid=stMainBlockContainer]');
return Math.ceil(main.getBoundingClientRect().bottom + window.scrollY);
"""


@dataclass(frozen=True, slots=True)
class PageName:
    """A page as app.py names it. path: of its address, empty for the first page."""

    title: str
    path: str


def pages(script: Path = APP_SCRIPT) -> list[PageName]:
    """The pages that app.py names, read from its text: importing it would run it."""
    found = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Page":
            options = {each.arg: each.value for each in node.keywords}
            title, file = options["title"], node.args[0]
            assert isinstance(title, ast.Constant)
            assert isinstance(file, ast.BinOp)
            assert isinstance(file.right, ast.Constant)
            found.append(PageName(str(title.value), "" if "default" in options else Path(str(file.right.value)).stem))
    return found


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """The address of a dashboard over `runs`, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = f"from pathlib import Path; from dashboards.serve import serve; serve(Path({str(runs)!r}), port={port})"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(lambda: _answers(url))
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read())  # noqa: S310 - our own address
    except OSError:
        return False


@contextmanager
def browser(width: int, *, dark: bool = False) -> Iterator[Any]:
    """A headless browser of that width."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*_FLAGS, f"--window-size={width},1000", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        driver.set_script_timeout(PATIENCE_S)
        schemes = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": schemes})
        try:
            yield driver
        finally:
            driver.quit()


def shoot(driver: Any, address: str, width: int, most_height: int) -> Image.Image:
    """The page at an address once everything on it stands, from its top down to `most_height`."""
    driver.get(address)
    height = 1000
    for _ in range(2):  # a taller window lets more of the page be drawn
        _wait(lambda: driver.execute_script(_STANDS))
        height = min(int(driver.execute_script(_HEIGHT)) + 20, most_height)
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 800}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        time.sleep(2)  # charts and tables draw themselves after the window has grown
    return _screen(driver)


def _screen(driver: Any) -> Image.Image:
    return Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")


def shoot_vote(driver: Any) -> Image.Image:
    """The arena's question, from its first page on: two clips that nobody names. No vote is cast."""
    from selenium.webdriver.common.by import By

    driver.find_element(By.CSS_SELECTOR, "[data-testid=stTextInput] input").send_keys("a reader")
    driver.find_element(By.XPATH, "//button[.//p[text()='Start']]").click()
    _wait(lambda: driver.find_elements(By.CSS_SELECTOR, "iframe"))
    time.sleep(6)  # the clips come one after the other
    screen = {"width": WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    time.sleep(2)
    return _screen(driver)


def save_small(picture: Image.Image, path: Path) -> int:
    """Write a picture with few colours; fewer, and then a lower picture, until it is small. Its size in bytes."""
    for colours, share in ((COLOURS, 1.0), (64, 1.0), (32, 1.0), (32, 0.75), (32, 0.5), (16, 0.4)):
        part = picture.crop((0, 0, picture.width, round(share * picture.height)))
        out = BytesIO()
        part.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    path.write_bytes(out.getvalue())
    return out.tell()


def _wait(ready: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"error: the page did not stand in {PATIENCE_S} s")
        time.sleep(0.5)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dashboards.screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder that holds the runs")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER)
    parser.add_argument("--only", default="", help="the title of one page")
    parser.add_argument("--query", default="", help="of the address, such as run=RUN&a=A&b=B")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--height", type=int, default=MOST_HEIGHT, help="at most")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--suffix", default="", help="of the files' names, such as -phone")
    asked = parser.parse_args(arguments)
    wanted = [page for page in pages() if asked.only in ("", page.title)]
    if not wanted:
        print(f"error: no page {asked.only!r}: {', '.join(page.title for page in pages())}", file=sys.stderr)
        return 2
    asked.output.mkdir(parents=True, exist_ok=True)
    with served(asked.runs) as url, browser(asked.width, dark=asked.dark) as driver:
        for page in wanted:
            picture = shoot(driver, f"{url}/{page.path}?{asked.query}", asked.width, asked.height)
            if page.title == "Arena":
                picture = shoot_vote(driver)
            path = asked.output / f"{page.title.lower().replace(' ', '-')}{asked.suffix}.png"
            print(f"{path}: {save_small(picture, path):,} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
