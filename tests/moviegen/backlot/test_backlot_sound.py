"""Sound: events sound when they happen; beds, weather and music are heard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from moviegen.backlot import FACTORS, Scene, render, sample_scene, truth
from moviegen.backlot.actions import Event
from moviegen.backlot.foley import engine, loop, noise
from moviegen.backlot.music import MOODS, bed
from moviegen.backlot.sound import sound_of, soundtrack

RATE_HZ = 16000


def quiet(**fixed: Any) -> Scene:
    return sample_scene(3, **{"setting": "studio", "mood": "none", "other": "none", "count": 1, **fixed})


def samples(scene: Scene, **form: Any) -> Any:
    clip = render(scene, width=32, height=32, **form)
    assert clip.audio_CN is not None
    return clip.audio_CN[0].astype(np.float64)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_an_event_sounds_on_its_sample(rate_hz: int) -> None:
    scene = quiet(subject="ball", action="bounce")
    event = Event("bounce", 1.2345, 0.8, 1)
    with_it, without = soundtrack(scene, [event], 2.0, rate_hz), soundtrack(scene, [], 2.0, rate_hz)
    first = np.flatnonzero(with_it != without)[0]
    assert abs(first - 1.2345 * rate_hz) <= 2.0


@pytest.mark.parametrize(
    ("subject", "action"),
    [("ball", "bounce"), ("box", "bounce"), ("person", "jump"), ("dog", "run"), ("person", "dance")],
)
def test_onsets_are_where_the_truth_says(subject: str, action: str) -> None:
    """Found in the mixed sound alone: the energy of 10 ms steps out at every event."""
    scene = quiet(subject=subject, action=action)
    sound, events = samples(scene), truth(scene, width=32, height=32).events
    assert len(events) >= 3
    width = RATE_HZ // 100
    for event in events:
        at = round(event.time_s * RATE_HZ)
        if at < width or at + width > len(sound):
            continue
        before, after = np.square(sound[at - width : at]).mean(), np.square(sound[at : at + width]).mean()
        assert after > 6.0 * before, f"{event} is not heard"


def test_every_event_has_a_sound() -> None:
    for seed in range(120):
        scene = sample_scene(seed)
        for event in truth(scene, width=16, height=16, frames=2, fps=0.5).events:
            assert sound_of(scene, event)


def test_weather_and_music_are_heard() -> None:
    calm = sample_scene(
        4, subject="kite", action="fly", setting="desert", weather="clear", mood="none", other="none", count=1
    )
    loudness = {
        name: np.sqrt(np.square(samples(sample_scene(4, **{**fixed, name: value}))).mean())
        for name, value in (("weather", "rain"), ("mood", "happy"))
        for fixed in ({k: v for k, v in calm.factors().items() if v is not None},)
    }
    silent = np.sqrt(np.square(samples(calm)).mean())
    assert loudness["weather"] > 1.5 * silent
    assert loudness["mood"] > 1.5 * silent


def test_samples_lie_on_the_16_bit_grid() -> None:
    grid = samples(sample_scene(9)) * 32768.0
    assert np.array_equal(grid, np.rint(grid))


@pytest.mark.parametrize("mood", [m for m in FACTORS["mood"].values if m != "none"])
def test_beds_repeat_without_a_seam(mood: str) -> None:
    for key in range(4):
        sound = bed(mood, key, RATE_HZ)
        assert np.abs(sound).max() < 0.5
        step = np.abs(np.diff(sound)).max()
        assert abs(sound[0] - sound[-1]) <= step
    assert set(MOODS) | {"none"} == set(FACTORS["mood"].values)


def test_loops_repeat_without_a_seam() -> None:
    for sound in (engine(64, RATE_HZ), loop("waves", RATE_HZ), noise(RATE_HZ, 0.001)):
        step = np.abs(np.diff(sound)).max()
        assert abs(sound[0] - sound[-1]) <= step
