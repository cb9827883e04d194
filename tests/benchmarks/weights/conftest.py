"""Encoders as a publisher would lay them out, and a server on this machine that serves them well and badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.delenv("MOVIEGEN_WEIGHTS", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder of CLIP's kind, with files that are not asked for, a pickle among them."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "clip"}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(save({"weight": np.arange(500_000, dtype=np.float32)}))
    (folder / "README.md").write_text("a card")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02pickle")
    return folder


class _Handler(BaseHTTPRequestHandler):
    """/good/FILE serves; /short/ breaks off; /endless/ gives no length; /moved/ redirects; /403/ and such refuse."""

    folder: Path

    def do_GET(self) -> None:
        kind, name = self.path.split("?")[0].strip("/").split("/")[0], self.path.split("?")[0].split("/")[-1]
        if kind.isdigit():
            self.send_error(int(kind))
            return
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", f"/good/{name}")
            self.end_headers()
            return
        path = self.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        self.send_response(200)
        if kind != "endless":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if kind == "short" else data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(published: Path) -> Iterator[str]:
    """The address of a server over `published`."""
    handler = type("Handler", (_Handler,), {"folder": published})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()
