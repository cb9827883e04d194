"""The reference model's figures: `python -m benchmarks.reference_figures [PART…]`.

accuracy      do clips show what the prompt says: the shipped checkpoints beside the oracle, on suite `backlot`
compositions  the same on combinations that training has and on those held out of it
diversity     how far clips of one prompt and different seeds lie apart, beside the world's own variety
steps         25 linear-quadratic Euler steps against 250 linear ones, from the same noise
latents       what the latents that the model makes can hold: the oracle's clips brought through them

How verdicts become figures with intervals: verdicts.py.

Shape legend: C cases, K columns, S seeds, D numbers, T frames, H height, W width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, islice
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import torch
import typer
from torch import Tensor

from benchmarks.commands.progress import bar
from benchmarks.commands.shell import errors, out
from benchmarks.generators.brackets import render_case
from benchmarks.generators.reference import nearest_form
from benchmarks.suite import load_suite
from benchmarks.verdicts import (
    Floats,
    Judge,
    Row,
    backlot_judge,
    differences,
    gaps,
    judged,
    means,
    print_rows,
    ratio,
    rows,
    shares,
)
from eval.case import Asked, Case
from eval.clip import Clip
from eval.errors import UserError
from moviegen.backlot import STYLES, caption
from moviegen.backlot.stated import stated
from moviegen.generate import CHECKPOINTS, Reference, as_clips, generate_batch, load_reference
from moviegen.networks.tae_tiling import decode_tiled, encode_tiled
from moviegen.sampling import Sampler
from moviegen.training.mixture import Split, mixture_scene

Part = Literal["accuracy", "compositions", "diversity", "steps", "latents"]
PARTS: tuple[Part, ...] = get_args(Part)
Maker = Callable[[Sequence[Case]], Iterator[Clip]]
"""Answers cases with clips, in order."""

SUITE = "backlot"
SEEDS = 4
FINE = Sampler(steps=250, schedule="linear")


def maker(reference: Reference, sampler: Sampler, batch: int, report: Callable[[int], None] = lambda _: None) -> Maker:
    """Makes clips for cases of one form, `batch` at a time. report: called with the clips that were made just now."""

    def make(cases: Sequence[Case]) -> Iterator[Clip]:
        for start in range(0, len(cases), batch):
            some = cases[start : start + batch]
            form = nearest_form(reference.preset, some[0].asked)
            yield from generate_batch(
                reference, [case.prompt for case in some], [case.seed for case in some], form, sampler
            )
            report(len(some))

    return make


def oracle(cases: Sequence[Case]) -> Iterator[Clip]:
    """The Backlot's own rendering."""
    return map(render_case, cases)


def accuracy(models: Mapping[str, Maker], cases: Sequence[Case], judge: Judge) -> list[Row]:
    """The oracle's accuracy, each model's, and each model's as a share of the oracle's."""
    part = "accuracy"
    best = judged(oracle(cases), cases, judge)
    figures = means(part, "oracle", best)
    for name, make in models.items():
        found = judged(make(cases), cases, judge)
        figures += [*means(part, name, found), *shares(part, name, found, best)]
    return figures


def compositions(make: Maker, scenes: int, asked: Asked, judge: Judge) -> list[Row]:
    """Accuracy on fresh scenes of combinations that training has, then on those that it never shows."""
    part, found, figures = "compositions", [], []
    splits: tuple[tuple[Split, str], ...] = (("seen", "seen"), ("novel", "held out"))
    for split, of in splits:
        cases = scene_cases(split, scenes, asked)
        ours, best = (judged(answer(cases), cases, judge) for answer in (make, oracle))
        figures += [*means(part, of, ours), *shares(part, of, ours, best)]
        found.append(ours)
    return [*figures, *gaps(part, "held out - seen", found[1], found[0])]


def scene_cases(split: Split, number: int, asked: Asked) -> list[Case]:
    """Cases that ask for the first scenes of a split, each phrasing in turn."""
    cases = []
    for n in range(number):
        scene, style = mixture_scene(n, split), STYLES[n % len(STYLES)]
        truth = {"scene": scene.to_dict(), "stated": list(stated(scene, style))}
        cases.append(Case(f"{split}-{n}", prompt=caption(scene, style), asked=asked, truth=truth))
    return cases


def diversity(reference: Reference, make: Maker, cases: Sequence[Case], seeds: int = SEEDS) -> list[Row]:
    """Mean distance between clips of one prompt and different seeds, and the same of scenes that differ in seed only.

    A distance is the root mean square of differences: of pictures (0 to 1), and of latents as the model sees them.
    The oracle keeps to the scene even where the prompt leaves things open, so that a share above 1 is no mistake.
    """
    asked = [replace(case, seed=seed) for case in cases for seed in range(seeds)]
    ours_CK, oracles_CK = (_apart(reference, clips, seeds) for clips in (make(asked), oracle(asked)))
    part, distance, views = "diversity", "distance between seeds", ("pictures", "latents")
    return [
        *rows(part, "oracle", distance, views, [oracles_CK]),
        *rows(part, "reference", distance, views, [ours_CK]),
        *rows(part, "reference", "share of the oracle's", views, [ours_CK, oracles_CK], ratio),
    ]


def _apart(reference: Reference, clips: Iterator[Clip], seeds: int) -> Floats:
    """Mean distance between the clips of each case, in pictures and in latents: (C, 2)."""
    values = []
    while some := list(islice(clips, seeds)):
        pictures_SCTHW = torch.stack([_pictures(clip) for clip in some])
        latents_SCTHW = _encoded(reference, pictures_SCTHW)[:, : reference.preset.latent_channels].cpu()
        values.append([mean_distance(x.flatten(1).double().numpy()) for x in (pictures_SCTHW, latents_SCTHW)])
    return np.array(values, np.float64)


def _pictures(clip: Clip) -> Tensor:
    """The frames from 0 to 1, (3, T, H, W)."""
    return torch.from_numpy(clip.frames_TCHW.copy()).transpose(0, 1).float() / 255


def _encoded(reference: Reference, pictures_NCTHW: Tensor) -> Tensor:
    """All channels of the latents of pictures from 0 to 1, on the autoencoder's device."""
    with torch.inference_mode():
        return encode_tiled(reference.tae, (2 * pictures_NCTHW - 1).to(next(reference.tae.parameters()).device))


def mean_distance(values_SD: Floats) -> float:
    """Root mean square of differences, averaged over all pairs of rows."""
    pairs = combinations(range(len(values_SD)), 2)
    return float(np.mean([np.sqrt(np.mean((values_SD[a] - values_SD[b]) ** 2)) for a, b in pairs]))


def steps(makers: Mapping[str, Maker], cases: Sequence[Case], judge: Judge) -> list[Row]:
    """What few steps lose: accuracy of two ways of sampling from the same noise, and the paired difference."""
    part, (few, many) = "steps", makers
    found = {name: judged(make(cases), cases, judge) for name, make in makers.items()}
    figures = [row for name, verdicts in found.items() for row in means(part, name, verdicts)]
    return [*figures, *differences(part, f"{few} - {many}", found[few], found[many])]


def latents(
    reference: Reference, cases: Sequence[Case], judge: Judge, report: Callable[[int], None] = lambda _: None
) -> list[Row]:
    """Accuracy of the oracle's clips brought through the latents that the model makes, and through all channels.

    A model of these latents does better only where it shows plainer what is asked than the world does.

    report: called with 1 for every clip brought through.
    """
    part, best, figures = "latents", judged(oracle(cases), cases, judge), []
    made = reference.preset.latent_channels

    def brought(channels: int | None) -> Iterator[Clip]:
        for clip in oracle(cases):
            latents_1CTHW = _encoded(reference, _pictures(clip)[None])[:, :channels]
            with torch.inference_mode():
                frames_1CTHW = decode_tiled(reference.tae, latents_1CTHW, len(clip.frames_TCHW))
            yield as_clips(frames_1CTHW, clip.fps)[0]
            report(1)

    for name, channels in ((f"{made} channels", made), ("all channels", None)):
        found = judged(brought(channels), cases, judge)
        figures += [*means(part, name, found), *shares(part, name, found, best)]
    return figures


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure, and on how much. cases: of the suite, None for all; scenes: of each split."""

    parts: tuple[Part, ...]
    cases: int | None
    scenes: int
    prompts: int
    batch: int


def measure(
    models: Mapping[str, Reference],
    sampler: Sampler,
    judge: Judge,
    wanted: Wanted,
    report: Callable[[int], None] = lambda _: None,
) -> list[Row]:
    """The figures of the parts that are wanted; all but `accuracy` are of the first model."""
    cases = list(load_suite(SUITE).expand())[: wanted.cases]
    first = next(iter(models.values()))

    def make(model: Reference, way: Sampler = sampler) -> Maker:
        return maker(model, way, wanted.batch, report)

    figures: list[Row] = []
    if "accuracy" in wanted.parts:
        figures += accuracy({name: make(model) for name, model in models.items()}, cases, judge)
    if "compositions" in wanted.parts:
        figures += compositions(make(first), wanted.scenes, cases[0].asked, judge)
    if "diversity" in wanted.parts:
        figures += diversity(first, make(first), cases[: wanted.prompts])
    if "steps" in wanted.parts:
        ways = (sampler, replace(FINE, guidance=sampler.guidance))
        figures += steps({f"{way.steps} {way.schedule} steps": make(first, way) for way in ways}, cases, judge)
    if "latents" in wanted.parts:
        figures += latents(first, cases, judge, report)
    return figures


def clips_wanted(wanted: Wanted, models: int) -> int:
    """How many clips a measurement makes."""
    cases = len(list(load_suite(SUITE).expand())[: wanted.cases])
    each: dict[Part, int] = {
        "accuracy": models * cases,
        "compositions": 2 * wanted.scenes,
        "diversity": SEEDS * min(wanted.prompts, cases),
        "steps": 2 * cases,
        "latents": 2 * cases,
    }
    return sum(each[part] for part in wanted.parts)


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=", ".join(PARTS))] = None,
    cases: Annotated[int | None, typer.Option(min=2, help="only the first so many cases of the suite")] = None,
    scenes: Annotated[int, typer.Option(min=2, help="scenes of each split for compositions")] = 96,
    prompts: Annotated[int, typer.Option(min=2, help="prompts for diversity")] = 24,
    guidance: Annotated[float | None, typer.Option(help="another guidance than the sampler's own")] = None,
    weights: Annotated[Path | None, typer.Option(help="weights of yours instead of the shipped checkpoints")] = None,
    tae: Annotated[Path | None, typer.Option(help="the autoencoder they were trained on")] = None,
    batch: Annotated[int, typer.Option(min=1, help="clips made at once")] = 8,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")] = False,
) -> None:
    """The reference model's figures: does it follow prompts, new combinations too; does it vary; do 25 steps do."""
    with errors():
        wanted = Wanted(_parts(parts or PARTS), cases, scenes, prompts, batch)
        sampler = Sampler() if guidance is None else Sampler(guidance=guidance)
        judge = backlot_judge()
        models = _models(weights, tae, device)
        with bar("making clips", clips_wanted(wanted, len(models)), "clips", quiet=as_json) as shown:
            done = 0

            def report(clips: int) -> None:
                nonlocal done
                done += clips
                shown.to(done)

            figures = measure(models, sampler, judge, wanted, report)
        if as_json:
            document = {"sampler": asdict(sampler), "figures": [asdict(row) for row in figures]}
            typer.echo(json.dumps(document, allow_nan=False))
        else:
            print_rows(figures, out())


def _parts(names: Sequence[str]) -> tuple[Part, ...]:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise UserError(f"unknown part '{unknown[0]}': choose among {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in names)


def _models(weights: Path | None, tae: Path | None, device: str) -> dict[str, Reference]:
    """The checkpoints by name, the finished one first."""
    if weights is not None:
        return {weights.stem: load_reference(weights, tae, device=device)}
    return {name: load_reference(tae=tae, checkpoint=name, device=device) for name in CHECKPOINTS}


if __name__ == "__main__":
    typer.run(main)
