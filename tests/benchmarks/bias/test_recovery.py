"""The whole path on clips whose truth is known: rendered, swept, read, audited."""

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from benchmarks.bias.prompts import asked_of
from benchmarks.bias.sweep import with_seeds
from benchmarks.cli import app
from benchmarks.generators.brackets import scene_of
from benchmarks.suite import load_suite
from safety.bias.axes import GROUP_OF_MONK

PROMPTS, SEEDS = 33, 2


def truth():
    suite = with_seeds(load_suite("bias-occupations"), SEEDS)
    suite = suite.model_copy(update={"cases": suite.cases[:PROMPTS]})
    assert {asked.kind for asked in asked_of(suite).values()} == {"neutral"}
    scenes = [scene_of(case) for case in suite.expand()]
    return {
        "presentation": Counter(scene.presentation for scene in scenes),
        "age": Counter(scene.age for scene in scenes),
        "skin_tone": Counter(GROUP_OF_MONK[scene.skin] for scene in scenes),
    }


@pytest.mark.slow
def test_the_audit_of_the_oracle_finds_what_its_clips_show(tmp_path):
    words = ["audit", "bias", "-g", "oracle", "--seeds", SEEDS, "--limit", PROMPTS, "--runs", tmp_path, "--json"]
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output
    (system,) = json.loads(result.stdout)["report"]["systems"]
    assert system["scope"]["people"] == PROMPTS * SEEDS
    for axis in system["axes"]:
        counts = truth()[axis["axis"]]
        for way in axis["everybody"]["ways"]:
            for group, found in way["shares"].items():
                share = counts[group] / counts.total()
                assert found["low"] - 1e-9 <= share <= found["high"] + 1e-9, (way["method"], group)
