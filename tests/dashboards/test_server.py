"""The served dashboard over a real socket: headers everywhere, ranges, flat memory, closed doors."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest

BIG = 96 << 20


def get(url, path, method="GET", **headers):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def clip(small_runs):
    return next((small_runs / "tiny-run" / "clips").glob("*.mp4"))


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/static/nothing.js", "/clips/tiny-run/nothing", "/nowhere"])
def test_every_response_carries_the_headers(dashboard, path):
    _, headers, _ = get(dashboard[0], path)
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_clip_in_parts_is_the_clip(dashboard, clip):
    path = f"/clips/tiny-run/{clip.name}"
    status, headers, whole = get(dashboard[0], path)
    assert (status, whole) == (200, clip.read_bytes())
    assert headers["content-type"] == "video/mp4"
    middle = len(whole) // 2
    first = get(dashboard[0], path, range=f"bytes=0-{middle - 1}")
    second = get(dashboard[0], path, range=f"bytes={middle}-")
    assert (first[0], second[0]) == (206, 206)
    assert first[2] + second[2] == whole
    assert get(dashboard[0], path, method="HEAD")[1]["content-length"] == str(len(whole))
    assert get(dashboard[0], path, range=f"bytes={len(whole)}-")[0] == 416


CLOSED = ["/clips/tiny-run/manifest.json", "/clips/tiny-run/../manifest.json", "/clips/tiny-run/..%2fmanifest.json"]
CLOSED += ["/clips/%2e%2e/x", "/app/static/x", "/clips//etc/passwd"]


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_else_is_given_out(dashboard, path):
    status, _, body = get(dashboard[0], path)
    # Streamlit answers unknown addresses with its own page, so that deep links work.
    assert status in {400, 404} or b"<title>Streamlit</title>" in body
    assert b"suite_hash" not in body
    assert b"root:" not in body


def test_another_host_name_is_refused(dashboard):
    assert get(dashboard[0], "/", host="evil.example")[0] == 400


def test_another_sites_page_cannot_open_the_socket(dashboard):
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
               "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    assert get(dashboard[0], "/_stcore/stream", origin="http://evil.example", **upgrade)[0] == 403


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc")
def test_memory_stays_flat_while_a_big_clip_is_read(dashboard, small_runs, clip):
    url, process = dashboard
    big = clip.with_name(f"{'0' * 64}.mp4")
    get(url, f"/clips/tiny-run/{clip.name}")
    before = resident_bytes(process)
    try:
        with big.open("wb") as stream:
            stream.truncate(BIG)
        for first_byte in (0, BIG // 2):
            status, _, body = get(url, f"/clips/tiny-run/{big.name}", range=f"bytes={first_byte}-")
            assert (status, len(body)) == (206, BIG - first_byte)
        assert len(get(url, f"/clips/tiny-run/{big.name}")[2]) == BIG
    finally:
        big.unlink()
    assert resident_bytes(process) - before < BIG // 4


def resident_bytes(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
