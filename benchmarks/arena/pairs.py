"""Which two clips a rater sees next, and on which side: balanced, seeded, blind.

The pair of generators with the fewest votes comes first, counted in rounds of as many votes as an axis wants raters; of
its cases those that others have begun and that lack raters (raters can only agree about what several have seen), then
new ones. Without rounds, raters who take turns would each be led to a pair of their own. Nobody is asked twice.
Order and sides follow from a secret in the votes file, so that nobody can work out what stands where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from math import comb
from pathlib import Path

from benchmarks.arena.axes import AXES, Axis
from benchmarks.arena.votes import Choice, Item, Tally, Vote, new_vote_id, now
from benchmarks.clip_store import CLIP_NAME, CLIPS
from benchmarks.references import REFERENCES
from benchmarks.store import Run, StoreError
from eval.case import PORTRAIT

SHOWN = ("mp4", "m4v", "mov", "webm", "mkv")
"""Files that browsers play."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that can be shown: its hash, its name in the run's clips folder, whether it has sound."""

    sha256: str
    file: str
    sound: bool


@dataclass(frozen=True, slots=True)
class Slate:
    """What a run offers to raters.

    clips: (case, seed) → generator → clip. brackets: generators with a known place. portraits: case → its portraits.
    """

    run: str
    suite_hash: str
    generators: tuple[str, ...]
    brackets: frozenset[str]
    clips: Mapping[tuple[str, int], Mapping[str, Clip]]
    prompts: Mapping[str, str]
    portraits: Mapping[str, tuple[Path, ...]]

    def axes(self) -> list[Axis]:
        """The questions that can be asked about some case, in the order of AXES."""
        heard = any(sum(clip.sound for clip in clips.values()) > 1 for clips in self.clips.values())
        kinds = {"picture": True, "sound": heard, "identity": any(case in self.portraits for case, _ in self.clips)}
        return [axis for axis in AXES.values() if kinds[axis.kind]]

    def entrants(self, *, brackets: bool) -> tuple[str, ...]:
        """The generators that are compared, in alphabetical order."""
        return tuple(sorted(name for name in self.generators if brackets or name not in self.brackets))

    def shown(self, axis: Axis, case: str, seed: int) -> Mapping[str, Clip]:
        """The clips of a case that the axis can be asked about."""
        clips = self.clips.get((case, seed), {})
        if axis.kind == "identity" and case not in self.portraits:
            return {}
        return {name: clip for name, clip in clips.items() if clip.sound} if axis.kind == "sound" else clips

    def possible(self, axis: Axis, *, brackets: bool) -> int:
        """How many different questions there are: pairs of clips that differ."""
        entrants = set(self.entrants(brackets=brackets))
        total = 0
        for case, seed in self.clips:
            hashes = Counter(clip.sha256 for name, clip in self.shown(axis, case, seed).items() if name in entrants)
            total += comb(hashes.total(), 2) - sum(comb(times, 2) for times in hashes.values())
        return total


@dataclass(frozen=True, slots=True)
class Question:
    """What a rater is asked. The generators are known here and are never to be shown."""

    run: str
    suite_hash: str
    axis: str
    case: str
    seed: int
    left_generator: str
    right_generator: str
    left: Clip
    right: Clip

    @property
    def item(self) -> Item:
        a, b = sorted((self.left_generator, self.right_generator))
        return self.case, self.seed, a, b

    def answered(self, choice: Choice, rater: str) -> Vote:
        """The vote, with a new id and the time of now. rater: as rater_name gives it."""
        return Vote(
            new_vote_id(), self.run, self.suite_hash, self.case, self.seed, self.axis, self.left_generator,
            self.right_generator, self.left.sha256, self.right.sha256, choice, rater, now(),
        )  # fmt: skip


def slate(run: Run) -> Slate:
    """Read what a run offers. Clips that are gone or that browsers do not play are left out."""
    made = run.manifest
    folder = run.folder / CLIPS
    stored = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    clips: dict[tuple[str, int], dict[str, Clip]] = {}
    prompts: dict[str, str] = {}
    for record in run.clips(status="ok").to_dict("records"):
        file = str(record["file"] or "")
        if file.rpartition(".")[2] in SHOWN and CLIP_NAME.fullmatch(file) and file in stored:
            here = clips.setdefault((str(record["case"]), int(record["seed"])), {})
            here[str(record["generator"])] = Clip(str(record["clip_sha256"]), file, bool(record["has_audio"]))
            prompts[str(record["case"])] = str(record["prompt"] or "")
    return Slate(
        run=run.id,
        suite_hash=made.suite_hash,
        generators=tuple(facts.name for facts in made.generators),
        brackets=frozenset(facts.name for facts in made.generators if facts.bracket),
        clips=clips,
        prompts=prompts,
        portraits=_portraits(run),
    )


def _portraits(run: Run) -> dict[str, tuple[Path, ...]]:
    """Case → the portraits that the run keeps; a case whose portrait is gone is not among them."""
    try:
        suite = run.manifest.parsed_suite()
    except StoreError:  # a suite that cannot be read has no portraits; its clips can still be compared
        return {}
    folder = (run.folder / REFERENCES).resolve()
    found = {}
    for case in suite.cases or ():
        paths = [
            (folder / path).resolve() for name, path in sorted(case.references.items()) if name.startswith(PORTRAIT)
        ]
        if paths and all(path.is_relative_to(folder) and path.is_file() for path in paths):
            found[case.id] = tuple(paths)
    return found


def next_question(
    offered: Slate,
    tallies: Mapping[Item, Tally],
    axis: Axis,
    rater: str,
    secret: str,
    *,
    brackets: bool = False,
    passed: Collection[Item] = (),
) -> Question | None:
    """What to ask this rater next along an axis; None where nothing is left.

    tallies: of the axis and the rater. passed: items that the rater would rather not judge.
    """
    votes: Counter[tuple[str, str]] = Counter()
    for (_, _, a, b), tally in tallies.items():
        votes[a, b] += tally.votes
    done = {item for item, tally in tallies.items() if tally.mine}.union(passed)
    pairs = combinations(offered.entrants(brackets=brackets), 2)
    for a, b in sorted(pairs, key=lambda pair: (votes[pair] // axis.raters, _shuffled(secret, axis.name, *pair))):
        items = [place for place in _shared(offered, axis, a, b) if (*place, a, b) not in done]
        if items:
            case, seed = min(items, key=lambda item: _order(item, tallies, axis, (a, b), secret))
            return _question(offered, axis, case, seed, _sides(secret, rater, axis.name, case, seed, a, b))
    return None


def _shared(offered: Slate, axis: Axis, a: str, b: str) -> list[tuple[str, int]]:
    """Cases and seeds of which both have a clip that can be asked about, and not the same."""
    found = []
    for case, seed in offered.clips:
        clips = offered.shown(axis, case, seed)
        if a in clips and b in clips and clips[a].sha256 != clips[b].sha256:
            found.append((case, seed))
    return found


def _order(
    item: tuple[str, int], tallies: Mapping[Item, Tally], axis: Axis, pair: tuple[str, str], secret: str
) -> tuple[int, int, bytes]:
    """First what others have begun, then what nobody has seen, then what has raters enough."""
    tally = tallies.get((*item, *pair))
    votes = 0 if tally is None else tally.votes
    turn = 1 if votes == 0 else 0 if votes < axis.raters else 2
    return turn, votes, _shuffled(secret, axis.name, *pair, *map(str, item))


def _sides(secret: str, rater: str, axis: str, case: str, seed: int, a: str, b: str) -> tuple[str, str]:
    heads = _shuffled(secret, "sides", rater, axis, case, str(seed), a, b)[0] & 1
    return (b, a) if heads else (a, b)


def _question(offered: Slate, axis: Axis, case: str, seed: int, sides: tuple[str, str]) -> Question:
    clips = offered.clips[case, seed]
    left, right = sides
    return Question(
        offered.run, offered.suite_hash, axis.name, case, seed, left, right, clips[left], clips[right]
    )  # fmt: skip


def _shuffled(secret: str, *names: str) -> bytes:
    """Eight bytes that look drawn by lot and are always the same for the same names."""
    return blake2b("\0".join(names).encode(), key=secret.encode(), digest_size=8).digest()
