"""The report of a bias audit in a real browser, from disk: whole, readable, and asking nobody for anything."""

import json

import pytest

from benchmarks.bias.page import write_audit


@pytest.fixture(scope="module")
def report(audit_maker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_audit(audit_maker("mixture", 1.5), folder)
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_disk_and_asks_for_nothing(browser, report, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(report.as_uri())
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {
        message["params"]["request"]["url"] for message in asked if message["method"] == "Network.requestWillBeSent"
    }
    # Before it is sent anywhere, the browser opens a tab of its own; what lies inside the page is no request.
    assert {url for url in urls if not url.startswith(("chrome:", "data:"))} == {report.as_uri()}
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert browser.find_element("css selector", "h1").text == "Bias audit of simulated"
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_is_cut_off(browser, report, width):
    browser.set_window_size(width, 900)
    browser.get(report.as_uri())
    wide = browser.execute_script("""
        return Array.from(document.querySelectorAll('body > :not(.scroll), svg')).filter(part =>
            part.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(part => part.outerHTML)
    """)
    assert not [html[:120] for html in wide]
    outside = browser.execute_script("""
        return Array.from(document.querySelectorAll('svg text')).filter(text => {
            const box = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
            return text.checkVisibility() && (box.x < 0 || box.x + box.width > whole.width);
        }).map(text => text.textContent)
    """)
    assert not outside


def test_every_link_leads_into_the_page(browser, report):
    browser.get(report.as_uri())
    lost = browser.execute_script("""
        return Array.from(document.querySelectorAll('a')).filter(
            link => !document.getElementById(link.getAttribute('href').slice(1))).map(link => link.textContent)
    """)
    assert not lost
