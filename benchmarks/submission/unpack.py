"""A stranger's archive or folder, brought into a folder of ours: only a run's own files, no links, bounded in size."""

from __future__ import annotations

import re
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from eval.errors import UserError

RECORD = "submission.json"
MAX_FILE_BYTES = 4 * 2**30
MAX_TABLE_BYTES = 2**30
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 128 * 2**30
MAX_FILES = 1_000_000

_OF_A_RUN = (
    (re.compile(r"manifest\.json"), MAX_MANIFEST_BYTES),
    (re.compile(re.escape(RECORD)), MAX_MANIFEST_BYTES),
    (re.compile(r"sets\.parquet"), MAX_TABLE_BYTES),
    (re.compile(r"shards/\d{6,12}/(rows|clips)\.parquet"), MAX_TABLE_BYTES),
    (re.compile(r"clips/[0-9a-f]{64}\.[a-z0-9]{1,5}"), MAX_FILE_BYTES),
    (re.compile(r"references/[A-Za-z0-9._/-]{1,200}"), MAX_TABLE_BYTES),
)
_LEFT_OUT = re.compile(r"lock|(audits|provenance|\.cache)/.*|(.*/)?\.[^/]*")
"""What a run's folder may hold that is no part of a submission: locks, caches, and reports, which are made anew."""


class SubmitError(UserError):
    """A submission that cannot be taken: one line for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken: bytes and files in all."""

    total_bytes: int = MAX_TOTAL_BYTES
    files: int = MAX_FILES


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file of the source. name: its path in the source, with forward slashes."""

    name: str
    size: int
    open: _Opener


class _Opener:
    """Opens one entry for reading."""

    def __call__(self) -> IO[bytes]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _FromZip(_Opener):
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def __call__(self) -> IO[bytes]:
        return self.archive.open(self.info)


@dataclass(frozen=True, slots=True)
class _FromTar(_Opener):
    archive: tarfile.TarFile
    member: tarfile.TarInfo

    def __call__(self) -> IO[bytes]:
        stream = self.archive.extractfile(self.member)
        assert stream is not None
        return stream


@dataclass(frozen=True, slots=True)
class _FromDisk(_Opener):
    path: Path

    def __call__(self) -> IO[bytes]:
        return self.path.open("rb")


def unpack(source: Path, target: Path, limits: Limits | None = None) -> list[str]:
    """Copy the run in `source` (a zip, a tar, or a folder) into the empty folder `target`; what was left out.

    Raises SubmitError, one line for each mistake, before anything is written for names, links and stated sizes, and
    while writing for sizes that were stated wrongly.
    """
    with ExitStack() as opened:
        try:
            entries = list(_entries(source, opened))
            taken, left_out = _wanted(source.name, entries, limits or Limits())
            for name, entry in taken:
                _copy(entry, name, target / name)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
            raise SubmitError(f"{source.name}: cannot be unpacked: {' '.join(str(error).split())[:120]}") from error
    return left_out


def _entries(source: Path, opened: ExitStack) -> Iterator[_Entry]:
    if source.is_dir():
        yield from _folder_entries(source)
    elif zipfile.is_zipfile(source):
        archive = opened.enter_context(zipfile.ZipFile(source))
        for info in archive.infolist():
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise SubmitError(
                    f"{source.name}: {info.filename[:200]!r} is a link or a device: pack plain files only"
                )
            yield _Entry(info.filename, info.file_size, _FromZip(archive, info))
    elif source.is_file() and tarfile.is_tarfile(source):
        bundle = opened.enter_context(tarfile.open(source))  # noqa: SIM115 - the stack closes it
        for member in bundle:
            if member.isdir():
                continue
            if not member.isreg():
                raise SubmitError(f"{source.name}: {member.name[:200]!r} is a link or a device: pack plain files only")
            yield _Entry(member.name, member.size, _FromTar(bundle, member))
    else:
        raise SubmitError(f"{source}: neither a zip, a tar nor a folder: make a file with `moviegen submit pack RUN`")


def _folder_entries(source: Path) -> Iterator[_Entry]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_symlink():
            raise SubmitError(f"{source.name}: {name[:200]!r} is a link: submit plain files only")
        if path.is_file():
            yield _Entry(name, path.stat().st_size, _FromDisk(path))


def _wanted(source: str, entries: Sequence[_Entry], limits: Limits) -> tuple[list[tuple[str, _Entry]], list[str]]:
    """The files of the run by their names in it, and the names of those left out."""
    top = _top_folder(entries)
    taken: dict[str, _Entry] = {}
    left_out: list[str] = []
    mistakes: list[str] = []
    for entry in entries:
        shown = entry.name[:200]
        parts = PurePosixPath(entry.name).parts
        if "\\" in entry.name or entry.name.startswith("/") or ".." in parts or "\0" in entry.name:
            mistakes.append(f"{source}: {shown!r} leads out of the run's folder")
            continue
        name = entry.name.removeprefix("./").removeprefix(top)
        most = next((most for pattern, most in _OF_A_RUN if pattern.fullmatch(name)), None)
        if most is None:
            if _LEFT_OUT.fullmatch(name):
                left_out.append(name)
            else:
                mistakes.append(f"{source}: {shown!r} is no file of a run")
        elif name in taken:
            mistakes.append(f"{source}: {shown!r} is there twice")
        elif entry.size > most:
            mistakes.append(f"{source}: {shown!r} is larger than {most // 2**20:,} MiB")
        else:
            taken[name] = entry
    total = sum(entry.size for entry in taken.values())
    if len(taken) > limits.files:
        mistakes.append(f"{source}: {len(taken):,} files, and {limits.files:,} are taken")
    if total > limits.total_bytes:
        mistakes.append(f"{source}: {total / 2**30:.1f} GiB in all, and {limits.total_bytes / 2**30:g} are taken")
    if "manifest.json" not in taken and not mistakes:
        mistakes.append(f"{source}: holds no manifest.json: submit a whole run folder")
    if mistakes:
        raise SubmitError("\n".join(mistakes[:20]))
    return list(taken.items()), left_out


def _top_folder(entries: Sequence[_Entry]) -> str:
    """`name/` where everything lies in one folder of the archive, else empty."""
    names = [entry.name.removeprefix("./") for entry in entries]
    first = names[0].partition("/")[0] + "/" if names else ""
    inside = f"{first}manifest.json" in names and all(name.startswith(first) for name in names)
    return first if inside else ""


def _copy(entry: _Entry, name: str, target: Path) -> None:
    """Copy as many bytes as were stated: an archive that unpacks to more is refused."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.size
    with entry.open() as stream, target.open("xb") as out:
        while block := stream.read(min(2**20, left + 1)):
            left -= len(block)
            if left < 0:
                raise SubmitError(f"{name}: unpacks to more than the {entry.size:,} bytes it is said to have")
            out.write(block)
    if left:
        raise SubmitError(f"{name}: ends after {entry.size - left:,} of {entry.size:,} bytes")


def free_bytes(folder: Path) -> int:
    """Room on the disk that holds `folder`."""
    return shutil.disk_usage(folder).free
