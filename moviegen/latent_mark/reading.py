"""Reading the latent mark: a clip and the owner's records in, the message and what it is worth out.

The search goes from what is likely to what is not, and stops as soon as the evidence is beyond doubt:

    as it is    every shift by whole latent frames                                        half of the admissible error
    moved       every other shift; mirrored; backwards; stretched to its length as made   a quarter
    cut         pieces with shifts of their own, up to three cuts                         a quarter

Each stage's p-value is corrected for all that it tries, nonces included, and for its share of the error; the least of
them holds wherever the search stopped (a union bound with weights).

What it chooses by is the same whichever way a bit's votes point. So the bits that are read from a clip without a mark
are fair and independent after any search, and agreement with a message needs no correction: `searched` is 1.

Shape legend: K bits, C channels, J received latent frames, T latent frames as made, or frames of the clip.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from eval.clip import Clip
from eval.marks.mark import Detection, MarkError
from moviegen.generate import Form, Reference, latents_of
from moviegen.inversion import Inversion
from moviegen.latent_mark.alignment import Match, cut, straight
from moviegen.latent_mark.marking import BITS, MarkRecord
from moviegen.latent_mark.readings import Way, check_length, frame_order, noise_of
from moviegen.latent_mark.reliability import reliability
from moviegen.latent_mark.shading import placed_signs
from moviegen.latent_mark.votes import Floats, Votes, count_votes, weighted

Stage = Literal["as it is", "moved", "cut"]

SHARES: dict[Stage, float] = {"as it is": 0.5, "moved": 0.25, "cut": 0.25}
"""Of the admissible error, in the order of the search."""

SURE = -100 * math.log(10)
"""A search that has found so much stops. Where 32 bits come to it, a bit of four deviations is among the weaker ones:
stopping as soon as the mark's presence is beyond doubt would leave bits wrong that a better alignment gets right."""

AT_ONCE = 256
"""Nonces whose votes are counted together: some 50 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read, whose it is, and how the clip lies to the one that was made.

    shifts_T: for each latent frame as made, by how many frames it comes earlier in the clip as received, once that is
    looked at in this `way`; None where it is gone.
    """

    detection: Detection
    record: MarkRecord
    stage: Stage
    way: Way
    shifts_T: tuple[int | None, ...]


def read_mark(
    reference: Reference,
    clip: Clip,
    records: Sequence[MarkRecord],
    key: int,
    *,
    bits: int = BITS,
    with_prompts: bool = False,
    inversion: Inversion | None = None,
) -> Reading:
    """The likeliest mark of all on record, whether there is one or not: detection.p_presence tells.

    with_prompts: carry the clip back under each record's own prompt, at a pass of the model for every prompt.
    detection.score is -log10 of p_presence, which it takes on beyond the reach of floats.
    Raises MarkError without records, for a clip that is too long, or where the records' forms hold no such message.
    """
    begun = time.perf_counter()
    if not records:
        raise MarkError("no marked clips are on record for this key: marks are found by the nonces that were kept")
    groups = _groups(reference, clip, records, key, bits, with_prompts, inversion)
    found: list[_Found] = []
    for stage in SHARES:
        searches = [(group, ways) for group in groups for ways in group.ways(stage)]
        found += [group.search(stage, ways, len(searches)) for group, ways in searches]
        if found and min(one.match.log_p for one in found) < SURE:
            break
    best = min(found, key=lambda one: one.match.log_p)
    return best.reading(time.perf_counter() - begun)


@dataclass(slots=True, eq=False)
class _Seen:
    """A clip as carried back for records of one form and one prompt; each way is carried back once."""

    reference: Reference
    clip: Clip
    form: Form
    prompt: str
    inversion: Inversion | None
    votes: dict[Way, Floats] = field(default_factory=dict)

    def votes_of(self, ways: Sequence[Way]) -> list[Floats]:
        """Weighted votes (C, J, H, W) for each way."""
        new = [way for way in ways if way not in self.votes]
        if new:
            weight_C = reliability(self.reference)
            noises = noise_of(self.reference, self.clip, self.form, new, self.prompt, self.inversion)
            self.votes |= {way: weighted(noise, weight_C) for way, noise in zip(new, noises, strict=True)}
        return [self.votes[way] for way in ways]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Records that are looked for together."""

    seen: _Seen
    records: Sequence[MarkRecord]
    key: int
    bits: int

    @property
    def step(self) -> int:
        return self.seen.reference.tae.config.temporal_factor

    def ways(self, stage: Stage) -> list[list[Way]]:
        """What a stage looks at: each list is one search, over every shift that its ways meet."""
        if stage == "as it is":
            return [[Way()]]
        plain = [Way(front) for front in range(self.step)]
        if stage == "cut":
            return [plain]
        turned = [[replace(way, mirrored=True) for way in plain], [replace(way, backwards=True) for way in plain]]
        clip, form = self.seen.clip, self.seen.form
        as_long = len(frame_order(len(clip.frames_TCHW), clip.fps, form, Way())) == form.frames
        return [plain[1:], *turned, *([] if as_long else [[Way(fitted=True)]])]

    def search(self, stage: Stage, ways: Sequence[Way], tries: int) -> _Found:
        frames = self.seen.reference.tae.config.latent_frames(self.seen.form.frames)
        channels, _, height, width = latents_of(self.seen.reference.preset, self.seen.form)
        nonces = [record.nonce for record in self.records]
        signs_NTKR = placed_signs(self.key, nonces, frames, channels * height * width, self.bits)
        readings = {
            way.front: count_votes(votes, signs_NTKR) for way, votes in zip(ways, self.seen.votes_of(ways), strict=True)
        }
        align = cut if stage == "cut" else straight
        match = align(readings, self.step, SHARES[stage], tries)
        return _Found(self, stage, ways[0], match, readings)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The best match of one search. way: any of those searched; they differ in what is put in front."""

    group: _Group
    stage: Stage
    way: Way
    match: Match
    readings: dict[int, Votes]

    def reading(self, seconds: float) -> Reading:
        match = self.match
        detection = Detection(
            bits_K=(match.sums_K > 0).astype(np.uint8),
            soft_K=match.sums_K / math.sqrt(max(float(match.squares_K.mean()), 1e-300)),
            score=-match.log_p / math.log(10),
            p_presence=math.exp(match.log_p),
            searched=1,
            local_T=self._evidence(),
            seconds=seconds,
        )
        return Reading(detection, self.group.records[match.nonce], self.stage, self.way, match.shifts_T)

    def _evidence(self) -> Floats:
        """For each frame of the clip: the votes for what the others say, in deviations of chance; 0 where nothing was.

        A frame's own votes are left out of what it is held against: bits read partly from a frame that was replaced
        would agree with it by construction. A frame that nothing else was read beside has no one to ask: 0.
        """
        clip, form = self.group.seen.clip, self.group.seen.form
        received, step = len(clip.frames_TCHW), self.group.step
        evidence_T, looked_T = np.zeros(received), np.zeros(received)
        for t, shift in enumerate(self.match.shifts_T):
            if shift is None:
                continue
            front, later = shift % step, shift // step
            votes = self.readings[front]
            squares = votes.squares_JTK[t - later, t].sum()
            own_K = votes.sums_NJTK[self.match.nonce, t - later, t]
            others_K = self.match.sums_K - own_K
            value = float(own_K @ np.sign(others_K)) / math.sqrt(max(squares, 1e-300))
            order = frame_order(received, clip.fps, form, replace(self.way, front=front))
            frames = order[(t - later) * step : (t - later + 1) * step]
            np.add.at(evidence_T, frames, value)
            np.add.at(looked_T, frames, 1)
        return evidence_T / np.maximum(looked_T, 1)


def _groups(
    reference: Reference,
    clip: Clip,
    records: Sequence[MarkRecord],
    key: int,
    bits: int,
    with_prompts: bool,
    inversion: Inversion | None,
) -> list[_Group]:
    """Records of one form, and of one prompt if prompts are used, at most AT_ONCE in a group."""
    alike: dict[tuple[Form, str], list[MarkRecord]] = {}
    for record in records:
        alike.setdefault((record.form, record.prompt if with_prompts else ""), []).append(record)
    groups = []
    for (form, prompt), some in alike.items():
        check_length(clip, form)
        seen = _Seen(reference, clip, form, prompt, inversion)
        groups += [_Group(seen, part, key, bits) for part in _parts(some)]
    return groups


def _parts(records: Sequence[MarkRecord]) -> Iterator[Sequence[MarkRecord]]:
    for start in range(0, len(records), AT_ONCE):
        yield records[start : start + AT_ONCE]
