"""The headers and the door: what goes out with every response, and who is let in."""

import asyncio

from starlette.responses import PlainTextResponse

from dashboards.guard import Guard, content_security_policy, inline_script_hashes


def _send(app, scope):
    """Run one request through an ASGI app; gives back the messages it sent."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def _http(host):
    return {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host.encode())]}


def _socket(host, origin):
    headers = [(b"host", host.encode())]
    return {"type": "websocket", "path": "/", "headers": headers + ([(b"origin", origin.encode())] if origin else [])}


async def _page(scope, receive, send):
    await PlainTextResponse("page")(scope, receive, send)


async def _accept(scope, receive, send):
    await send({"type": "websocket.accept"})


def _status(messages):
    return messages[0]["status"]


def test_known_hosts_pass_and_others_are_refused_with_headers_on_both():
    guard = Guard(_page, hosts=("localhost", "127.0.0.1", "::1"))
    for host in ("localhost:8501", "127.0.0.1", "[::1]:8501", "LOCALHOST:1"):
        assert _status(_send(guard, _http(host))) == 200, host
    for host in ("evil.example", "localhost.evil.example:8501", "", "[::1", "127.0.0.1.evil.example"):
        messages = _send(guard, _http(host))
        assert _status(messages) == 400, host
        assert b"content-security-policy" in dict(messages[0]["headers"])


def test_without_a_list_any_host_is_served():
    assert _status(_send(Guard(_page), _http("bench.example"))) == 200


def test_a_socket_opens_from_the_same_origin_only():
    guard = Guard(_accept, hosts=("localhost",))

    def outcome(host, origin):
        return _send(guard, _socket(host, origin))[0]["type"]

    assert outcome("localhost:8501", "http://localhost:8501") == "websocket.accept"
    assert outcome("localhost:8501", None) == "websocket.accept"
    for origin in ("http://evil.example", "http://localhost:9999", "null"):
        assert outcome("localhost:8501", origin) == "websocket.close", origin
    assert outcome("evil.example", "http://evil.example") == "websocket.close"


def test_a_header_that_the_app_set_is_overruled():
    async def lax(scope, receive, send):
        await PlainTextResponse("x", headers={"X-Frame-Options": "ALLOWALL"})(scope, receive, send)

    headers = _send(Guard(lax), _http("localhost"))[0]["headers"]
    assert [value for name, value in headers if name == b"x-frame-options"] == [b"DENY"]


def test_the_policy_names_no_other_place_and_no_inline_script():
    rules = dict(rule.split(" ", 1) for rule in content_security_policy().split("; "))
    assert "http" not in content_security_policy()
    assert "*" not in content_security_policy()
    assert "unsafe" not in rules["script-src"]
    assert "'sha256-" in rules["script-src"]
    assert rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["object-src"] == "'none'"


def test_inline_scripts_are_known_by_the_hash_a_browser_computes():
    # RFC-style known answer: SHA-256 of "alert('Hello, world.');" is the example in the CSP Level 2 text.
    html = "<script src='a.js'></script><script>alert('Hello, world.');</script>"
    assert inline_script_hashes(html) == ["'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"]
