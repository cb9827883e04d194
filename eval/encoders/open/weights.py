"""From files in the user's folder to networks: hashed first, of the right architecture, every tensor accounted for.

Nothing is downloaded, unpickled, or run from a stranger's file without the user's word. Each fault is a NotMeasurable
in one line.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.encoders.local import find, pinned
from eval.encoders.networks.checkpoint import checked
from eval.encoders.open.architectures import check_architecture
from eval.encoders.registry import ENCODERS
from eval.feature import NotMeasurable

if TYPE_CHECKING:
    import torch

TOKENIZER = "tokenizer.json"
INSTALL = 'pip install "transformers>=5"'


def verified(name: str) -> Path:
    """The folder of the weights called `name`, every file of which has the hash that its lock pins.

    Raises NotMeasurable where one has not, and as `find` does.
    """
    for file in pinned(name).files:
        checked(name, file)
    return find(name)


def load_transformers(
    name: str, of: str, *, config: Mapping[str, object] | None = None, build: Mapping[str, object] | None = None
) -> torch.nn.Module:
    """A network of the class `of` of transformers, float32, for inference on the processor.

    config: entries to be set in its configuration, where the published network has others than the folder says.
    build: further arguments of the class.
    Raises NotMeasurable: no transformers, no weights, other weights, missing or misshapen tensors.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise NotMeasurable(f"{name} needs transformers, which is not there ({error}): {INSTALL}") from None
    folder = verified(name)
    kind = getattr(transformers, of)
    with _one_line(name), _quietly():
        network, info = kind.from_pretrained(
            folder,
            config=_own_part(kind, _config(name, transformers, folder, config or {})),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation="sdpa" if getattr(kind, "_supports_sdpa", False) else "eager",
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            **(build or {}),
        )
        # transformers fills what a file lacks with random numbers, and only warns
        for fault, keys in (("lacks", info["missing_keys"]), ("has misshapen", info["mismatched_keys"])):
            if keys:
                raise NotMeasurable(
                    _damaged(name, f"the file {fault} {len(keys)} tensors, such as {min(map(str, keys))}")
                )
    module: torch.nn.Module = network.eval().requires_grad_(False)
    return module


def load_program(name: str) -> torch.jit.ScriptModule:
    """A TorchScript program, for inference on the processor.

    Loading runs what the file says, so it is loaded only from bytes that have the pinned hash: who pulled it gave
    `--trust-code`, or the registry knows it. Raises NotMeasurable.
    """
    import torch

    only = ENCODERS.get(name).files[0].name
    path, pin = find(name) / only, pinned(name).files[only]
    with _one_line(name):
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != pin.sha256:
            raise NotMeasurable(_damaged(name, f"{only} has changed since it was pulled"))
        with warnings.catch_warnings():  # deprecated in torch, and still the format in which these programs are given
            warnings.simplefilter("ignore", DeprecationWarning)
            program: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(data), "cpu")  # type: ignore[no-untyped-call]
        return program.eval()


def load_tokenizer(name: str, tokens: int) -> Callable[[str], list[int]]:
    """From a text to at most so many token numbers, begin and end tokens included. Raises NotMeasurable."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise NotMeasurable(f"{name} needs tokenizers, which is not there ({error}): {INSTALL}") from None
    path = checked(name, TOKENIZER)
    with _one_line(name):
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(tokens)

    def tokenize(text: str) -> list[int]:
        return list(tokenizer.encode(text).ids)

    return tokenize


def _config(name: str, transformers: Any, folder: Path, entries: Mapping[str, object]) -> Any:
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if config.model_type != ENCODERS.get(name).model_type:
        raise NotMeasurable(f"the weights of {name} are of another network: model_type is {config.model_type!r}")
    if getattr(config, "quantization_config", None) is not None:
        raise NotMeasurable(f"the weights of {name} are quantised: pull the original ones")
    check_architecture(name, config)
    for entry, value in entries.items():
        setattr(config, entry, value)
    return config


def _own_part(kind: Any, config: Any) -> Any:
    """A tower's part of the configuration of a network with two towers."""
    for part in ("vision_config", "text_config", "audio_config"):
        inner = getattr(config, part, None)
        if isinstance(inner, kind.config_class):
            inner.projection_dim = config.projection_dim
            return inner
    return config


def _damaged(name: str, why: str) -> str:
    return f"the weights of {name} cannot be used: {why}: run `moviegen weights verify {name}`, or pull them again"


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Every fault of a library on the way, in one line that says what to do."""
    try:
        yield
    except NotMeasurable:
        raise
    except Exception as error:  # noqa: BLE001  # libraries raise anything over a stranger's file
        lines = [line for line in str(error).splitlines() if line.strip()]
        why = re.sub(r"\s+", " ", lines[0]).strip()[:200] if lines else ""
        raise NotMeasurable(_damaged(name, f"{type(error).__name__}: {why}" if why else type(error).__name__)) from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' progress bars and reports: what they say is checked here."""
    from transformers.utils import logging as library

    reports: Any = library  # untyped
    root = logging.getLogger("transformers")
    level, bars = root.level, reports.is_progress_bar_enabled()
    reports.disable_progress_bar()
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        if bars:
            reports.enable_progress_bar()
