"""Calibration on impostors whose distribution is known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from scipy.stats import norm

from eval.encoders.folder import VARIABLE
from eval.errors import UserError
from eval.feature import NotMeasurable
from eval.identity import calibrate as command
from eval.identity import impostors as module
from eval.identity.impostors import (
    EVERYBODY,
    FAR,
    LEVELS_Q,
    Known,
    calibration,
    calibration_path,
    impostors,
    write_calibration,
)
from eval.identity.portraits import Portrait

D = 64


def directions(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = rng.normal(size=(count, D)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def people(count: int, group: str, seed: int, pictures: int = 3) -> list[Known]:
    """Strangers to one another, each much like their own portrait."""
    rng = np.random.default_rng(seed)
    found = []
    for portrait_D in directions(rng, count):
        near = portrait_D + 0.5 * directions(rng, pictures)
        found.append(Known(group, portrait_D, near / np.linalg.norm(near, axis=1, keepdims=True)))
    return found


@pytest.fixture
def user_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(module, "weights_sha256", lambda _: "a" * 64)
    module._read.cache_clear()
    yield tmp_path
    module._read.cache_clear()


def test_the_threshold_lets_through_as_many_impostors_as_it_says() -> None:
    content = calibration(people(150, "feminine 4-6", 0), "buffalo_l", "test")
    facts = content["groups"]["feminine 4-6"]
    assert facts["pairs"] == 150 * 149 * 3
    assert facts["far"] == FAR
    # Cosines of random directions are nearly normal with deviation 1 / sqrt(D).
    assert facts["threshold"] == pytest.approx(norm.ppf(1 - FAR) / np.sqrt(D), abs=0.02)
    assert facts["far_interval"][0] < FAR < facts["far_interval"][1]
    assert facts["tar"] == 1
    assert facts["cosines"] == sorted(facts["cosines"])
    assert np.interp(0.0, facts["cosines"], content["levels"]) == pytest.approx(0.5, abs=0.02)


def test_few_people_support_only_a_larger_rate_and_say_so() -> None:
    facts = calibration(people(12, "feminine 4-6", 0), "buffalo_l", "test")["groups"]["feminine 4-6"]
    assert facts["far"] == pytest.approx(30 / (12 * 11 * 3), abs=1e-6)
    with pytest.raises(NotMeasurable, match=r"9 people .*: 10 are needed"):
        calibration(people(9, "feminine 4-6", 0), "buffalo_l", "test")


def test_groups_are_kept_apart_and_fall_back_on_wider_ones(user_folder) -> None:
    crowd = [
        *people(20, "feminine 4-6", 1),
        *people(20, "feminine 1-3", 2),
        *people(4, "masculine 7-10", 3),
        *people(12, "", 4),
    ]
    write_calibration(calibration(crowd, "buffalo_l", "test"), calibration_path("buffalo_l"))
    groups = ["feminine 4-6", "feminine 7-10", "masculine 7-10", "feminine", "masculine", ""]
    assert [impostors("buffalo_l", group).group for group in groups] == [
        "feminine 4-6",
        "feminine",
        EVERYBODY,
        "feminine",
        EVERYBODY,
        EVERYBODY,
    ]
    assert impostors("buffalo_l", "").cosines_Q.shape == LEVELS_Q.shape


def test_alike_groups_have_higher_thresholds(user_folder) -> None:
    """A group whose members share a direction: what is rare among strangers is common there."""
    alike = []
    for known in people(40, "masculine 7-10", 5):
        portrait = known.portrait_D + np.eye(D, dtype=np.float32)[0]
        pictures = known.pictures_FD + np.eye(D, dtype=np.float32)[0]
        alike.append(
            Known(
                known.group,
                portrait / np.linalg.norm(portrait),
                pictures / np.linalg.norm(pictures, axis=1, keepdims=True),
            )
        )
    content = calibration([*alike, *people(40, "feminine 1-3", 6)], "buffalo_l", "test")
    thresholds = {name: facts["threshold"] for name, facts in content["groups"].items()}
    assert thresholds["masculine 7-10"] > thresholds["feminine 1-3"] + 0.3


def test_without_a_calibration_the_command_is_named(user_folder) -> None:
    with pytest.raises(NotMeasurable, match=r"python -m eval.identity.calibrate buffalo_l FOLDER"):
        impostors("buffalo_l", "feminine 4-6")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: {**content, "pack_sha256": "b" * 64}, "other weights"),
        (lambda content: {**content, "levels": content["levels"][:-1]}, "damaged"),
        (lambda content: {**content, "groups": {}}, "damaged"),
        (lambda content: {"format": content["format"]}, "damaged"),
        (lambda content: [], "damaged"),
    ],
)
def test_a_calibration_that_does_not_fit_is_one_line(user_folder, spoil, words) -> None:
    content = calibration(people(12, "feminine 4-6", 0), "buffalo_l", "test")
    calibration_path("buffalo_l").write_text(json.dumps(spoil(content)))
    with pytest.raises(NotMeasurable, match=words) as error:
        impostors("buffalo_l", "feminine 4-6")
    assert "\n" not in str(error.value)
    assert "calibrate" in str(error.value)


def test_the_command_measures_a_folder_of_people(user_folder, monkeypatch, capsys) -> None:
    drawn = dict(enumerate(people(11, "feminine 4-6", 7, pictures=2)))

    def describe(picture_HWC: np.ndarray, _pack: object) -> Portrait:
        person, picture = picture_HWC[0, 0, :2].tolist()
        if picture == 9:
            raise NotMeasurable("shows no face")
        known = drawn[person]
        embedding = known.portrait_D if picture == 0 else known.pictures_FD[picture - 1]
        return Portrait(embedding, np.zeros((32, 32, 3), np.uint8), known.group)

    monkeypatch.setattr(command, "open_pack", lambda _: None)
    monkeypatch.setattr(command, "describe", describe)
    folder = user_folder / "people"
    for person in drawn:
        (folder / f"p{person:02d}").mkdir(parents=True)
        for picture in (0, 1, 2, 9):
            frame = np.zeros((16, 16, 3), np.uint8)
            frame[0, 0] = 0, picture, person  # OpenCV writes blue first
            cv2.imwrite(str(folder / f"p{person:02d}" / f"{picture}.png"), frame)
    path = command.calibrate("buffalo_l", folder)
    assert path == user_folder / "buffalo_l-impostors.json"
    facts = json.loads(path.read_text())["groups"]["feminine 4-6"]
    assert (facts["people"], facts["pairs"]) == (11, 11 * 10 * 2)
    assert capsys.readouterr().err.count("shows no face") == 11
    assert "p03" not in path.read_text()
    with pytest.raises(UserError, match="no such folder"):
        command.calibrate("buffalo_l", user_folder / "nowhere")


def test_the_command_exits_with_one_line(user_folder, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["calibrate", "buffalo_l", str(user_folder)])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("error: the weights of buffalo_l are missing")
