"""The study: a common form for all clips, everything looked at, every figure, detectors under attack.

Shape legend: N windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.deepfake.looking import Look, look_at_all
from benchmarks.executors import ExecutorName
from eval.clip import ClipError, ClipInfo
from eval.video import open_clip
from safety.deepfake.audit import DeepfakeAudit, Settings, run_audit
from safety.deepfake.canonical import canonical, common_form
from safety.deepfake.controls import FAULTS, Control
from safety.deepfake.detector import Detector
from safety.deepfake.errors import DeepfakeError
from safety.deepfake.ladder import DetectorResult, Trial, run_ladder
from safety.deepfake.observe import ClipRef, Observed

DETECTOR_CLIPS = 40
"""Of each side that a detector sees at every strength of every attack; drawn at random."""

Say = Callable[[str], None]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Ask:
    """What an audit is asked for. None: chosen from the clips. attacks: for detectors."""

    side: int | None = None
    fps: float | None = None
    seconds: float | None = None
    sound: bool = True
    mark: str = ""
    attacks: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    executor: ExecutorName | None = None
    workers: int | None = None


def study(
    clips: Sequence[ClipRef], missing: Sequence[Observed], ask: Ask, progress: Progress, say: Say
) -> DeepfakeAudit:
    """The audit of these clips. Raises DeepfakeError where not one clip of a side can be read."""
    infos, unreadable = read_infos(clips)
    usable = [clip for clip in clips if clip in infos]
    for side, what in (("fake", "generated"), ("real", "real")):
        if not any(clip.side == side for clip in usable):
            gone = [*unreadable, *missing]
            reason = next((one.reason for one in gone if one.clip.side == side), "there are none")
            raise DeepfakeError(f"no {what} clip can be read: {reason}")
    form = common_form([infos[clip] for clip in usable], side=ask.side, fps=ask.fps, seconds=ask.seconds)
    form = form if ask.sound else replace(form, rate_hz=None)
    plain = [Look(0, clip) for clip in usable]
    planted = [Look(0, clip, fault=fault) for fault in FAULTS for clip in usable if clip.side == "real"]
    marked = [Look(0, clip, mark=ask.mark) for clip in usable] if ask.mark else []
    looks = [*plain, *planted, *marked]
    seen = look_at_all(looks, form, ask.executor, ask.workers, lambda done, name: progress(done, len(looks), name))
    observed = [*seen[: len(plain)], *unreadable, *missing]
    faults = {fault: [one for look, one in zip(looks, seen, strict=True) if look.fault == fault] for fault in FAULTS}
    settings = ask.settings
    return run_audit(
        observed, form, settings, faults, _marks(seen[: len(plain)], seen[len(plain) + len(planted) :], ask), say
    )


def read_infos(clips: Sequence[ClipRef]) -> tuple[dict[ClipRef, ClipInfo], list[Observed]]:
    """What is known of every clip before it is decoded, and those that cannot be read or stand on both sides."""
    infos: dict[ClipRef, ClipInfo] = {}
    unreadable = []
    for clip in clips:
        try:
            infos[clip] = open_clip(clip.path).info
        except ClipError as reason:
            unreadable.append(Observed(clip, reason=str(reason)))
    hashes: dict[str, set[str]] = {}
    for clip, info in infos.items():
        hashes.setdefault(info.sha256, set()).add(clip.side)
    for clip in [clip for clip, info in infos.items() if len(hashes[info.sha256]) > 1]:
        del infos[clip]
        unreadable.append(Observed(clip, reason="the same file is on both sides: it can be but one of them"))
    return infos, unreadable


def _marks(plain: Sequence[Observed], marked: Sequence[Observed], ask: Ask) -> tuple[Control, ...]:
    if not marked:
        return ()
    from safety.deepfake.marked import mark_controls

    return mark_controls(plain, marked, ask.mark, ask.settings.seed, ask.settings.confidence)


def detect(audit: DeepfakeAudit, detectors: Sequence[Detector], ask: Ask, say: Say) -> tuple[DetectorResult, ...]:
    """Every detector under the attacks, on one window of clips drawn at random from either side."""
    clips = list(_trials(audit, ask.settings.seed)) if detectors else []
    return tuple(
        run_ladder(one, clips, ask.attacks, ask.settings.seed, ask.settings.confidence, say) for one in detectors
    )


def _trials(audit: DeepfakeAudit, seed: int) -> list[Trial]:
    from safety.deepfake.canonical import whole_clip

    generator = np.random.default_rng([seed, 6])
    groups = {name: place for place, name in enumerate(sorted({clip.group for clip in audit.table.clips}))}
    found = []
    for side in ("fake", "real"):
        own = [clip for clip in audit.table.clips if clip.side == side]
        for place in sorted(generator.permutation(len(own))[:DETECTOR_CLIPS]):
            clip = own[place]
            for path, _ in canonical(open_clip(clip.path), audit.form, 1):
                found.append(Trial(whole_clip(open_clip(path)), side == "fake", groups[clip.group]))
    return found


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is no statistic. sources: set → where its clips are from."""

    name: str
    run: str
    suite: str
    code: str
    packages: Mapping[str, str]
    sources: Mapping[str, str]
    mark: str
    rerun: str


@dataclass(frozen=True)
class Outcome:
    """An audit with its facts, and detectors under attack."""

    facts: Facts
    audit: DeepfakeAudit
    detectors: tuple[DetectorResult, ...] = ()


def folder_of(run_folder: Path, name: str) -> Path:
    """Where an audit is kept inside a run."""
    from benchmarks.audits import audit_folder
    from benchmarks.bias.audit import folder_name

    return audit_folder(run_folder, "deepfake", folder_name(name))
