"""The arena in a real browser: give a name, play both, vote with a click and with a key, read the results."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from benchmarks.arena.votes import FILE, VoteBox


@pytest.fixture(scope="module")
def arena(small_runs, tmp_path_factory):
    """The address of a dashboard over a copy of the small runs, and the copy: votes are written there."""
    runs = tmp_path_factory.mktemp("arena") / "runs"
    shutil.copytree(small_runs, runs)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = f"from pathlib import Path; from dashboards.serve import serve; serve(Path({str(runs)!r}), port={port})"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    try:
        for _ in range(240):
            assert server.poll() is None, f"the dashboard stopped with {server.returncode}"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}", runs
    finally:
        server.terminate()
        server.wait(20)


def wait(browser, ready, seconds=60):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    waiting = WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])
    return waiting.until(lambda _: ready())


def elements(browser, selector):
    return browser.find_elements("css selector", selector)


def button(browser, label):
    return next((b for b in elements(browser, "[data-testid=stButton] button") if label in b.text), None)


def body(browser):
    return browser.find_element("tag name", "body").text


def test_vote_and_read_the_results(browser, arena, small_generators):
    from selenium.webdriver.common.keys import Keys

    address, runs = arena
    box = VoteBox(runs / FILE)
    browser.get(f"{address}/arena?run=tiny-run&ask=Realness")
    wait(browser, lambda: elements(browser, "input[aria-label='Your name as a rater']"))[0].send_keys("ann", Keys.ENTER)
    wait(browser, lambda: button(browser, "Left, A"))

    frame = wait(browser, lambda: elements(browser, "iframe"))[0]
    browser.switch_to.frame(frame)
    wait(browser, lambda: elements(browser, "#play"))[0].click()
    moving = "return Array.from(document.querySelectorAll('video')).map(v => v.currentTime)"
    wait(browser, lambda: [at for at in browser.execute_script(moving) if at > 0.2][1:])
    browser.switch_to.default_content()

    page = browser.page_source
    assert not [name for name in small_generators if name in page]
    button(browser, "Left, A").click()
    wait(browser, lambda: box.count("tiny-run") == 1)
    wait(browser, lambda: "1 are yours" in body(browser))
    browser.find_element("tag name", "body").send_keys("2")
    wait(browser, lambda: box.count("tiny-run") == 2)
    wait(browser, lambda: "2 are yours" in body(browser))
    assert box.votes("tiny-run")["choice"].tolist() == ["left", "tie"]

    next(b for b in elements(browser, "button") if b.text.strip() == "results").click()
    wait(browser, lambda: "2 votes" in body(browser))
    wait(browser, lambda: "Net win rates" in body(browser))
    assert "view=results" in browser.current_url


def test_on_a_phone_the_three_answers_fit_side_by_side(browser, arena):
    from selenium.webdriver.common.keys import Keys

    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(f"{arena[0]}/arena?run=tiny-run")
    wait(browser, lambda: elements(browser, "input[aria-label='Your name as a rater']"))[0].send_keys("bob", Keys.ENTER)
    wait(browser, lambda: button(browser, "Right, B"))
    wait(browser, lambda: browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"))
    tops = {button(browser, label).location["y"] for label in ("Left, A", "Tie", "Right, B")}
    assert len(tops) == 1
