"""The reference model as a generator: the shipped checkpoints, and weights of the user's own.

`reference` is the finished model, `reference-early` a checkpoint from early in the same training, `model:PATH` any file
of weights of a video model. All make pictures only, so far: their clips have no sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.generator import KINDS, Generator, Kind, NoClip
from eval.case import Asked, Case
from eval.clip import Clip
from eval.hashing import file_sha256, json_sha256

if TYPE_CHECKING:
    from moviegen.generate import Form, Reference
    from moviegen.presets import Preset


@dataclass(frozen=True, slots=True)
class ReferenceGenerator:
    """Answers text-to-video cases from their prompt and seed alone: it never sees the truth."""

    name: str
    reference: Reference

    def generate(self, case: Case, folder: Path) -> Clip:  # noqa: ARG002 - answers in memory
        """The clip for the case. Raises NoClip for other tasks and for a prompt that nothing can be made of."""
        from moviegen.generate import generate_batch
        from moviegen.networks.words import PromptError

        if case.task != "text-to-video":
            raise NoClip(f"{self.name} answers text-to-video, not {case.task}")
        form = nearest_form(self.reference.preset, case.asked)
        with one_thread():
            try:
                (clip,) = generate_batch(self.reference, [case.prompt], [case.seed], form)
            except PromptError as error:
                raise NoClip(str(error)) from error
        return clip


def nearest_form(preset: Preset, asked: Asked) -> Form:
    """What was asked for; in the preset's own size, rate or length where it cannot make the one asked for."""
    from moviegen.generate import form_of
    from moviegen.presets import PresetError

    kept: dict[str, int | float | None] = {}
    for part in (
        {"fps": asked.fps},
        {"width": asked.width, "height": asked.height},
        {"duration_s": asked.duration_s},
    ):
        try:
            form_of(preset, **kept, **part)  # type: ignore[arg-type]  # the names say which are whole numbers
        except PresetError:
            continue
        kept |= part
    return form_of(preset, **kept)  # type: ignore[arg-type]


@contextmanager
def one_thread() -> Iterator[None]:
    """A sweep is parallel over cases already, and one thread rounds the same in every executor."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _shipped_kind(checkpoint: str, summary: str) -> Kind:
    def make(_argument: str, _cases: Sequence[Case]) -> Generator:
        from moviegen.generate import load_reference

        return ReferenceGenerator(checkpoint, load_reference(checkpoint=checkpoint))

    def fingerprint(_argument: str) -> str:
        from moviegen.weights import FOLDER

        return _fingerprint(FOLDER / f"{checkpoint}.safetensors")

    return Kind(checkpoint, 1, summary, make, fingerprint=fingerprint)


def _make(argument: str, _cases: Sequence[Case]) -> Generator:
    from moviegen.generate import load_reference

    return ReferenceGenerator(Path(argument).name, load_reference(Path(argument)))


def _fingerprint(weights: Path) -> str:
    """Changes with everything that can change a clip: the weights, the autoencoders, the way of sampling."""
    from moviegen.sampling import Sampler
    from moviegen.weights import FOLDER

    files = [weights, *sorted(FOLDER.glob("tae-*.safetensors"))]
    return json_sha256([[file_sha256(path) for path in files if path.is_file()], asdict(Sampler())])


for _kind in (
    _shipped_kind("reference", "the reference model, trained on the Backlot; pictures only"),
    _shipped_kind("reference-early", "the reference model early in its training"),
    Kind(
        "model",
        1,
        "a video model of yours, as moviegen train video writes it",
        _make,
        argument="a file of weights",
        settle=lambda argument: str(Path(argument).absolute()),
        fingerprint=lambda argument: _fingerprint(Path(argument)),
    ),
):
    KINDS.add(_kind.name, _kind)
