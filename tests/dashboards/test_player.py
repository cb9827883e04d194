"""The player's page: only clips of a run, one script of ours, a frame of ours and no other."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.guard import Guard
from dashboards.player import MOST, player_routes


@pytest.fixture(scope="module")
def client(small_runs):
    return TestClient(Guard(Starlette(routes=player_routes(small_runs))), base_url="http://localhost")


@pytest.fixture(scope="module")
def clips(small_runs):
    return sorted(path.name for path in (small_runs / "tiny-run" / "clips").iterdir())


def test_clips_in_step_have_one_set_of_controls(client, clips):
    page = client.get("/play/tiny-run", params={"clip": clips[:2], "theme": "dark"})
    assert page.status_code == 200
    assert page.text.count("<video") == 2
    assert page.text.count('id="play"') == 1
    assert "Play both" in page.text
    assert 'data-theme="dark"' in page.text
    assert all(f"/clips/tiny-run/{name}" in page.text for name in clips[:2])


def test_moments_stand_still(client, clips):
    page = client.get("/play/tiny-run", params={"still": [f"{clips[0]}@0.500", f"{clips[0]}@1.250"]}).text
    assert f"/clips/tiny-run/{clips[0]}#t=1.250" in page
    assert 'id="play"' not in page


def test_the_page_may_run_its_script_and_nothing_else(client, clips):
    headers = client.get("/play/tiny-run", params={"clip": clips[0]}).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    script = client.get("/player.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["x-frame-options"] == "DENY"


BAD = [{}, {"clip": "../manifest.json"}, {"clip": "x.mp4"}, {"still": "x@y"}, {"clip": "<script>alert(1)</script>"}]


@pytest.mark.parametrize("query", BAD, ids=str)
def test_anything_else_is_not_found(client, clips, query):
    assert client.get("/play/tiny-run", params=query).status_code == 404
    both = {**query, "clip": [clips[0], *([query["clip"]] if "clip" in query else [])]}
    if query:
        assert client.get("/play/tiny-run", params=both).status_code == 404
    assert client.get("/play/..", params={"clip": clips[0]}).status_code == 404


def test_no_more_than_a_screen_holds(client, clips):
    assert client.get("/play/tiny-run", params={"clip": [clips[0]] * (MOST + 1)}).status_code == 404
