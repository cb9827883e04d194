"""The faults of other tools that give wrong numbers without a word, one test each, through what users call.

From reading and running VBench 45e79ec, VBench-2.0, FastVideo.eval 2f3d407 and av-benchmark 050a5cd. Their distances
between sets have a table of their own, tests/eval/sets/test_peers_faults.py, and so have watermarks and fakes,
tests/safety/test_peers_faults.py. What cannot happen here, since no language model judges a clip:

| fault | why not |
| --- | --- |
| VBench-2.0: `'yes' in text` is met by "eyes" | no answer in words is parsed |
| VBench-2.0: a judge compares with its own last reply; another has no seed | none; clips in company: below |
| FastVideo: an answer that cannot be parsed scores 0, a judge that fails is a tie | none; failures are tested below |
| VBench: GRiT says what a frame shows, and `human_action` is read from the file's name | truth stands in the suite |
"""

from __future__ import annotations

import gc
import json
import math
import re
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from benchmarks.compare import compare
from benchmarks.generator import parse_generators
from benchmarks.generators.folder import folder_cases
from benchmarks.leaderboard import build_board
from benchmarks.store import Run
from benchmarks.suite import MetricModel, load_suite
from benchmarks.sweep import Options, run_sweep, start, with_cases
from benchmarks.vbench_export import vbench_results
from eval.cache import FeatureCache, FeatureKey
from eval.case import Case
from eval.clip import Clip, ClipInfo, MemorySource, SoundChunk, StreamFacts, Window
from eval.encoders.open import runners
from eval.feature import FEATURES, Arrays, Feature
from eval.findings import findings
from eval.metric import METRICS, Measured, Metric, MetricSpec
from eval.planner import ClipToScore, Score, score_clip, score_clips
from eval.torch_metric import ClipMetric
from eval.video import open_clip, write_clip
from moviegen.backlot import render, sample_scene

HOME = Path(__file__).parents[1]
Pull = Callable[..., Path]
NEEDS_TIME = ("temporal", "motion", "consistency")
QUICK = ("temporal_flickering", "frozen_frames", "structure", "loudness")


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's user has pulled is not to be run here."""
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path / "no-weights"))


def moving(frames: int = 16, seed: int = 0, *, sound: bool = False) -> Clip:
    """A bright box that crosses a textured picture."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, (64, 64, 3), np.uint8)
    frames_THWC = np.repeat(ground[None], frames, axis=0)
    for time in range(frames):
        left = (3 * time + 5 * seed) % 44
        frames_THWC[time, 20:40, left : left + 20] = (240, 200, 40 + 10 * (seed % 20))
    audio_CN = (0.1 * rng.normal(size=(1, 2000 * frames))).astype(np.float32) if sound else None
    return Clip(frames_THWC.transpose(0, 3, 1, 2), 8.0, audio_CN, 16_000 if sound else None)


def still(frames: int = 16) -> Clip:
    return Clip(np.repeat(moving(1).frames_TCHW, frames, axis=0), 8.0)


def scores(clip: Clip, names: Sequence[str] = (), **options: Any) -> dict[str, Score]:
    metrics = [METRICS.get(name) for name in names or METRICS.names()]
    return {score.metric: score for score in score_clip(MemorySource(clip), metrics, **options).scores}


def told(found: Mapping[str, Score]) -> dict[str, Any]:
    return {name: (score.value, score.status, score.reason) for name, score in found.items()}


def moviegen(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def score_command(*words: str | Path) -> dict[str, dict[str, Any]]:
    """File name → metric → row, of `moviegen score --json`."""
    result = moviegen("score", "--json", "--no-cache", *words)
    assert result.exit_code == 0, result.output
    clips = json.loads(result.stdout)["clips"]
    return {Path(clip["file"]).name: {row["metric"]: row for row in clip["rows"]} for clip in clips}


def values(rows: Mapping[str, Any]) -> dict[str, Any]:
    return {metric: row["value"] for metric, row in rows.items()}


def sweep(root: Path, folders: Mapping[str, Path], metrics: Sequence[str] = QUICK) -> Run:
    """A run over folders of clips, paired by name."""
    specs = parse_generators([",".join(f"{name}=folder:{folder}" for name, folder in folders.items())])
    suite = load_suite("footage").model_copy(update={"metrics": tuple(MetricModel(name=name) for name in metrics)})
    options = Options(executor="serial")
    return Run(run_sweep(start(with_cases(suite, specs), specs, root, options, "r"), options).folder)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A folder with three clips of different lengths."""
    folder = tmp_path / "footage"
    folder.mkdir()
    for number, frames in enumerate((8, 16, 24)):
        write_clip(moving(frames, number), folder / f"clip {number}.mp4")
    return folder


@dataclass
class Watched:
    """A source whose windows are fresh memory, and watched: how many of them live while the next one is made."""

    clip: Clip
    alive: list[weakref.ref[np.ndarray]] = field(default_factory=list)
    most: int = 0

    @property
    def info(self) -> ClipInfo:
        return MemorySource(self.clip).info

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        for index, first in enumerate(range(0, len(self.clip.frames_TCHW), 4)):
            frames_TCHW = self.clip.frames_TCHW[first : first + 4].copy()
            self.alive.append(weakref.ref(frames_TCHW))
            window = Window(frames_TCHW, np.arange(first, first + len(frames_TCHW)) / self.clip.fps)
            del frames_TCHW
            yield window
            del window
            if index > 1:
                gc.collect()
                self.most = max(self.most, sum(one() is not None for one in self.alive))
        yield StreamFacts(len(self.clip.frames_TCHW), "regular")


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Arrays], str], Metric]:
    """Registers a feature `probe` for one test, whose arrays a function gives; gives a metric that returns its `x`."""
    FEATURES.names()  # load the real ones before they are copied
    parts = dict(FEATURES._parts)

    class Accumulator:
        def __init__(self, arrays: Callable[[], Arrays]) -> None:
            self._arrays = arrays

        def update(self, window: Window) -> None:
            pass

        def finish(self) -> Arrays:
            return self._arrays()

    def register(arrays: Callable[[], Arrays], weights: str = "") -> Metric:
        parts["probe"] = Feature(
            "probe", 1, "picture", lambda _: Accumulator(arrays), encoder="net", weights=lambda: weights
        )
        monkeypatch.setattr(FEATURES, "_parts", parts)
        return metric_of(lambda measured: float(measured["probe"]["x"][0]), ("probe",))

    return register


def metric_of(function: Callable[[Measured], float], needs: tuple[str, ...] = ()) -> Metric:
    facts: Any = {"unit": "1", "low": 0.0, "high": 1.0, "direction": "higher", "source": "a test"}
    return Metric(
        MetricSpec("probed", 1, "picture", needs=needs, summary="a probe", blind_spots="all else", **facts), function
    )


# VBench


def test_the_number_of_workers_changes_nothing(footage: Path) -> None:
    """VBench: one GPU averages over frames and several over clips, so .997522 becomes .998163."""
    chosen = [word for name in (*QUICK, "motion_smoothness", "frame_order") for word in ("-m", name)]
    one, two = (score_command(footage, *chosen, "--workers", str(count)) for count in (1, 2))
    assert one == two
    assert {row["status"] for row in one["clip 2.mp4"].values()} == {"ok", "skipped"}


def test_every_clip_counts_alike_in_a_mean_however_long(footage: Path, tmp_path: Path) -> None:
    """VBench: see above; the board and the export say the mean over clips."""
    run = sweep(tmp_path / "runs", {"mine": footage})
    rows = run.rows(metric="temporal_flickering")
    (row,) = build_board([run]).rows
    assert row.metrics["temporal_flickering"].raw.value == pytest.approx(rows["value"].mean(), abs=1e-12)
    assert vbench_results(run).results["temporal_flickering"][0] == pytest.approx(rows["value"].mean(), abs=1e-12)


def test_every_frame_counts_not_the_last_alone() -> None:
    """VBench: `appearance_style` on several GPUs averages each video's last frame."""
    clip = moving(3)
    for score_T in ([90, 60, 30], [30, 60, 90], [60, 60, 60]):
        cache = Given({"musiq_frames": {"score_T": np.array(score_T, np.float32)}})
        assert scores(clip, ["vbench_imaging_quality"], cache=cache)["vbench_imaging_quality"].value == 0.6


class Given(FeatureCache):
    """A cache that holds these features of any clip."""

    def __init__(self, features: Mapping[str, Arrays]) -> None:
        super().__init__(Path())
        self._features = features

    def get(self, key: FeatureKey) -> Arrays | None:
        return self._features.get(key.feature)

    def put(self, key: FeatureKey, arrays: Arrays) -> None:
        pass


def test_left_is_not_right() -> None:
    """VBench: `spatial_relationship` gives "on the right of" its 1 where it is on the left."""
    told_apart = {}
    for asked in ("left of", "right of"):
        scene = sample_scene(11, subject="dog", other="box", relation=asked, action="run", camera="static")
        case = Case(id="c", truth={"scene": scene.to_dict(), "stated": ["relation"]})
        for shown in ("left of", "right of"):
            clip = render(
                sample_scene(11, subject="dog", other="box", relation=shown, action="run", camera="static"),
                width=64, height=64, fps=8, frames=32,
            )  # fmt: skip
            told_apart[asked, shown] = scores(clip, ["backlot_accuracy_relation"], case=case)
    found = {pair: one["backlot_accuracy_relation"].value for pair, one in told_apart.items()}
    assert found == {(asked, shown): float(asked == shown) for asked, shown in found}


@pytest.mark.parametrize("error", [MemoryError("no room"), torch.OutOfMemoryError("CUDA out of memory")])
def test_out_of_memory_is_a_failure_and_never_a_value(part: Callable[..., Metric], error: Exception) -> None:
    """VBench: a bare `except` turns it into "no object"; VBench-2.0: into a pass."""

    def fail() -> Arrays:
        raise error

    metric = part(fail)
    probed, other = score_clip(MemorySource(moving()), [metric, METRICS.get("exposure")]).scores
    assert (probed.status, probed.value) == ("failed", None)
    assert str(error) in probed.reason
    assert other.status == "ok", "what fails costs its own metrics only"


def test_one_frame_is_skipped_where_time_is_needed_and_nothing_fails() -> None:
    """VBench: ZeroDivisionError or NaN; FastVideo: `dynamic_degree` of one frame is 1."""
    found = scores(moving(1))
    assert {score.status for score in found.values()} <= {"ok", "skipped"}
    for name, score in found.items():
        if METRICS.get(name).spec.family in NEEDS_TIME:
            assert (score.status, score.value) == ("skipped", None), name
            assert score.reason, name


@pytest.mark.parametrize("frames", [2, 3, 16])
def test_frames_in_which_nothing_moves_are_not_dynamic(frames: int) -> None:
    """VBench: two sampled frames need no moving pair to be dynamic."""
    clip = still(frames)
    cache = Given({"raft_flow": {"strongest_P": np.zeros(frames - 1, np.float32)}})
    found = scores(clip, ["dynamic_degree", "vbench_dynamic_degree"], cache=cache)
    assert found["dynamic_degree"].value == 0
    assert found["vbench_dynamic_degree"].value == (None if frames == 2 else 0)


def test_no_option_takes_the_text_false_for_true() -> None:
    """VBench: `--read_frame False` is True, by `type=bool`."""
    options = [one for command in commands(typer.main.get_command(app)) for one in command.params]
    switches = [one for one in options if getattr(one, "is_flag", False)]
    assert len(switches) > 10
    takes_text = [one.opts for one in options if one not in switches and isinstance(one.default, bool)]
    assert takes_text == []
    assert moviegen("score", "--no-cache", "False", "x.mp4").exit_code == 2, "and the word is no value, but a file"


def commands(command: Any) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from commands(inner)


def test_suffixes_of_any_kind_and_case_are_found_and_read_alike(tmp_path: Path) -> None:
    """VBench: `.MP4` is accepted and then crashes, `.mov` is ignored."""
    write_clip(moving(), tmp_path / "a.mp4")
    names = ["a.mp4", "b.MP4", "c.Mp4", "d.MOV", "e.m4v"]
    for name in names[1:]:
        shutil.copy(tmp_path / "a.mp4", tmp_path / name)
    write_clip(moving(), tmp_path / "f.mov")
    found = score_command(tmp_path, "-m", "temporal_flickering", "-m", "structure")
    assert list(found) == [*names, "f.mov"]
    for name in names:
        assert values(found[name]) == values(found["a.mp4"])
    assert None not in values(found["f.mov"]).values()


def test_no_source_follows_torchvisions_version() -> None:
    """VBench: resizing without `antialias` is another thing in each version of torchvision."""
    imported = set()
    for floor in ("eval", "moviegen", "safety", "benchmarks", "dashboards"):
        for path in (HOME / floor).rglob("*.py"):
            imported |= set(re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert "torch" in imported
    assert imported.isdisjoint({"torchvision", "torchaudio", "decord"})


def test_a_missing_dimension_is_never_a_0(footage: Path, tmp_path: Path) -> None:
    """VBench: its submission fills it with 0, which turns a total of .968 into .588."""
    run = sweep(tmp_path / "runs", {"mine": footage}, ("temporal_flickering", "frozen_frames", "clipping"))
    board = build_board([run])
    (row,) = board.rows
    assert row.metrics["clipping"].raw.value is None
    assert row.metrics["clipping"].skipped == 3
    suite = run.manifest.parsed_suite()
    assert row.total.value is None or not any(m.name == "clipping" and m.weight for m in suite.metrics)
    assert any("clipping" in reason for reason in row.reasons)
    document = json.loads(board.to_json())["generators"][0]["metrics"]["clipping"]
    assert (document["value"], document["scored"], document["expected"]) == (None, 0, 3)
    assert list(vbench_results(run).results) == ["temporal_flickering"]


def test_the_name_of_the_device_changes_nothing(pull_small: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    """VBench: `motion_smoothness` rescales by the GPU's memory where the device is the text "cuda"."""
    pull_small("amt-s", "dino-vit-b-16")
    found = []
    for place in ("cpu", "cpu:0"):
        monkeypatch.setenv("MOVIEGEN_DEVICE", place)
        runners._loaded.cache_clear()
        found.append(told(scores(moving(), ["vbench_motion_smoothness", "vbench_subject_consistency"])))
    assert found[0] == found[1]
    assert {status for _, status, _ in found[0].values()} == {"ok"}


def test_windows_change_nothing(tmp_path: Path) -> None:
    """VBench: chunks, batches and free memory; ours are windows of frames."""
    path = tmp_path / "clip.mp4"
    write_clip(moving(23, sound=True), path)
    metrics = list(METRICS)
    found = [score_clip(open_clip(path, window=window), metrics).scores for window in (None, 2, 7)]
    plain = [told({score.metric: score for score in one}) for one in found]
    assert plain[0] == plain[1] == plain[2]


# VBench-2.0


def test_nothing_to_judge_is_not_a_perfect_score() -> None:
    """VBench-2.0: anatomy is 1 where there is no person, and what is below 0 is dropped."""
    flat = Clip(np.full((16, 3, 64, 64), 128, np.uint8), 8.0)
    found = scores(flat, case=Case(id="c", prompt="a dog", truth={"contrasts": {}}))
    for name in ("motion_coherence", "frame_order", "sharpness", "loudness", "onset_synchrony", "contrast_color"):
        assert (found[name].status, found[name].value) == ("skipped", None), name


@pytest.mark.parametrize("value", [-1.0, 1.5, math.nan, math.inf])
def test_what_cannot_be_a_score_is_a_failure(value: float) -> None:
    """VBench-2.0: −1 for "no answer"; av-benchmark: −1 for a failed Fréchet distance, NaN for few clips."""
    (score,) = score_clip(MemorySource(moving()), [metric_of(lambda _: value)]).scores
    assert (score.status, score.value) == ("failed", None)


def test_an_error_is_a_failure_and_no_pass() -> None:
    """VBench-2.0: an exception of the detector counts as passed."""

    def broken(_: Measured) -> float:
        raise KeyError("logits")

    (score,) = score_clip(MemorySource(moving()), [metric_of(broken)]).scores
    assert (score.status, score.value) == ("failed", None)
    assert "KeyError" in score.reason


def test_clips_do_not_see_each_other(pull_small: Pull) -> None:
    """VBench-2.0: a judge compares with its own reply to the clip before."""
    pull_small("clip-vit-b-32", "dino-vit-b-16", "xclip-b-32", "raft-things", "amt-s")
    clips = [moving(9, 1, sound=True), moving(16, 2), still(5), moving(9, 1, sound=True)]
    case = Case(id="c", prompt="a red dog")
    alone = [told(scores(clip, case=case)) for clip in clips]
    for ahead in (0, 3):
        asked = [ClipToScore(MemorySource(clip), case) for clip in clips]
        together = score_clips(asked, list(METRICS), ahead=ahead)
        assert [told({score.metric: score for score in one.scores}) for one in together] == alone
    assert alone[0] == alone[3]
    assert alone[0]["vbench_subject_consistency"][1] == "ok"


# FastVideo


def test_a_path_may_be_plain_text(footage: Path) -> None:
    """FastVideo: the README's own strings crash: 'str' has no attribute 'shape'."""
    path = footage / "clip 1.mp4"
    metrics = [METRICS.get(name) for name in QUICK]
    first, second = (score_clip(open_clip(given), metrics) for given in (path, str(path)))
    assert [score.value for score in first.scores] == [score.value for score in second.scores]


def test_frames_of_another_rank_are_refused() -> None:
    """FastVideo: a batch of one clip, 5-D, has a flicker of 1."""
    frames = moving().frames_TCHW
    with pytest.raises(ValueError, match="T,3,H,W"):
        Clip(frames[None], 8.0)
    with pytest.raises(ValueError, match="T,3,H,W"):
        Clip(frames.transpose(0, 2, 3, 1), 8.0)
    metric = ClipMetric("temporal_flickering")
    for wrong in (frames, frames[None, None]):
        with pytest.raises(ValueError, match="B,T,3,H,W"):
            metric.update(torch.from_numpy(np.ascontiguousarray(wrong)))
    metric.update(torch.from_numpy(np.ascontiguousarray(frames))[None])
    assert metric.compute().item() == scores(moving(), ["temporal_flickering"])["temporal_flickering"].value < 1


def test_decoded_frames_are_let_go(pull_small: Pull) -> None:
    """FastVideo: every decoded clip stays referenced until the end, 48 of 48."""
    pull_small("clip-vit-b-32", "dino-vit-b-16", "raft-things", "amt-s")
    sources = [Watched(moving(20, seed)) for seed in range(2)]
    results = list(score_clips(map(ClipToScore, sources), list(METRICS)))
    gc.collect()
    for source in sources:
        assert len(source.alive) == 5
        assert source.most <= 2, "while it is streamed: the window in hand, and one that an accumulator may keep"
        assert not any(one() is not None for one in source.alive)
    assert len(results) == 2


def test_folders_are_paired_by_name_and_not_by_order(tmp_path: Path) -> None:
    """FastVideo: a ↔ b, b ↔ c, c ↔ d where one folder lacks the first."""
    for folder, names in (("one", "abc"), ("two", "bcd")):
        (tmp_path / folder).mkdir()
        for name in names:
            write_clip(moving(8, ord(name)), tmp_path / folder / f"{name}.mp4")
    run = sweep(tmp_path / "runs", {"one": tmp_path / "one", "two": tmp_path / "two"}, ["temporal_flickering"])
    clips = run.clips().set_index(["generator", "case"])
    for case in "abcd":
        for generator, held in (("one", "abc"), ("two", "bcd")):
            assert clips.loc[(generator, case), "status"] == ("ok" if case in held else "missing")
    for case in "bc":
        assert clips.loc[("one", case), "clip_sha256"] == clips.loc[("two", case), "clip_sha256"]
    difference = compare(run, "one", "two").metrics["temporal_flickering"]
    assert difference.cases == 2, "a clip without a partner is compared with none, and is no tie"
    assert difference.difference.value == 0


def test_a_clip_without_a_prompt_does_not_get_another_ones(footage: Path) -> None:
    """FastVideo: the command line falls back to the first prompt, and the first reference."""
    (footage / "clips.csv").write_text("file,prompt\nclip 1.mp4,a box\n")
    found = score_command(footage, "-m", "clip_score")
    reasons = {name: rows["clip_score"]["reason"] for name, rows in found.items()}
    assert reasons["clip 0.mp4"] == reasons["clip 2.mp4"] == "the clip has no prompt"
    assert "no prompt" not in reasons["clip 1.mp4"]
    assert {case.id: case.prompt for case in folder_cases(footage)}["clip-0"] == ""


def test_features_are_kept_by_the_clips_content(tmp_path: Path) -> None:
    """FastVideo: keyed by the extractor only, the first corpus wins; av-benchmark: by the folder, never renewed."""
    path, cache = tmp_path / "clip.mp4", tmp_path / "cache"
    found = []
    for seed in (0, 7, 0):
        write_clip(moving(16, seed), path)
        result = moviegen("score", "--json", "--cache", cache, "-m", "structure", "-m", "exposure", path)
        found.append([row["value"] for row in json.loads(result.stdout)["clips"][0]["rows"]])
    assert found[0] == found[2] != found[1]


def test_features_are_kept_by_the_networks_weights(part: Callable[..., Metric], tmp_path: Path) -> None:
    """FastVideo, av-benchmark: see above."""
    cache, source = FeatureCache(tmp_path), MemorySource(moving())
    for weights, x in (("a" * 64, 0.25), ("b" * 64, 0.75)):
        metric = part(lambda x=x: {"x": np.array([x])}, weights)
        result = score_clip(source, [metric], cache=cache)
        assert (result.scores[0].value, result.scores[0].encoder_sha256) == (x, weights)
        assert result.computed == ("probe",)
        never = part(lambda: {"x": np.array([1.0])}, weights)
        assert score_clip(source, [never], cache=cache).scores[0].value == x, "and are used again"


def test_a_failed_clip_is_no_tie_and_no_zero(footage: Path, tmp_path: Path) -> None:
    """FastVideo: a judge that fails is a tie; an answer that cannot be parsed is 0."""
    broken = tmp_path / "broken"
    shutil.copytree(footage, broken)
    (broken / "clip 1.mp4").write_bytes((footage / "clip 1.mp4").read_bytes()[:200])
    run = sweep(tmp_path / "runs", {"whole": footage, "broken": broken}, ["frozen_frames"])
    difference = compare(run, "whole", "broken").metrics["frozen_frames"]
    assert (difference.cases, difference.wins, difference.ties, difference.losses) == (2, 0, 2, 0)
    cell = {row.generator: row for row in build_board([run]).rows}["broken"].metrics["frozen_frames"]
    assert (cell.scored, cell.failed, cell.expected) == (2, 1, 3)


# av-benchmark, and the engines


@pytest.mark.parametrize("length", [21, 30, 120])
def test_long_names_are_kept_apart(tmp_path: Path, length: int) -> None:
    """av-benchmark: `clean_sample_name` cuts stems of 20, 21 and 30 characters: 4 of 5 matching pairs are dropped."""
    stems = [f"{'x' * (length - 1)}{number}" for number in range(5)]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for number, stem in enumerate(stems):
            write_clip(moving(4, number), tmp_path / folder / f"{stem}.mp4")
    assert len({case.id for case in folder_cases(tmp_path / "one")}) == 5
    run = sweep(tmp_path / "runs", {"one": tmp_path / "one", "two": tmp_path / "two"}, ["temporal_flickering"])
    assert compare(run, "one", "two").metrics["temporal_flickering"].cases == 5


def test_only_what_was_asked_for_is_computed(footage: Path) -> None:
    """av-benchmark: `--skip_*` is not passed on, and all networks are loaded."""
    result = score_clip(open_clip(footage / "clip 0.mp4"), [METRICS.get("temporal_flickering")])
    assert result.computed == ("frame_changes",)
    found = score_command(footage, "-m", "temporal_flickering")
    assert {tuple(rows) for rows in found.values()} == {("temporal_flickering",)}


def test_a_corrupt_file_is_a_failure_and_no_other_file_stands_in(footage: Path) -> None:
    """VBench: flicker drops it, all else stops; av-benchmark reads the next file instead."""
    chosen = [word for name in QUICK for word in ("-m", name)]
    whole = score_command(footage, *chosen)
    damaged = footage / "clip 1.mp4"
    damaged.write_bytes(damaged.read_bytes()[:300])
    (footage / "clip 2 empty.mp4").write_bytes(b"")
    found = score_command(footage, *chosen)
    assert list(found) == ["clip 0.mp4", "clip 1.mp4", "clip 2 empty.mp4", "clip 2.mp4"]
    for name in ("clip 1.mp4", "clip 2 empty.mp4"):
        assert {(row["status"], row["value"]) for row in found[name].values()} == {("failed", None)}
        assert all(row["reason"] for row in found[name].values())
    for name in ("clip 0.mp4", "clip 2.mp4"):
        assert found[name] == whole[name]


def test_repeating_frames_gains_nothing_unnoticed() -> None:
    """VBench's users: re-encoding 8 as 24 frames a second "helps close the gap"."""
    slow = moving(16)
    fast = Clip(np.repeat(slow.frames_TCHW, 3, axis=0), 24.0)
    result = score_clip(MemorySource(fast), list(METRICS))
    assert result.facts is not None
    assert "duplicated_frames" in {found.metric for found in findings(result.info, result.facts, result.scores)}


def test_a_frozen_clip_wins_nothing_where_motion_is_asked_for() -> None:
    """FastVideo PR 1727: frozen and looping clips pass."""
    features = {"dino_b16_frames": {"features_TD": np.ones((16, 4), np.float32)}}
    turning_T = 0.02 * np.arange(16)
    less = {"dino_b16_frames": {"features_TD": np.column_stack([np.cos(turning_T), np.sin(turning_T)])}}
    names = ["vbench_subject_consistency", "moving_subject_consistency"]
    frozen, alive = scores(still(), names, cache=Given(features)), scores(moving(), names, cache=Given(less))
    assert frozen["vbench_subject_consistency"].value == 1.0 > alive["vbench_subject_consistency"].value
    assert frozen["moving_subject_consistency"].value == 0.0
    assert alive["moving_subject_consistency"].value > 0.5


# Distances between sets of clips


def distances(clips: Path, real: Path, cache: Path) -> dict[str, dict[str, Any]]:
    """Set metric → its row, of `moviegen score`."""
    chosen = ["-m", "fvd", "-m", "fvd_limit"]
    result = moviegen("score", "--json", "--cache", cache, "--workers", "1", "--real", real, *chosen, clips)
    assert result.exit_code == 0, result.output
    return {row["metric"]: row for row in json.loads(result.stdout)["sets"]}


@pytest.fixture
def sets(tmp_path: Path, pull_small: Pull) -> dict[str, Path]:
    """Folders of clips: five, four others, and one alone."""
    pull_small("i3d-k400")
    folders = {"five": range(5), "four": range(10, 14), "one": range(1)}
    for name, seeds in folders.items():
        (tmp_path / name).mkdir()
        for seed in seeds:
            write_clip(moving(16, seed), tmp_path / name / f"{seed}.mp4")
    return {name: tmp_path / name for name in folders}


@pytest.mark.slow  # fast twins: tests/benchmarks/test_sets.py, tests/eval/sets/test_peers_faults.py
def test_the_command_line_measures_sets_and_each_reference_has_its_own_distance(
    sets: dict[str, Path], tmp_path: Path
) -> None:
    """FastVideo: its command line cannot run set metrics, and the first corpus stays in the cache for all others.

    cmvq asks for equal counts, and av-benchmark says NaN of fewer than ten clips: here a value that is not ranked.
    """
    cache = tmp_path / "cache"
    found = [distances(sets["five"], sets[real], cache)["fvd"] for real in ("five", "four")]
    assert found[0]["value"] == pytest.approx(0, abs=1e-3)
    assert found[1]["value"] > 1
    assert [one["reason"][:20] for one in found] == ["not ranked: 5 sample", "not ranked: 4 sample"]


def test_a_set_of_one_clip_has_no_distance(sets: dict[str, Path], tmp_path: Path) -> None:
    """av-benchmark: a Fréchet distance that fails is −1."""
    for row in distances(sets["one"], sets["five"], tmp_path / "cache").values():
        assert row["value"] is None, row
        assert row["reason"], row
