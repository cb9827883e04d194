"""Weights that are shipped or trained here: safetensors with a header, and a card beside each file.

    save_weights(path, tensors, header, card)   writes FILE.safetensors and FILE.json
    load_weights(path, kind="tae", preset=…)    the tensors, or one clear line
    shipped("backlot-reader")                   the path of a file in this folder

A file is never unpickled. Its header names what it is for and carries a hash of its tensors, so a damaged file and a
file of another preset are told apart before anything is loaded into a network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.cache import write_atomically
from eval.errors import UserError
from eval.hashing import json_sha256

if TYPE_CHECKING:  # hashes and headers are read where torch is not needed
    from torch import Tensor, nn

FOLDER = Path(__file__).parent
FORMAT = "moviegen-weights-1"
Card = Mapping[str, Any]


class WeightsError(UserError):
    """Weights that cannot be used. The message is one line: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file of weights is for. kind: which network (tae, video, ...); preset: which form of it.

    needs: the id of the weights that these were trained with (an autoencoder's); empty: none. details: what else its
    reader must know, JSON-able and covered by a hash.
    """

    kind: str
    preset: str
    details: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""


def shipped(name: str, folder: Path = FOLDER) -> Path:
    """The file of shipped weights called `name` in `folder`. Raises WeightsError with the names there are."""
    known = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    if name not in known:
        raise WeightsError(f"no shipped weights called '{name}': there are {', '.join(known) or 'none'}")
    return known[name]


def save_weights(path: Path, tensors: Mapping[str, Tensor], header: Header, card: Card) -> str:
    """Write the weights to `path` (.safetensors) and the card, with their SHA-256, beside it (.json); the SHA-256.

    Raises OSError and leaves no partial file.
    """
    from safetensors.torch import save

    assert path.suffix == ".safetensors"
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    form = {"kind": header.kind, "preset": header.preset, "needs": header.needs}
    about = {"format": FORMAT, **form, "tensors_sha256": tensors_sha256(plain)}
    if header.details:
        about |= {"details": json.dumps(header.details), "details_sha256": json_sha256(header.details)}
    data = save(plain, metadata=about)
    sha256 = hashlib.sha256(data).hexdigest()
    write_atomically(path, data)
    facts = {"file": path.name, **form, "sha256": sha256, "bytes": len(data), **card}
    write_atomically(path.with_suffix(".json"), (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
    return sha256


def load_weights(path: Path, *, kind: str, preset: str | None = None) -> tuple[dict[str, Tensor], Header]:
    """The tensors of a file and its header.

    Raises WeightsError in one line for a file that is missing, is no safetensors file (pickles among them), is damaged,
    or is of another kind or preset.
    """
    with _opened(path) as stream:
        about = stream.metadata() or {}
        header = _check_header(path, about, kind, preset)
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    if tensors_sha256(tensors) != about.get("tensors_sha256"):
        raise WeightsError(f"{path}: damaged: its tensors do not match the hash in its header; fetch or train it again")
    return tensors, header


def read_header(path: Path, *, kind: str, preset: str | None = None) -> Header:
    """The header alone, without torch. Raises WeightsError as load_weights does, but does not look at the tensors."""
    with _opened(path, framework="np") as stream:
        return _check_header(path, stream.metadata() or {}, kind, preset)


@contextmanager
def _opened(path: Path, framework: str = "pt") -> Iterator[Any]:
    """An open file of safetensors, whose errors are WeightsErrors."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as stream:
            yield stream
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file; see `moviegen weights` for those that are shipped") from None
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{path}: not a safetensors file, or damaged ({reason}); pickled checkpoints are not read: export them "
            "with the training command"
        ) from None


def _check_header(path: Path, about: Mapping[str, str], kind: str, preset: str | None) -> Header:
    if about.get("format") != FORMAT:
        raise WeightsError(f"{path}: not weights of ours: its header does not say {FORMAT}; export it with moviegen")
    header = Header(about.get("kind", ""), about.get("preset", ""), _details(path, about), about.get("needs", ""))
    if header.kind != kind:
        raise WeightsError(f"{path}: holds weights of kind '{header.kind}'; '{kind}' is needed here")
    if preset is not None and header.preset != preset:
        raise WeightsError(f"{path}: holds preset '{header.preset}', not '{preset}': ask for the preset it holds")
    return header


def _details(path: Path, about: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        details = json.loads(about.get("details", "{}"))
        whole = "details" not in about or json_sha256(details) == about.get("details_sha256")
    except (ValueError, RecursionError):
        whole = False
    if not whole or not isinstance(details, dict):
        raise WeightsError(f"{path}: damaged: its header's details do not match their hash; fetch or train it again")
    return details


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load `tensors` into `network`; every name and shape must fit, and every value be finite. Raises WeightsError."""
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        name = sorted(set(wanted.items()) ^ set(found.items()))[0][0]
        raise WeightsError(
            f"{path}: does not fit this network, first at '{name}': {found.get(name, 'absent')} in the file, "
            f"{wanted.get(name, 'absent')} in the network"
        )
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise WeightsError(f"{path}: holds values that are not finite; train it again")
    network.load_state_dict(dict(tensors))


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()
