"""What tests of several folders share: a small run with real clips, a server over it, and untrained weights.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parent.parent

HOSTILE_PROMPT = (
    "<img src=x onerror=\"document.title='owned'\"> ![track](http://tracker.invalid/a.png)\n"
    "# not a heading <script>document.title='owned'</script> **not bold** :material/bolt: $x^2$ 🦊"
)
HOSTILE_NAME = "=cmd|'/C calc'!A0 <b>bold</b> ![x](http://tracker.invalid/b.png)"
PROMPTS = {
    "case-1": "A red fox trots through fresh snow at dawn, breath steaming.",
    "case-2": "A glass falls from a table and breaks on the floor.",
    "case-3": HOSTILE_PROMPT,
    "case-4": "Waves roll onto a black beach while gulls cry.",
    "case-5": "A chef flips a pancake; it lands with a slap.",
    "case-6": "A kite pulls hard against a grey sky.",
    "case-7": "Two dancers turn slowly in an empty hall.",
    "case-8": "Rain runs down a tram window at night.",
}
METRICS = [
    ("steadiness", "temporal", "1", 0.0, 1.0, "higher"),
    ("motion_amount", "motion", "1/s", 0.0, float("inf"), "band"),
    ("blockiness", "picture", "1", 0.0, 1.0, "lower"),
    ("onset_synchrony", "synchrony", "1", -1.0, 1.0, "higher"),
]
GENERATORS = {"oracle": ("ceiling", 0.93), "aurora-xl": ("", 0.82), "brook": ("", 0.81), "cedar-mini": ("", 0.64),
              HOSTILE_NAME: ("", 0.55), "noise": ("floor", 0.1)}  # fmt: skip
SEEDS = (0, 1)


def _suite():
    metrics = [{"name": name} for name, *_ in METRICS]
    quantiles = {"motion_amount": {"version": 1, "q05": 0.2, "q50": 0.5, "q95": 0.8, "clips": 8}}
    return {
        "name": "tiny", "version": 1, "description": "Eight cases for tests.", "seeds": list(SEEDS), "metrics": metrics,
        "minimum_coverage": 0.9, "cases": [{"id": case, "prompt": prompt} for case, prompt in PROMPTS.items()],
        "reference": {"made_by": "test", "clips": 8, "clips_sha256": "0" * 64, "quantiles": quantiles},
    }  # fmt: skip


def _manifest(run, created):
    from benchmarks.manifest import CodeFacts, EnvironmentFacts, GeneratorFacts, Manifest, MetricFacts
    from benchmarks.suite import Suite

    suite = Suite.model_validate(_suite(), context={"stored": True})
    facts = [
        MetricFacts(name=name, version=1, family=family, unit=unit, low=low, high=high, direction=direction,
                    source="Written for tests.", summary=f"How much {name.replace('_', ' ')} a clip has.",
                    blind_spots="Everything else.")
        for name, family, unit, low, high, direction in METRICS
    ]  # fmt: skip
    return Manifest(
        run=run, created=created, suite_name=suite.name, suite_version=suite.version, suite_hash=suite.sha256,
        suite=suite.model_dump(mode="json"), metrics=tuple(facts),
        generators=tuple(GeneratorFacts(name=name, bracket=bracket) for name, (bracket, _) in GENERATORS.items()),
        code=CodeFacts(version="0.1.0"), environment=EnvironmentFacts(python="3.11", platform="test", cpu_count=1),
        planned_units=len(GENERATORS) * len(PROMPTS) * len(SEEDS), status="complete",
    )  # fmt: skip


def _clip(number):
    """A bright square that walks across, with a tone, two seconds long."""
    from eval.clip import Clip

    frames_THWC = np.zeros((24, 96, 160, 3), np.uint8)
    frames_THWC[...] = (20 + 30 * (number % 5), 40, 90)
    for time_index in range(24):
        left = (time_index * (2 + number)) % 136
        frames_THWC[time_index, 36:60, left : left + 24] = (240, 200, 60 + 25 * (number % 7))
    seconds_N = np.arange(32_000) / 16_000
    audio_CN = (0.1 * np.sin(2 * np.pi * (220 + 40 * number) * seconds_N)).astype(np.float32)[None]
    return Clip(frames_THWC.transpose(0, 3, 1, 2), 12.0, audio_CN, 16_000)


def _scores(quality, rng, *, failed):
    from eval.planner import Score

    values = np.clip(quality + rng.normal(0, 0.06, len(METRICS)), 0, 1)
    values[2] = 1 - values[2]
    scores = [Score(name, 1, float(v), "ok") for (name, *_), v in zip(METRICS, values, strict=True)]
    if failed:
        scores[3] = Score("onset_synchrony", 1, None, "failed", "the decoder stopped at frame 7 of 24")
    return scores


def _units(writer, folder):
    """Every unit of the run; the last case of cedar-mini has no clip, two rows of brook failed."""
    from benchmarks.clip_store import adopt_clip
    from benchmarks.records import UnitResult
    from eval.hashing import file_sha256
    from eval.planner import Score
    from eval.video.write import write_clip

    rng = np.random.default_rng(7)
    for number, (generator, (_, quality)) in enumerate(GENERATORS.items()):
        path = folder / f"{number}.mp4"
        write_clip(_clip(number), path)
        sha256 = file_sha256(path)
        name = adopt_clip(writer.folder, path, sha256)
        for case, prompt in PROMPTS.items():
            for seed in SEEDS:
                if (generator, case) == ("cedar-mini", "case-4"):
                    gone = [Score(metric, 1, None, "missing", "no clip: over quota") for metric, *_ in METRICS]
                    yield UnitResult(generator, case, seed, gone, status="missing", reason="over quota", prompt=prompt)
                    continue
                failed = (generator, case) == ("brook", "case-2")
                yield UnitResult(generator, case, seed, _scores(quality, rng, failed=failed), sha256, name,
                                 prompt=prompt, width=160, height=96, fps=12.0, duration_s=2.0, has_audio=True,
                                 frames=24)  # fmt: skip


def make_small_run(root, run="tiny-run", created=datetime(2026, 11, 1, 12, tzinfo=UTC)):
    """Write a run of six generators, eight cases and two seeds, through the store; returns its folder."""
    from benchmarks.store import RunWriter

    with RunWriter.create(root / run, _manifest(run, created)) as writer:
        scratch = root.parent / f"scratch-{run}"
        scratch.mkdir()
        for unit in _units(writer, scratch):
            writer.add(unit)
    return root / run


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory):
    """A runs folder that holds one small run, `tiny-run`. Read-only: copy it to change it."""
    root = tmp_path_factory.mktemp("small") / "runs"
    root.mkdir()
    make_small_run(root)
    return root


@pytest.fixture(scope="session")
def small_run_maker():
    """make_small_run, for tests that need another run."""
    return make_small_run


@pytest.fixture(scope="session")
def small_generators():
    """Name → (bracket, how good it is) of the small run's generators."""
    return GENERATORS


@pytest.fixture(scope="session")
def hostile():
    """The prompt of case-3 and the name of a generator in the small run: both try to be more than text."""
    return HOSTILE_PROMPT, HOSTILE_NAME


@pytest.fixture(scope="session")
def dashboard(small_runs):
    """The address of a dashboard over `small_runs`, served by a process of its own; and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = (
        f"from pathlib import Path; from dashboards.serve import serve; serve(Path({str(small_runs)!r}), port={port})"
    )
    server = subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, server)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url, server):
    for _ in range(240):
        assert server.poll() is None, f"the dashboard stopped with {server.returncode}"
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()
            return
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the dashboard did not start in 60 s")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """A folder with weights as they are shipped, untrained: reference, reference-early, tae-f8t4 and tae-f8t8."""
    import torch

    from eval.weights import Header, save_weights
    from moviegen.networks.tae import PRESETS, TAE
    from moviegen.networks.video_model import VideoModel
    from moviegen.presets import tiny
    from moviegen.video_weights import save_video

    folder, preset = tmp_path_factory.mktemp("weights"), tiny()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name in ("reference", "reference-early"):
            model = VideoModel(preset.transformer, preset.text)
            for parameter in model.parameters():  # gates start at zero, and everything would look the same
                if not parameter.any():
                    torch.nn.init.normal_(parameter, std=0.05)
            save_video(folder / f"{name}.safetensors", model, preset, {"steps": 0})
        for name, config in PRESETS.items():
            tensors = TAE(config).state_dict()
            save_weights(folder / f"tae-{name}.safetensors", tensors, Header("tae", name), {"steps": 0})
    return folder


@pytest.fixture
def shipped_untrained(untrained, monkeypatch):
    """The untrained weights in the place of those that are shipped, in this process; one thread."""
    import torch

    import moviegen.weights

    monkeypatch.setattr(moviegen.weights, "FOLDER", untrained)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield untrained
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def checkpoints():
    """The module that writes small open networks (tests/eval/encoders/open/checkpoints.py). Imports transformers."""
    import importlib.util

    path = Path(__file__).parent / "eval" / "encoders" / "open" / "checkpoints.py"
    spec = importlib.util.spec_from_file_location("small_checkpoints", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def written_encoders(tmp_path_factory):
    """Where `pull_small` keeps what it wrote, for the whole session."""
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture
def pull_small(checkpoints, written_encoders, tmp_path, monkeypatch):
    """pull_small("clip-vit-b-32", …) puts small random networks into this test's weights folder; gives the folder.

    In the real on-disk formats, under the names of the published ones, whose expected sizes they replace.
    """
    import shutil

    from eval.encoders.device import VARIABLE as DEVICE
    from eval.encoders.folder import VARIABLE
    from eval.encoders.open.architectures import ARCHITECTURES

    folder = tmp_path / "weights-folder"
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setenv(DEVICE, "cpu")

    def pull(*names):
        for name in names:
            if not (written_encoders / name).exists():
                checkpoints.write(name, written_encoders)
            shutil.copytree(written_encoders / name, folder / name)
            checkpoints.lock_folder(name, folder)
            if name in ARCHITECTURES:
                monkeypatch.setitem(ARCHITECTURES, name, checkpoints.facts(name, folder))
        return folder

    return pull


def _audit_facts(**changes):
    from dataclasses import replace

    from benchmarks.bias.audit import Facts, Prompt

    plain = Facts(
        generator="simulated", version="1", bracket="", run="a-run", suite="bias-occupations", suite_version=1,
        suite_hash="0" * 64, created="2026-11-23 12:00 UTC", swept="2026-11-23 11:00 UTC", code="0.1.0", packages={},
        pack="backlot-faces", pack_sha256="1" * 64, pack_card={}, reader="900 clips",
        right_by_tone={"presentation": {"light": (0.97, 300), "dark": (0.8, 300)}},
        thresholds={"presentation": 0.65, "age_bounds_years": (22, 52)},
        sources={"quality": "motion_coherence", "alignment": "backlot_prompt_accuracy"},
        prompts=(Prompt("p0", "neutral", HOSTILE_PROMPT, (0, 1)),), clips_sha256="2" * 64, looked_at=100, faces=800,
        rerun="moviegen audit bias -g simulated", cautions=(),
    )  # fmt: skip
    return replace(plain, **changes)


def make_audit(world, dose, **changes):
    """The outcome of a bias audit of a simulated world, as `moviegen audit bias` would have it; no clip is made."""
    from benchmarks.bias.audit import Outcome, cautions
    from benchmarks.bias.plan import SERVICE_MARGINS, questions
    from safety.bias.audit import audit
    from safety.bias.plan import AuditPlan
    from safety.bias.worlds import worlds

    sample = next(known for known in worlds() if known.name == world).sample(dose, np.random.default_rng(0))
    plan = AuditPlan(
        axes=("presentation", "skin_tone"), questions=questions(None, sample.mixture), service_margins=SERVICE_MARGINS,
        mixture=sample.mixture,
    )  # fmt: skip
    report = audit(sample.table, plan)
    facts = _audit_facts(cautions=cautions(report, "partial"), **changes)
    return Outcome(facts, plan, report, sample.table)


@pytest.fixture(scope="session")
def audit_maker():
    """make_audit, for tests of reports and pages."""
    return make_audit
