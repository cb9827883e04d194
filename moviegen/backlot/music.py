"""Music beds: eight seconds per mood and key that repeat without a seam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from moviegen.backlot.exact import Floats, halving, sine

BED_S = 8
KEYS_HZ = (220.0, 246.94, 261.63, 196.0)
_SEMITONE = (
    1.0,
    1.05946,
    1.12246,
    1.18921,
    1.25992,
    1.33484,
    1.41421,
    1.49831,
    1.5874,
    1.68179,
    1.7818,
    1.88775,
)


@dataclass(frozen=True, slots=True)
class Mood:
    """chords: semitones over the key, one chord per equal part of the bed. notes_per_chord plucked in turn.
    pad: loudness of the held chord. octave: of the plucks. half_s: how long they ring.
    """

    chords: tuple[tuple[int, ...], ...]
    notes_per_chord: int
    order: tuple[int, ...]
    pad: float
    pluck: float
    octave: float
    half_s: float


MOODS: dict[str, Mood] = {
    "calm": Mood(((0, 4, 7, 11), (5, 9, 12, 16)), 4, (0, 2, 1, 3), 0.030, 0.060, 1.0, 0.35),
    "happy": Mood(
        ((0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12)), 8, (0, 1, 2, 1, 0, 2, 1, 2), 0.014, 0.085, 2.0, 0.10
    ),
    "tense": Mood(((0, 3, 6), (1, 4, 7), (0, 3, 6), (-1, 3, 6)), 8, (0, 0, 1, 0, 0, 2, 0, 1), 0.030, 0.075, 0.5, 0.07),
    "sad": Mood(((0, 3, 7), (-4, 0, 3), (-2, 2, 5), (0, 3, 7)), 4, (2, 1, 0, 1), 0.030, 0.060, 1.0, 0.30),
}


def _hz(key_hz: float, semitones: int) -> float:
    """Rounded to whole periods of the bed, so that held notes meet themselves."""
    octave, step = divmod(semitones, 12)
    return round(key_hz * 2.0**octave * _SEMITONE[step] * BED_S) / BED_S


@lru_cache(maxsize=32)
def bed(mood: str, key: int, rate_hz: int) -> Floats:
    """The bed of a mood in one of four keys, float64 (N,), peak under 0.4."""
    plan, count = MOODS[mood], BED_S * rate_hz
    sound = np.zeros(count)
    part_s = BED_S / len(plan.chords)
    for c, chord in enumerate(plan.chords):
        for semitones in chord:
            _add(
                sound,
                c * part_s,
                _held(_hz(0.5 * KEYS_HZ[key], semitones), part_s, plan.pad, rate_hz),
                rate_hz,
            )
        for n in range(plan.notes_per_chord):
            semitones = chord[plan.order[n] % len(chord)]
            start_s = c * part_s + n * part_s / plan.notes_per_chord
            note = _plucked(_hz(plan.octave * KEYS_HZ[key], semitones), plan.half_s, plan.pluck, rate_hz)
            _add(sound, start_s, note, rate_hz)
    sound.setflags(write=False)
    return sound


def _add(sound: Floats, start_s: float, note: Floats, rate_hz: int) -> None:
    """Mix a note in, round the end of the loop."""
    first = round(start_s * rate_hz)
    head = min(len(note), len(sound) - first)
    sound[first : first + head] += note[:head]
    sound[: len(note) - head] += note[head:]


def _held(hz: float, duration_s: float, loudness: float, rate_hz: int) -> Floats:
    time = np.arange(round((duration_s + 0.2) * rate_hz)) / rate_hz
    shape = np.minimum(1.0, time / 0.2) * np.minimum(1.0, np.maximum(0.0, duration_s + 0.2 - time) / 0.2)
    return loudness * shape * (sine(hz * time) + 0.3 * sine(2.0 * hz * time))


def _plucked(hz: float, half_s: float, loudness: float, rate_hz: int) -> Floats:
    time = np.arange(round(min(1.2, 7.0 * half_s) * rate_hz)) / rate_hz
    attack = np.minimum(1.0, time / 0.006)
    ring = halving(time / half_s) - halving(np.full(1, min(1.2, 7.0 * half_s) / half_s))
    return loudness * attack * ring * (sine(hz * time) + 0.35 * sine(2.0 * hz * time) + 0.12 * sine(3.0 * hz * time))
