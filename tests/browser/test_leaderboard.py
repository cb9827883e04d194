"""The leaderboard in a real browser: filter it, tick a row, play a clip, and stay safe with a hostile prompt."""

import json
from urllib.parse import urlencode, urlsplit

import pytest

GRID = "[data-testid=stDataFrame]"


@pytest.fixture
def page(browser, dashboard):
    """Opens the dashboard with a query and waits until the whole page stands."""

    def go(**query):
        browser.get(f"{dashboard[0]}/?{urlencode(query, doseq=True)}")
        wait(
            browser,
            lambda: elements(browser, "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"),
        )
        wait(browser, lambda: elements(browser, "[data-testid=stExpander]"))
        return browser

    return go


def wait(browser, ready, seconds=60):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    waiting = WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])
    return waiting.until(lambda _: ready())


def elements(browser, selector):
    return browser.find_elements("css selector", selector)


def table(browser, place=0):
    """The cells of a table, row by row, from the accessibility tree that Streamlit keeps beside its canvas."""
    script = """
        const grid = document.querySelectorAll(arguments[0])[arguments[1]];
        return Array.from(grid ? grid.querySelectorAll('tr, [role=row]') : []).map(
            row => Array.from(row.querySelectorAll('[role=gridcell], td')).map(cell => cell.textContent))
    """
    return [row for row in browser.execute_script(script, GRID, place) if row]


def generators(browser):
    """The names in the generator column, as far as they are among those that the small run has."""
    return [
        next((cell for cell in row if cell in {"oracle", "aurora-xl", "brook", "noise"}), "") for row in table(browser)
    ]


def played(browser):
    """For each video: readyState, currentTime, width, error."""
    return browser.execute_script("""
        return Array.from(document.querySelectorAll('video')).map(
            video => [video.readyState, video.currentTime, video.videoWidth, video.error && video.error.message])
    """)


def severe(browser):
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def foreign_requests(browser, own):
    """Every address asked for that is not the dashboard's own."""
    urls = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    assert any(url.startswith(own) for url in urls), "the log must hold the page's own requests"
    return [
        url
        for url in urls
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"} and urlsplit(url).netloc != urlsplit(own).netloc
    ]


def test_open_filter_and_play(page, dashboard):
    from selenium.webdriver.common.keys import Keys

    browser = page()
    wait(browser, lambda: generators(browser)[:1] == ["oracle"])
    assert "run=tiny-run" in browser.current_url

    box = elements(browser, "input[aria-label='Generator']")[0]
    box.send_keys("brook", Keys.ENTER)
    wait(browser, lambda: [name for name in generators(browser) if name] == ["brook"])
    assert "name=brook" in browser.current_url

    wait(browser, lambda: len(elements(browser, "video")) >= 1)
    wait(browser, lambda: all(state[0] >= 2 for state in played(browser)))
    browser.execute_script("document.querySelectorAll('video').forEach(v => { v.muted = true; v.play(); })")
    wait(browser, lambda: all(state[1] > 0.3 for state in played(browser)), seconds=30)
    assert all(state[2] == 160 and state[3] is None for state in played(browser))
    assert all("/clips/tiny-run/" in video.get_attribute("src") for video in elements(browser, "video"))
    assert severe(browser) == []
    assert foreign_requests(browser, dashboard[0]) == []


def test_ticking_rows_shows_their_clips(page):
    browser = page()
    wait(browser, lambda: generators(browser)[:1] == ["oracle"])
    assert len(elements(browser, "video")) == 3
    tick(browser, row=1)
    wait(browser, lambda: len(elements(browser, "video")) == 1)
    tick(browser, row=5)
    wait(browser, lambda: len(elements(browser, "video")) == 2)
    assert severe(browser) == []


def tick(browser, row):
    """Click the tick box of a row (1: the first). The table is drawn on a canvas: aim at its left edge."""
    from selenium.webdriver.common.action_chains import ActionChains

    canvas = elements(browser, f"{GRID} canvas")[0]
    left, top = 18 - canvas.size["width"] // 2, int(35 * (row + 0.5)) - canvas.size["height"] // 2
    ActionChains(browser).move_to_element_with_offset(canvas, left, top).click().perform()


def test_the_next_case_is_one_click_away(page):
    browser = page(case="case-1")
    wait(browser, lambda: "red fox" in prompt(browser))
    button = next(b for b in elements(browser, "[data-testid=stButton] button") if "Next" in b.text)
    button.click()
    wait(browser, lambda: "A glass falls" in prompt(browser))
    wait(browser, lambda: "case=case-2" in browser.current_url)


def prompt(browser):
    return browser.execute_script("return document.querySelector('.st-key-prompt')?.textContent ?? ''")


def test_a_hostile_prompt_is_text_and_nothing_more(page, dashboard, hostile):
    text, name = hostile
    browser = page(case="case-3", show=[name, "oracle"])
    wait(browser, lambda: "onerror" in prompt(browser))
    wait(browser, lambda: len(elements(browser, "video")) == 2)
    assert prompt(browser).strip() == text
    assert name in browser.find_element("tag name", "body").text
    assert browser.title != "owned"
    assert elements(browser, "img[src='x'], img[src*=tracker], b, .st-key-prompt strong") == []
    open_every_list(browser)
    assert elements(browser, "img[src='x'], img[src*=tracker], b") == []
    assert severe(browser) == []
    assert foreign_requests(browser, dashboard[0]) == []


def open_every_list(browser):
    """Open each box once, so that its options, names and prompts among them, are drawn."""
    from selenium.webdriver.common.keys import Keys

    for box in elements(browser, "[data-testid=stSelectbox] input, [data-testid=stMultiSelect] input"):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
        box.send_keys(Keys.ARROW_DOWN)
        wait(browser, lambda: elements(browser, "[role=option], [role=listbox]"))
        box.send_keys(Keys.ESCAPE)


def test_on_a_phone_nothing_runs_off_the_side(page):
    browser = page()
    fits = "return document.documentElement.scrollWidth <= window.innerWidth"
    for width in (390, 1400):
        screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 800}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        wait(browser, lambda: browser.execute_script(fits), seconds=10)
        assert len(elements(browser, "video")) == 3
