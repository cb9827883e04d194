"""The latent mark's figures: `python -m benchmarks.latent_mark_figures COMMAND`.

learn     how far each latent channel's noise is read back after a codec; writes the card of weights/latent-mark.json
figures   messages recovered from marked clips of the reference model, with and without the prompt, after attacks;
          and what is read under a key that none of them has
tax       what marking costs: how far marked clips show what their prompts say, beside unmarked ones

Shape legend: C channels, K bits, T H W latents in time, height and width.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
import typer
from scipy.stats import binomtest

import benchmarks.model_attacks  # noqa: F401 (adds its attacks to those there are)
from benchmarks.commands.progress import bar
from benchmarks.commands.shell import errors, out
from benchmarks.reference_figures import SUITE, Maker, maker, scene_cases
from benchmarks.suite import load_suite
from benchmarks.verdicts import backlot_judge, differences, judged, means, print_rows
from eval.case import Case
from eval.clip import Clip
from eval.hashing import clip_sha256
from eval.marks.bits import matches, random_message
from eval.marks.mark import Bits
from moviegen.generate import LatentSize, Reference, form_of, generate_batch, load_reference, seeded_noise
from moviegen.inversion import Inversion
from moviegen.latent_mark.marking import BITS, MarkRecord, generate_marked
from moviegen.latent_mark.reading import read_mark
from moviegen.latent_mark.readings import Way, noise_of
from moviegen.latent_mark.reliability import CARD
from moviegen.sampling import Sampler
from moviegen.video_weights import autoencoder_id
from safety.watermark.attacks.attack import ATTACKS

KEY = 0x5EED
"""Of the clips that are measured: figures shall come out the same, and nobody's clips carry it."""

LOST = "lost"
"""The condition that the first so many frames are gone."""

CONDITIONS = (
    *("h264@23", "h264@35", "h264@40", "lost@1", "lost@1+h264@28", "trim@0.5", "drop@0.5", "fps@0.5"),
    *("average@3", "resize@0.5", "hflip@1", "reverse@1", "crop-resize@0.9", "crop-resize@0.71", "rotate@3"),
    *("noise@0.1", "blur@5", "regenerate@0.3", "regenerate@0.5"),
)
BAR = "h264@28"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A marked clip, what it carries and what finds it."""

    clip: Clip
    message_K: Bits
    record: MarkRecord


@dataclass(frozen=True, slots=True)
class Figure:
    """What was read under one condition. recovered: share of clips with every bit right, low to high its exact 95 %
    interval; found: share whose own record was named at p below 1e-6. weakest: the least -log10 p. seconds: for one
    clip, the median.
    """

    condition: str
    prompt: str
    clips: int
    recovered: float
    low: float
    high: float
    bit_accuracy: float
    found: float
    weakest: float
    seconds: float


def marked_clips(reference: Reference, cases: Sequence[Case]) -> Iterator[Sample]:
    """A clip for each case, with a message drawn at random and a nonce of its own (repeatable: for figures only)."""
    form = form_of(reference.preset)
    for number, case in enumerate(cases):
        nonce = hashlib.sha256(f"figures/{case.id}/{number}".encode()).digest()[:12]
        message_K = random_message(BITS, number)
        clip, record = generate_marked(reference, case.prompt, case.seed, form, None, message_K, KEY, nonce=nonce)
        yield Sample(clip, message_K, record)


def attacked(clip: Clip, condition: str, seed: int = 0) -> Clip:
    """The clip after the attacks of a condition, such as "lost@1+h264@28", in order."""
    for step in condition.split("+"):
        name, _, value = step.partition("@")
        strength = float(value)
        if name == LOST:
            clip = replace(clip, frames_TCHW=clip.frames_TCHW[int(strength) :])
        else:
            attack = ATTACKS.get(name)
            clip = attack.apply(clip, strength, attack.rng(clip_sha256(clip), strength, seed))
    return clip


def figure(
    reference: Reference,
    samples: Sequence[Sample],
    condition: str,
    *,
    with_prompts: bool,
    records: Sequence[MarkRecord],
    inversion: Inversion | None = None,
    report: Callable[[], None] = lambda: None,
) -> Figure:
    """Read each clip after the attacks. With prompts, only its own record is asked: who asks has a clip in mind."""
    right, bits, found, scores, seconds = [], [], [], [], []
    for sample in samples:
        clip = attacked(sample.clip, condition) if condition else sample.clip
        asked = [sample.record] if with_prompts else records
        reading = read_mark(reference, clip, asked, KEY, with_prompts=with_prompts, inversion=inversion)
        agreeing = matches(reading.detection, sample.message_K)
        own = reading.record == sample.record
        right.append(own and agreeing == BITS)
        bits.append(agreeing / BITS)
        found.append(own and reading.detection.score > 6)
        scores.append(reading.detection.score)
        seconds.append(reading.detection.seconds)
        report()
    low, high = binomtest(sum(right), len(right)).proportion_ci(method="exact")
    return Figure(
        condition=condition or "as made",
        prompt="known" if with_prompts else "unknown",
        clips=len(samples),
        recovered=round(float(np.mean(right)), 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        bit_accuracy=round(float(np.mean(bits)), 4),
        found=round(float(np.mean(found)), 4),
        weakest=round(min(scores), 1),
        seconds=round(float(np.median(seconds)), 2),
    )


@dataclass(frozen=True, slots=True)
class Null:
    """What was read where nothing was to be found. least_p: of presence, and the share of readings below 0.05; bits:
    share of the messages' bits that agreed, and the p-value of that being a half.
    """

    readings: int
    least_p: float
    below_05: float
    bits: float
    bits_p: float


def null(
    reference: Reference,
    samples: Sequence[Sample],
    records: Sequence[MarkRecord],
    report: Callable[[], None] = lambda: None,
) -> Null:
    """Marked clips under another key: the whole search, which finds nothing."""
    p, agreeing = [], 0
    for sample in samples:
        detection = read_mark(reference, sample.clip, records, KEY + 1).detection
        p.append(detection.p_presence or 0.0)
        agreeing += matches(detection, sample.message_K)
        report()
    total = BITS * len(samples)
    return Null(
        len(p),
        round(min(p), 4),
        round(float(np.mean(np.array(p) < 0.05)), 4),
        round(agreeing / total, 4),
        round(float(binomtest(agreeing, total).pvalue), 4),
    )


def correlations(
    reference: Reference, cases: Sequence[Case], conditions: Sequence[str], report: Callable[[], None] = lambda: None
) -> npt.NDArray[np.float64]:
    """(C,): the correlation of each channel's noise, as read after the conditions, with the noise as made."""
    form, found = form_of(reference.preset), []
    for case in cases:
        made: list[torch.Tensor] = []

        def draw(text: str, seed: int, size: LatentSize, made: list[torch.Tensor] = made) -> torch.Tensor:
            made.append(seeded_noise(text, seed, size))
            return made[0]

        (clip,) = generate_batch(reference, [case.prompt], [case.seed], form, None, draw=draw)
        true_CTHW = made[0].double().numpy()
        for condition in conditions:
            (read_CTHW,) = noise_of(reference, attacked(clip, condition), form, [Way()], "")
            spread_C = np.sqrt(np.square(read_CTHW).mean(axis=(1, 2, 3)))
            found.append((read_CTHW * true_CTHW).mean(axis=(1, 2, 3)) / spread_C)
        report()
    mean_C: npt.NDArray[np.float64] = np.mean(found, axis=0)
    return mean_C


def marked_maker(reference: Reference) -> Maker:
    """Makes clips for cases as `maker` does, each with a message of its own."""

    def make(cases: Sequence[Case]) -> Iterator[Clip]:
        return (sample.clip for sample in marked_clips(reference, cases))

    return make


app = typer.Typer(help="The latent mark's figures.", no_args_is_help=True, add_completion=False)


@app.command()
def learn(
    clips: Annotated[int, typer.Option(min=2, help="clips of training's scenes, which no figure is measured on")] = 24,
) -> None:
    """Learn the weights of the votes, and write the card."""
    with errors():
        reference = load_reference()
        asked = next(iter(load_suite(SUITE).expand())).asked
        conditions = ("h264@28", "h264@40")
        with bar("learning", clips, "clips") as shown:
            found_C = correlations(reference, scene_cases("seen", clips, asked), conditions, _counter(shown.to))
        _write_card(
            {
                "what": "correlation of each latent channel's noise as read with it as made: the weights of the votes",
                "made_by": f"python -m benchmarks.latent_mark_figures learn --clips {clips}",
                "autoencoder": autoencoder_id(reference.tae),
                "video": autoencoder_id(reference.model),
                "clips": clips,
                "conditions": list(conditions),
                "correlation_C": [round(float(r), 3) for r in found_C],
            }
        )
        typer.echo(f"{CARD.name}: mean correlation {found_C.mean():.3f}, {found_C.min():.3f} to {found_C.max():.3f}")


@app.command()
def figures(
    clips: Annotated[int, typer.Option(min=2, help="marked clips, of the first cases of suite backlot")] = 60,
    few: Annotated[int, typer.Option(min=2, help="clips for all conditions but the bar's")] = 16,
    only: Annotated[list[str] | None, typer.Option("--only", help="a condition, such as h264@28; repeatable")] = None,
    steps: Annotated[int, typer.Option(min=1, help="even steps by which clips are carried back")] = Inversion().steps,
    card: Annotated[bool, typer.Option("--card", help="keep the figures in the card of the weights")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")] = False,
) -> None:
    """Messages recovered, after attacks, with and without the prompt; and what another key reads."""
    with errors():
        reference = load_reference()
        conditions = only or [BAR, "", *CONDITIONS]
        cases = list(load_suite(SUITE).expand())[:clips]
        counts = [len(cases) if condition == BAR else min(few, len(cases)) for condition in conditions]
        with bar("latent mark", len(cases) + 2 * sum(counts) + min(few, len(cases)), "clips", quiet=as_json) as shown:
            count = _counter(shown.to)
            samples = []
            for sample in marked_clips(reference, cases):
                samples.append(sample)
                count()
            records = [sample.record for sample in samples]
            found: list[Figure] = []
            for condition, n in zip(conditions, counts, strict=True):
                for known in (False, True):
                    one = figure(
                        reference,
                        samples[:n],
                        condition,
                        with_prompts=known,
                        records=records,
                        inversion=Inversion(steps),
                        report=count,
                    )
                    found.append(one)
                    if not as_json:
                        _print(one, heading=len(found) == 1)
            nothing = null(reference, samples[:few], records, count)
        document = {"figures": [asdict(one) for one in found], "null": asdict(nothing)}
        if card:
            _write_card(json.loads(CARD.read_text(encoding="utf-8")) | {"measured": document})
        if as_json:
            typer.echo(json.dumps(document, allow_nan=False))
        else:
            typer.echo(
                f"under another key, {clips} nonces: {nothing.readings} readings, least p {nothing.least_p:.3g}, "
                f"{nothing.below_05:.3f} below 0.05; bits that agree {nothing.bits:.3f} (p {nothing.bits_p:.2f})"
            )


@app.command()
def tax(cases: Annotated[int, typer.Option(min=2, help="of suite backlot, one clip each way")] = 48) -> None:
    """Prompt accuracy of marked clips less that of unmarked clips of the same prompts."""
    with errors():
        reference, judge = load_reference(), backlot_judge()
        asked = list(load_suite(SUITE).expand())[:cases]
        marked = judged(marked_maker(reference)(asked), asked, judge)
        unmarked = judged(maker(reference, Sampler(), 4)(asked), asked, judge)
        rows = [*means("tax", "marked", marked), *means("tax", "unmarked", unmarked)]
        print_rows([*rows, *differences("tax", "marked - unmarked", marked, unmarked)], out())


def _counter(to: Callable[[int], None]) -> Callable[[], None]:
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        to(done)

    return count


def _write_card(card: dict[str, Any]) -> None:
    CARD.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _print(one: Figure, *, heading: bool) -> None:
    """A line as soon as it is known: the whole takes many minutes."""
    if heading:
        typer.echo(
            f"{'condition':<18} {'prompt':<8} {'clips':>5} {'messages recovered':>22} {'bits':>7} {'found':>6} "
            f"{'least -lg p':>11} {'s/clip':>6}"
        )
    recovered = f"{one.recovered:.3f} [{one.low:.3f}, {one.high:.3f}]"
    typer.echo(
        f"{one.condition:<18} {one.prompt:<8} {one.clips:>5} {recovered:>22} {one.bit_accuracy:>7.4f} "
        f"{one.found:>6.3f} {one.weakest:>11.1f} {one.seconds:>6.2f}"
    )


if __name__ == "__main__":
    app()
