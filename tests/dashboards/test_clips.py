"""Which files the clips route gives out, and how."""

import asyncio

import pytest
from starlette.applications import Starlette

from dashboards.clips import clip_url, clips_route, find_clip

SHA = "ab" * 32
BODY = bytes(range(256)) * 40


@pytest.fixture
def runs(tmp_path):
    clips = tmp_path / "runs" / "run-1" / "clips"
    clips.mkdir(parents=True)
    (clips / f"{SHA}.mp4").write_bytes(BODY)
    (clips / "notes.txt").write_text("secret")
    (clips / f"{SHA}.py").write_text("secret")
    (tmp_path / "runs" / "run-1" / "manifest.json").write_text("secret")
    (tmp_path / f"{SHA}.mp4").write_text("secret")
    (clips / f"{'cd' * 32}.mp4").symlink_to(tmp_path / f"{SHA}.mp4")
    (tmp_path / "runs" / "linked").symlink_to(tmp_path / "runs" / "run-1", target_is_directory=True)
    return tmp_path / "runs"


def _get(runs, path, **headers):
    """(status, headers, body) of one GET, straight through the ASGI app."""
    sent = []

    async def receive():
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": raw, "root_path": "", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
             "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.4"}}  # fmt: skip
    asyncio.run(Starlette(routes=[clips_route(runs)])(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


def test_a_whole_clip(runs):
    status, headers, body = _get(runs, f"/clips/run-1/{SHA}.mp4")
    assert (status, body) == (200, BODY)
    assert headers["content-type"] == "video/mp4"
    assert headers["accept-ranges"] == "bytes"
    assert "immutable" in headers["cache-control"]


RANGES = [
    ("bytes=0-0", 0, 0),
    ("bytes=1000-1999", 1000, 1999),
    ("bytes=10000-", 10000, 10239),
    ("bytes=-5", 10235, 10239),
]


@pytest.mark.parametrize(("asked", "first", "last"), RANGES)
def test_ranges(runs, asked, first, last):
    status, headers, body = _get(runs, f"/clips/run-1/{SHA}.mp4", range=asked)
    assert (status, body) == (206, BODY[first : last + 1])
    assert headers["content-range"] == f"bytes {first}-{last}/{len(BODY)}"


def test_a_range_past_the_end(runs):
    assert _get(runs, f"/clips/run-1/{SHA}.mp4", range="bytes=99999-")[0] == 416


@pytest.mark.parametrize("path", [
    f"/clips/run-2/{SHA}.mp4", f"/clips/run-1/{'ef' * 32}.mp4", "/clips/run-1/notes.txt", f"/clips/run-1/{SHA}.py",
    "/clips/run-1/manifest.json", f"/clips/../{SHA}.mp4", f"/clips/run-1/../../../{SHA}.mp4", f"/clips/run-1/{SHA}",
    f"/clips/run-1/{SHA.upper()}.mp4", f"/clips/run-1/{SHA}.mp4%00", f"/clips/./{SHA}.mp4",
    f"/clips/run-1/{SHA}.mp4\n", "/clips/run-1/", "/clips/",
])  # fmt: skip
def test_everything_else_is_unknown(runs, path):
    status, _, body = _get(runs, path)
    assert status == 404
    assert b"secret" not in body


def test_links_do_not_lead_out(runs):
    assert find_clip(runs, "run-1", f"{SHA}.mp4") is not None
    assert find_clip(runs, "run-1", f"{'cd' * 32}.mp4") is None
    assert find_clip(runs, "linked", f"{SHA}.mp4") is None


def test_the_url_of_a_clip_is_the_route_of_a_clip(runs):
    url = clip_url("http://localhost", "run-1", f"{SHA}.mp4")
    assert _get(runs, url.removeprefix("http://localhost"))[0] == 200
