"""The README's table is the registry's."""

from __future__ import annotations

from pathlib import Path

from safety.watermark.attacks import catalogue


def test_the_readme_lists_the_attacks_that_there_are() -> None:
    readme = Path(catalogue.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert catalogue.markdown_table() in readme, "run python -m safety.watermark.attacks.catalogue, and paste"


def test_attacks_with_models_are_somebody_elses() -> None:
    import benchmarks.model_attacks  # noqa: F401 - adds its own

    assert not {"tae-roundtrip", "regenerate"} & {attack.name for attack in catalogue.own_attacks()}
    assert len(catalogue.own_attacks()) > 60
