"""A headless Chromium for the tests in this folder, skipped visibly where there is none."""

import os
import shutil

import pytest

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--autoplay-policy=no-user-gesture-required"]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_programs():
    """Paths of chromium and chromedriver; skips the test where they are missing, unless they are required."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if None in found:
        message = "needs chromium and chromedriver on the PATH (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("MOVIEGEN_REQUIRE_BROWSER") == "1":
            pytest.fail(f"MOVIEGEN_REQUIRE_BROWSER=1, but this {message}")
        pytest.skip(message)
    return found


@pytest.fixture
def browser(browser_programs, tmp_path):
    """A fresh headless browser with its console recorded."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, chromedriver = browser_programs
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [*FLAGS, "--window-size=1400,1000", f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()
