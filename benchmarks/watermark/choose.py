"""From the command line to a plan and the work it means; everything that can be wrong with it is said before the
work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.bias.sweep import audit_run
from benchmarks.generator import parse_generators
from benchmarks.manifest import RUN_ID
from benchmarks.store import Run, RunWriter
from benchmarks.suite import load_suite
from benchmarks.sweep import Options, with_cases
from benchmarks.watermark.clips import (
    BACKLOT,
    backlot_negatives,
    find,
    folder_subjects,
    load,
    require_generated,
    run_subjects,
)
from safety.watermark.borrowed_quality import Borrowed
from safety.watermark.plan import Form, Ladder, WatermarkError, WatermarkPlan, choose_attacks
from safety.watermark.quick import QUICK, QUICK_FORM, QUICK_SCHEME_CLIPS, QUICK_SCHEMES, QUICK_TAX
from safety.watermark.schemes import SCHEMES
from safety.watermark.subjects import Subject
from safety.watermark.units import Setup

KEY = 20_261
"""The owner's key of the first seed. An audit needs no secret: whoever repeats it has to have the same."""
NEGATIVES, QUICK_NEGATIVES = 300, 40
BUDGET, QUICK_BUDGET = 400, 40
SCHEME_CLIPS = 12

PICTURE_TAX = (
    "temporal_flickering",
    "warp_error",
    "motion_smoothness",
    "motion_coherence",
    "structure",
    "sharpness",
    "noise",
    "blockiness",
    "exposure",
    "contrast",
    "colourfulness",
)
SOUND_TAX = ("loudness", "clipping", "silence", "bandwidth", "onset_synchrony")
BACKLOT_TAX = ("backlot_prompt_accuracy", "backlot_text_similarity", "backlot_consistency")
"""Alignment, and the consistency of who is seen, where the Backlot's own networks know the world of the clip."""
BACKLOT_ENCODING = ("backlot_encoding", "set_D")


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything that the command line says of what to audit. None: the default."""

    marks: tuple[str, ...]
    clips: Path | None = None
    generator: str = ""
    suite: str = "smoke"
    attacks: str = ""
    quick: bool = False
    negatives: Path | None = None
    backlot: int | None = None
    seeds: int = 1
    messages: str = "clip"
    limit: int | None = None
    frames: int | None = None
    side: int | None = None
    budget: int | None = None
    tax: bool = True
    borrowed: Borrowed = field(default_factory=Borrowed)
    confidence: float = 0.95

    @property
    def form(self) -> Form:
        usual = QUICK_FORM if self.quick else Form()
        if self.generator:  # its clips are short and small as they are
            usual = replace(usual, frames=Form().frames, windows=1)
        return Form(self.frames or usual.frames, usual.windows, self.side or usual.side)

    @property
    def title(self) -> str:
        """Whose clips."""
        if self.generator:
            return f"{self.generator} on suite {self.suite}"
        return "" if self.clips is None else self.clips.resolve().name

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        if not self.attacks and not self.quick:
            return choose_attacks("all")
        return choose_attacks(self.attacks, QUICK)

    @property
    def schemes(self) -> tuple[str, ...]:
        """Schemes go with the whole ladder and with --quick; not with attacks that were named."""
        if self.attacks in {"", "all"}:
            return QUICK_SCHEMES if self.quick else tuple(SCHEMES.names())
        families = {part.strip() for part in self.attacks.split(",")}
        return tuple(scheme.name for scheme in SCHEMES if scheme.goal in families or scheme.name in families)


def check(choice: Choice) -> None:
    """Raises UserError for everything that is wrong with the choice and can be seen without making a clip."""
    if bool(choice.generator) == (choice.clips is not None):
        raise WatermarkError("which clips? give either --clips FOLDER or --generator NAME")
    if choice.messages not in {"clip", "trial"}:
        raise WatermarkError(f"--messages {choice.messages!r}: clip or trial")
    require_generated(choice.marks, choice.generator, choice.messages)
    for name in choice.marks:
        find(name)
    _ = choice.ladders
    choice.borrowed.check()
    if choice.clips is not None and not choice.clips.is_dir():
        raise WatermarkError(f"{choice.clips}: there is no such folder; name one that holds clips")
    if choice.negatives is not None:
        folder_subjects(choice.negatives, choice.form)


def sweep_writer(choice: Choice, runs: Path, options: Options, name: str | None) -> RunWriter:
    """The run in which the generator makes its clips: a new one, or the one that was begun."""
    (spec, *more) = parse_generators([choice.generator])
    if more:
        raise WatermarkError("an audit is of one generator's clips: audit others one by one")
    suite = with_cases(load_suite(choice.suite), [spec], choice.limit)
    return audit_run(suite, spec, runs, options, name)


def make_setup(choice: Choice, run: Run | None, cache: Path) -> tuple[Setup, tuple[str, ...]]:
    """The plan with its clips, and what a reader should know first."""
    form = choice.form
    if run is not None:
        subjects = run_subjects(run, run.manifest.generators[0].name, form)
    else:
        assert choice.clips is not None
        subjects = folder_subjects(choice.clips, form, choice.limit)
    finder = partial(find, subjects=subjects)
    facts = tuple(finder(name).facts for name in choice.marks)
    further = () if choice.negatives is None else folder_subjects(choice.negatives, _windows(form))
    usual = QUICK_NEGATIVES if choice.quick else NEGATIVES
    rendered = backlot_negatives(usual if choice.backlot is None else choice.backlot)
    negatives = _without(further, subjects) + rendered
    world = any(subject.case is not None and subject.case.truth for subject in subjects)
    plan = WatermarkPlan(
        marks=facts,
        attacks=tuple(ladder for ladder in choice.ladders if any(mark.stream in ladder.streams for mark in facts)),
        clips=tuple((subject.id, subject.sha256) for subject in subjects),
        negatives=tuple((subject.id, subject.sha256) for subject in negatives),
        generator=choice.generator,
        form=form,
        seeds=tuple(range(choice.seeds)),
        keys=tuple(KEY + seed for seed in range(choice.seeds)),
        messages="trial" if choice.messages == "trial" else "clip",
        confidence=choice.confidence,
        tax=_tax({mark.stream for mark in facts}, world=world, quick=choice.quick) if choice.tax else (),
        borrowed=choice.borrowed.check(),
        schemes=choice.schemes,
        scheme_clips=QUICK_SCHEME_CLIPS if choice.quick else SCHEME_CLIPS,
        budget=choice.budget or (QUICK_BUDGET if choice.quick else BUDGET),
    )
    encoder = BACKLOT_ENCODING if choice.tax and world else None
    setup = Setup(plan, subjects, negatives, finder, load, cache, encoder, choice.borrowed)
    return setup, _notes(choice, subjects, rendered)


def _windows(form: Form) -> Form:
    """Negatives are cut into as many stretches as they hold: they are only read."""
    return Form(form.frames, 1_000, form.side)


def _without(further: tuple[Subject, ...], subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """Negatives that are not audited anyway: those count once."""
    audited = {(subject.path, subject.start) for subject in subjects}
    return tuple(subject for subject in further if (subject.path, subject.start) not in audited)


def _tax(streams: set[str], *, world: bool, quick: bool) -> tuple[str, ...]:
    plain = tuple(name for name in PICTURE_TAX if not quick or name in QUICK_TAX)
    picture = plain + (BACKLOT_TAX if world else ()) if "picture" in streams else ()
    return picture + (SOUND_TAX if "sound" in streams else ())


def _notes(choice: Choice, subjects: tuple[Subject, ...], rendered: tuple[Subject, ...]) -> tuple[str, ...]:
    files = len({subject.cluster for subject in subjects})
    notes = []
    if files < 10:
        notes.append(f"Only {files} different files: intervals are wide, and what is said of other clips rests on few.")
    if choice.quick:
        notes.append("A quick audit: a few attacks on short and small stretches of the clips.")
    if rendered:
        notes.append(
            f"{len(rendered)} of the unmarked clips are scenes of the {BACKLOT.capitalize()}, rendered for this audit: "
            "they say nothing of false alarms on footage that looks otherwise."
        )
    return tuple(notes)


def run_folder(runs: Path, name: str | None, choice: Choice, plan: WatermarkPlan) -> Path:
    """The folder of an audit of clips that no sweep made. Raises WatermarkError for a name that is none."""
    word = re.sub(r"[^A-Za-z0-9]+", "-", choice.title).strip("-")[:40] or "clips"
    wanted = name or f"watermark-{word}-{plan.sha256[:8]}"
    if not re.fullmatch(RUN_ID, wanted):
        raise WatermarkError(f"run name {wanted!r}: letters, digits, '.', '_' and '-' only, 80 at most")
    return runs / wanted
