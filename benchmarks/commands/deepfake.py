"""`moviegen audit deepfake`: can generated clips be told from real ones, and is the answer to be trusted?"""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import err, errors, out, say, table

if TYPE_CHECKING:
    from benchmarks.deepfake.gather import Gathered
    from benchmarks.deepfake.study import Ask, Outcome
    from benchmarks.generator import GeneratorSpec
    from benchmarks.suite import Suite
    from benchmarks.sweep import Options
    from safety.deepfake.detector import Detector


@dataclass(frozen=True, slots=True)
class Sides:
    """What the command line says of the two sides."""

    generators: list[str]
    fake: list[Path]
    real: list[str]
    suite: str
    runs: Path
    seeds: int | None
    limit: int | None
    output: Path | None
    name: str


def deepfake(
    real: Annotated[
        list[str] | None,
        typer.Option("--real", help="folder of real clips, or a generator that stands for them (oracle); repeatable"),
    ] = None,
    generator: Annotated[
        list[str] | None,
        typer.Option("--generator", "-g", help="NAME, KIND:ARGUMENT or NAME=KIND:ARGUMENT; repeatable"),
    ] = None,
    fake: Annotated[list[Path] | None, typer.Option("--fake", help="folder of generated clips; repeatable")] = None,
    detector: Annotated[
        list[Path] | None,
        typer.Option("--detector", help="a detector to try: .onnx, TorchScript, or a program; repeatable"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder for the report and its files; default: in the run")
    ] = None,
    suite: Annotated[str, typer.Option(help="whose prompts a generator answers")] = "backlot",
    limit: Annotated[int | None, typer.Option(min=1, help="only the suite's first so many prompts")] = 32,
    seeds: Annotated[int | None, typer.Option(min=1, help="clips of each prompt; default: the suite's")] = None,
    mark: Annotated[str, typer.Option(help="also audit with this mark on generated clips, and on both sides")] = "",
    side: Annotated[
        int | None, typer.Option(min=16, max=1024, help="common size in pixels; default: the largest")
    ] = None,
    fps: Annotated[float | None, typer.Option(min=1, max=120, help="common frame rate; default: the slowest's")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, max=60, help="length of a window; default: 4 at most")
    ] = None,
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="compare sound where nine of ten clips have it")] = (
        True
    ),
    attacks: Annotated[str, typer.Option(help="attacks on detectors; default: one codec, resize, blur, noise")] = "",
    permutations: Annotated[int, typer.Option(min=19, max=100_000, help="for each p")] = 199,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="of folds, permutations and draws")] = 0,
    runs: Annotated[Path, typer.Option(help="folder that holds the runs")] = Path("runs"),
    name: Annotated[
        str, typer.Option(help="what the audit is called; default: the generators' or folders' names")
    ] = "",
    executor: Annotated[str | None, typer.Option(help="serial or processes")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document on standard output, nothing else there")
    ] = False,
) -> None:
    """Can generated clips be told from real ones, by how much, and is the answer to be trusted?

    Both sets are brought to one form first; no verdict is given while length, bit rate or light alone tell them apart.
    The report is one HTML file that opens anywhere; beside it lie the windows (Parquet) and all figures (JSON).
    """
    with errors():
        from benchmarks.deepfake.study import Ask
        from benchmarks.store import StoreError
        from benchmarks.sweep import Options
        from safety.deepfake.audit import Settings
        from safety.deepfake.detector import load_detector

        if executor not in {None, "serial", "processes"}:
            raise StoreError(f"unknown executor {executor!r}: serial or processes")
        sides = Sides(generator or [], fake or [], real or [], suite, runs, seeds, limit, output, name)
        _check(sides)
        ask = Ask(
            side, fps, seconds, sound, _known_mark(mark), _attacks(attacks),
            Settings(seed, confidence, permutations), executor, workers,  # type: ignore[arg-type]  # checked above
        )  # fmt: skip
        detectors = [load_detector(path) for path in detector or []]
        options = Options(executor=executor, workers=workers, argv=tuple(sys.argv[1:]))  # type: ignore[arg-type]
        _audit(sides, ask, detectors, options, as_json=as_json)


def _check(sides: Sides) -> None:
    from safety.deepfake.errors import DeepfakeError

    if not sides.generators and not sides.fake:
        raise DeepfakeError("which clips are generated? --generator reference, or --fake FOLDER")
    if not sides.real:
        raise DeepfakeError("what are they held against? --real FOLDER (several, to know how far real sources differ)")


def _known_mark(name: str) -> str:
    """The name of a mark that there is, or nothing. Raises UnknownName."""
    if name:
        from eval.marks.mark import find_mark

        find_mark(name)
    return name


def _attacks(names: str) -> tuple[str, ...]:
    from safety.deepfake.ladder import default_attacks
    from safety.watermark.attacks.attack import ATTACKS

    asked = [name.strip() for name in names.split(",") if name.strip()]
    return tuple(ATTACKS.get(name).name for name in asked) or tuple(default_attacks())


def _audit(sides: Sides, ask: Ask, detectors: list[Detector], options: Options, *, as_json: bool) -> None:
    from benchmarks.commands.progress import bar
    from benchmarks.deepfake.export import REPORT, figures_json
    from benchmarks.deepfake.page import write_audit
    from benchmarks.deepfake.study import Facts, Outcome, detect, folder_of, study
    from benchmarks.provenance import code_facts, environment_facts

    gathered, sources, run, suite = _gather(sides, options)
    clips = [clip for part in gathered for clip in part.clips]
    missing = [one for part in gathered for one in part.missing]
    with bar("clips", None, "clips", quiet=as_json) as progress:
        done = 0

        def moved(count: int, total: int, remark: str) -> None:
            nonlocal done
            done = count
            progress.to(count, f"of {total}: {remark}")

        found = study(clips, missing, ask, moved, lambda what: progress.to(done, what))
        results = detect(found, detectors, ask, lambda what: progress.to(done, what))
    code = code_facts()
    name = sides.name or " and ".join(found.fakes)
    facts = Facts(
        name=name,
        run="" if run is None else run.name,
        suite=suite,
        code=f"{code.version} {code.commit[:12]}{' with changes' if code.dirty else ''}".strip(),
        packages=environment_facts().packages,
        sources=sources,
        mark=ask.mark,
        rerun=shlex.join(["moviegen", *options.argv]),
    )
    outcome = Outcome(facts, found, results)
    home = run or sides.runs / _plain_run(name)
    places = [folder_of(home, name), *([sides.output] if sides.output else [])]
    for place in places:
        write_audit(outcome, place)
    if as_json:
        typer.echo(figures_json(outcome))
    else:
        _say(outcome, places[-1] / REPORT)


def _plain_run(name: str) -> str:
    """The folder below the runs for an audit of folders, which belongs to no run."""
    from benchmarks.bias.audit import folder_name

    return f"deepfake-{folder_name(name)}"


def _gather(sides: Sides, options: Options) -> tuple[list[Gathered], dict[str, str], Path | None, str]:
    """The clips of both sides, where each set is from, the folder of the first generator's run, and its suite."""
    from benchmarks.deepfake.gather import audit_suite, folder_clips, generator_named, one_generator
    from safety.deepfake.errors import DeepfakeError

    fakes = [one_generator(text) for text in sides.generators]
    reals = {text: generator_named(text) for text in sides.real}
    specs = [*fakes, *(spec for spec in reals.values() if spec is not None)]
    folders = [(path, "fake") for path in sides.fake] + [
        (Path(text), "real") for text, spec in reals.items() if spec is None
    ]
    names = [spec.name for spec in specs] + [path.resolve().name for path, _ in folders]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DeepfakeError(f"two sets are called {twice!r}: name generators apart (a=folder:…), or rename a folder")
    found = [folder_clips(path, side) for path, side in folders]  # type: ignore[arg-type]  # now: before a clip is made
    sources = {path.resolve().name: f"folder {path}" for path, _ in folders}
    if not specs:
        return found, sources, None, ""
    suite = audit_suite(sides.suite, specs, sides.seeds, sides.limit)
    runs = [_swept(suite, spec, sides.runs, options, spec in fakes) for spec in specs]
    for spec, (run, _) in zip(specs, runs, strict=True):
        sources[spec.name] = f"generator {spec.kind} {spec.argument}".rstrip() + f", run {run.name}"
    first = runs[0][0] if fakes else None
    about = f"{sides.suite} {suite.sha256[:12]}, {len(suite.cases)} prompts"
    return [*(clips for _, clips in runs), *found], sources, first, about


def _swept(suite: Suite, spec: GeneratorSpec, runs: Path, options: Options, generated: bool) -> tuple[Path, Gathered]:
    """The folder of a generator's run, complete, and its clips."""
    from benchmarks.commands.sweep import run_with_bar
    from benchmarks.deepfake.gather import run_clips, run_for
    from benchmarks.store import Run

    writer = run_for(suite, spec, runs, options)
    folder = writer.folder
    run_with_bar(writer, options)
    return folder, run_clips(Run(folder), spec.name, "fake" if generated else "real")


def _say(outcome: Outcome, report: Path) -> None:
    from safety.deepfake.verdict import auc_text

    audit, console = outcome.audit, out()
    say(console, audit.verdict.headline)
    for line in audit.verdict.reasons:
        say(console, f"  {line}")
    for line in audit.verdict.cautions:
        say(err(), f"caution: {line}")
    rows = []
    if audit.after is not None and audit.before is not None:
        rows += [("nuisances before", auc_text(audit.before.together), ""),
                 ("nuisances after", auc_text(audit.after.together), "above 0.60: no verdict")]  # fmt: skip
    for control in (*audit.floors, *audit.ceilings, *audit.left_out, *audit.marks):
        rows.append((control.name, "–" if control.auc is None else auc_text(control.auc), control.reason))
    if audit.measured is not None:
        confounded = "confounded" if audit.verdict.state == "refused" else ""
        rows += [
            (f"traces: {name}", auc_text(auc), f"p {auc.p:.2g} {confounded}" if auc.p is not None else confounded)
            for name, auc in audit.measured.blocks.items()
        ]
    table(("comparison", "AUC", ""), rows)
    for result in outcome.detectors:
        clean = result.clean
        text = result.reason if clean is None or clean.auc is None else f"AUC {auc_text(clean.auc)} on clean clips"
        say(console, f"detector {result.name}: {text}")
    for count in audit.ledger:
        for reason, clips in count.reasons.items():
            say(err(), f"not measured: {clips} of {count.clips} clips of {count.set}: {reason}")
    say(console, f"report: {report}")
