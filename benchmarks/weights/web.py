"""Files behind an address, read with the standard library; every failure of a network is one line."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from benchmarks.weights.errors import PullError
from benchmarks.weights.place import Opened, is_the_file
from eval.encoders.registry import Encoder, WeightFile

TIMEOUT_S = 30.0
"""How long a server may be silent."""

_STATUS = {
    401: "no permission: it asks for a login, which is not supported: download it by hand, then --from FOLDER",
    403: "no permission: accept its terms in a browser and download it by hand, then --from FOLDER",
    404: "there is no such file: look at the address, and whether it has safetensors",
    429: "too many requests: try again later",
}


@dataclass(frozen=True, slots=True)
class WebPlace:
    """An address of a folder, to which a file's name is added; or, where `only`, of the one file itself."""

    address: SplitResult
    only: bool

    @property
    def text(self) -> str:
        return urlunsplit(self.address._replace(query="", fragment=""))

    def files(self, encoder: Encoder) -> tuple[WeightFile, ...]:
        pattern = next((file.name for file in encoder.files if "*" in file.name), None)
        if pattern is not None:
            raise PullError(f"{self.text}: which {pattern} files {encoder.name} has is not recorded: --from a folder")
        return encoder.files

    def of(self, name: str) -> str:
        """The whole address of the file called `name`."""
        if self.only:
            return urlunsplit(self.address)
        return urlunsplit(self.address._replace(path=f"{self.address.path.rstrip('/')}/{quote(name)}"))

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        shown = self.text if self.only else f"{self.text.rstrip('/')}/{name}"
        with _one_line(shown):
            # The address was checked by web_place: http and https only.
            response = urllib.request.urlopen(self.of(name), timeout=TIMEOUT_S)  # noqa: S310
        with response:
            if not _is_safe(urlsplit(response.url)):
                raise PullError(f"{shown}: sends on to an address that is not https://: refused")

            def read(count: int) -> bytes:
                with _one_line(shown):
                    data: bytes = response.read(count)
                    return data

            length = response.headers.get("Content-Length", "")
            yield Opened(read, int(length) if length.isascii() and length.isdigit() else None)


def web_place(text: str, encoder: Encoder) -> WebPlace:
    """The place behind an address. Raises PullError for what is not https:// (http:// on this machine only)."""
    try:
        address = urlsplit(text)
        safe = _is_safe(address)
    except ValueError:
        raise PullError(f"{text}: not an address") from None
    if address.username is not None or address.password is not None:
        raise PullError(f"{address.hostname}: logins in an address are not supported: download by hand, --from FOLDER")
    if not safe:
        raise PullError(f"{text}: only https:// addresses are fetched: anybody on the way could change the rest")
    return WebPlace(address, is_the_file(PurePosixPath(address.path).name, encoder))


def _is_safe(address: SplitResult) -> bool:
    host = address.hostname or ""
    if address.scheme == "https":
        return bool(host)
    return address.scheme == "http" and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _one_line(shown: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        why = _STATUS.get(error.code, f"the server answered {error.code} {error.reason}: try again later")
        raise PullError(f"{shown}: {why}") from None
    except urllib.error.URLError as error:
        raise PullError(f"{shown}: not reached ({error.reason}): look at the network, or --from FOLDER") from None
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise PullError(f"{shown}: the connection broke ({why}): try again, or --from FOLDER") from None
    except ValueError:  # http.client refuses some characters, InvalidURL among them
        raise PullError(f"{shown}: not an address") from None
