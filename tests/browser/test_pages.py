"""The other pages in a real browser: turn them, compare, play both in step, search, take a table away, keep a link."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

PLAYER = "iframe[src*='/play/']"


def wait(browser, ready, seconds=90):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    waiting = WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])
    return waiting.until(lambda _: ready())


def elements(browser, selector):
    return browser.find_elements("css selector", selector)


def idle(browser):
    return browser.execute_script(
        "const app = document.querySelector('[data-testid=stApp]');"
        "return Boolean(app) && app.getAttribute('data-test-script-state') === 'notRunning'"
    )


def heading(browser):
    return browser.execute_script("return document.querySelector('h1')?.textContent.trim() ?? ''")


def text(browser):
    """All text of the page, blocks of code included, which selenium's own `text` leaves out."""
    return browser.execute_script("return document.body.textContent")


def severe(browser):
    """What the console calls severe, but for two questions that Streamlit asks at deep addresses first."""
    known = ("_stcore/health", "_stcore/host-config")
    return [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] == "SEVERE" and not any(part in entry["message"] for part in known)
    ]


@pytest.fixture
def page(browser, dashboard):
    """Opens a page with a query and waits until it stands."""

    def go(path, title, **query):
        browser.get(f"{dashboard[0]}/{path}?{urlencode(query, doseq=True)}")
        wait(browser, lambda: heading(browser) == title and idle(browser))
        return browser

    return go


def query_of(browser):
    return parse_qs(urlsplit(browser.current_url).query)


def test_every_page_can_be_turned_to_and_keeps_its_run_in_the_address(page):
    browser = page("", "Leaderboard")
    for title in ("Compare", "Cases", "Metric", "Identity", "Bias", "Runs", "Leaderboard"):
        links = elements(browser, "[data-testid=stTopNavLink], [data-testid=stSidebarNavLink]")
        next(link for link in links if title in link.text).click()
        wait(browser, lambda title=title: heading(browser) == title and idle(browser))
        if title not in ("Identity", "Bias"):
            wait(browser, lambda: query_of(browser).get("run") == ["tiny-run"])
    assert severe(browser) == []


def test_both_clips_play_in_step(page):
    browser = page("compare", "Compare", a="aurora-xl", b="brook", case="case-1")
    assert "cannot be told apart" in text(browser)
    frame = wait(browser, lambda: elements(browser, PLAYER))[0]
    browser.switch_to.frame(frame)
    ready = "return Array.from(document.querySelectorAll('video')).map(clip => clip.readyState)"
    wait(browser, lambda: browser.execute_script(ready) == [4, 4])
    browser.find_element("id", "play").click()
    times = "return Array.from(document.querySelectorAll('video')).map(clip => clip.currentTime)"
    wait(browser, lambda: all(second > 0.3 for second in browser.execute_script(times)))
    apart = []
    for _ in range(10):
        first, second = browser.execute_script(times)
        apart.append(abs(first - second))
        time.sleep(0.1)
    assert sorted(apart)[len(apart) // 2] <= 0.1, apart
    browser.find_element("id", "play").click()
    held = browser.execute_script(times)
    time.sleep(0.3)
    assert browser.execute_script(times) == pytest.approx(held, abs=0.05)
    assert held[0] == pytest.approx(held[1], abs=0.1)
    browser.switch_to.default_content()
    assert severe(browser) == []


def test_a_link_to_a_comparison_opens_the_same_elsewhere(page, browser):
    page("compare", "Compare", a="noise", b="oracle", case="case-5", only="B better")
    link = browser.current_url
    wait(browser, lambda: "flips a pancake" in text(browser))
    assert "B, oracle, is better" in text(browser)
    browser.delete_all_cookies()
    browser.get(link)
    wait(browser, lambda: heading(browser) == "Compare" and idle(browser))
    wait(browser, lambda: "flips a pancake" in text(browser))
    assert query_of(browser)["case"] == ["case-5"]
    assert query_of(browser)["only"] == ["B better"]


def test_search_finds_a_case_and_shows_its_clips(page):
    from selenium.webdriver.common.keys import Keys

    browser = page("cases", "Cases")
    box = "input[aria-label='Search prompts']"
    wait(browser, lambda: elements(browser, box))
    elements(browser, box)[0].send_keys("gulls cry", Keys.ENTER)
    wait(browser, lambda: "1 case of 8" in text(browser))
    wait(browser, lambda: "Waves roll" in text(browser))
    wait(browser, lambda: query_of(browser).get("case") == ["case-4"])
    assert query_of(browser)["q"] == ["gulls cry"]
    wait(browser, lambda: len(elements(browser, "video")) == 5)
    wait(browser, lambda: "No clip. missing: over quota" in text(browser))


def button_of(browser, label):
    """The first button that gives a file of this kind; None while there is none."""
    found = elements(browser, "[data-testid=stDownloadButton] button")
    return next((button for button in found if label in button.text), None)


def test_a_table_can_be_taken_away(page, tmp_path):
    browser = page("compare", "Compare", a="aurora-xl", b="noise")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    for label, ending in (("CSV", "csv"), ("Parquet", "parquet"), ("HTML", "html")):
        wait(browser, lambda label=label: button_of(browser, label))
        button_of(browser, label).click()
        wait(browser, lambda ending=ending: list(Path(tmp_path).glob(f"*.{ending}")))
    csv = next(Path(tmp_path).glob("*.csv")).read_text().splitlines()
    assert csv[0].startswith("Metric,Family,Favours,A − B,")
    assert len(csv) == 5
    html = next(Path(tmp_path).glob("*.html")).read_text()
    assert "<script" not in html
    assert "steadiness" in html
    assert "case-8" in html
    assert next(Path(tmp_path).glob("*.parquet")).read_bytes()[:4] == b"PAR1"


@pytest.mark.parametrize(("path", "title"), [("compare", "Compare"), ("cases", "Cases"), ("metric", "Metric"),
                                             ("runs", "Runs")])  # fmt: skip
def test_hostile_text_is_text_and_a_phone_holds_the_page(page, dashboard, hostile, path, title):
    browser = page(path, title, a=hostile[1], b="oracle", case="case-3", generator=hostile[1])
    assert browser.title != "owned"
    assert elements(browser, "img[src='x'], img[src*=tracker]") == []
    own = urlsplit(dashboard[0]).netloc
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    web = [url for url in asked if urlsplit(url).scheme in ("http", "https")]
    assert web
    assert {urlsplit(url).netloc for url in web} == {own}
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    fits = "return document.documentElement.scrollWidth <= window.innerWidth"
    wait(browser, lambda: browser.execute_script(fits), seconds=20)
    assert severe(browser) == []
