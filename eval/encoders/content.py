"""Whether files are what their names say, before anything loads them: no pickles, no other network's weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from eval.encoders.registry import Encoder
from eval.errors import UserError

JSON_LIMIT = 64 << 20  # tokenizers are a few MB; a stranger's file may be anything


class ContentError(UserError):
    """A file that is not what it should be. The message is one line: what, and what to do."""


def check_contents(encoder: Encoder, folder: Path) -> None:
    """Look into every file of `folder`. Nothing is unpickled or run. Raises ContentError, OSError."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            _check_json(encoder, path)
        elif path.suffix == ".safetensors":
            _check_safetensors(path)
        elif encoder.format == "torchscript":
            _check_torchscript(path)
        else:
            _check_no_pickle(path)


def _check_json(encoder: Encoder, path: Path) -> None:
    if path.stat().st_size > JSON_LIMIT:
        raise ContentError(f"{path.name}: larger than {JSON_LIMIT >> 20} MiB, which no such file is: take the original")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ContentError(f"{path.name}: not JSON: take the original file") from None
    if path.name == "config.json" and encoder.model_type:
        found = value.get("model_type") if isinstance(value, dict) else None
        if found != encoder.model_type:
            raise ContentError(
                f"config.json: weights of another network: model_type is {found!r}, and {encoder.architecture} has "
                f"{encoder.model_type!r}"
            )


def _check_safetensors(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as stream:
            empty = not list(stream.keys())
    except SafetensorError:
        raise ContentError(
            f"{path.name}: not safetensors, or damaged (pickles are not read: save it again with safetensors)"
        ) from None
    if empty:
        raise ContentError(f"{path.name}: holds no tensors: take the original file")


def _check_torchscript(path: Path) -> None:
    """TorchScript is a zip with a folder of code; an archive of torch.save has none, and is a plain pickle."""
    try:
        with zipfile.ZipFile(path) as archive:
            script = any("/code/" in name for name in archive.namelist())
    except zipfile.BadZipFile:
        script = False
    if not script:
        raise ContentError(f"{path.name}: not a TorchScript file, or damaged: take the original file")


def _check_no_pickle(path: Path) -> None:
    with path.open("rb") as stream:
        pickled = stream.read(1) == b"\x80"
    if pickled or zipfile.is_zipfile(path):
        raise ContentError(f"{path.name}: a pickle or an archive, not {path.suffix[1:]}: take the original file")
