"""The table of attacks as the README has it: `python -m safety.watermark.attacks.catalogue` prints it."""

from __future__ import annotations

from safety.watermark.attacks.attack import ATTACKS, Attack

FAMILIES = ("spatial", "photometric", "codec", "temporal", "combined", "sound", "removal")
_HERE = __name__.rpartition(".")[0]


def own_attacks() -> list[Attack]:
    """The attacks of this package, family by family; others (with models) may have joined the registry."""
    own = [attack for attack in ATTACKS if attack.apply.__module__.startswith(_HERE)]
    return sorted(own, key=lambda attack: (FAMILIES.index(attack.family), attack.name))


def markdown_table() -> str:
    """One line for each attack."""
    lines = ["| attack | what is done | unit | ladder, mild to strong | after |", "| --- | --- | --- | --- | --- |"]
    family = ""
    for attack in own_attacks():
        if attack.family != family:
            family = attack.family
            lines.append(f"| **{family}** | | | | |")
        ladder = " ".join(f"{strength:g}" for strength in attack.ladder)
        seeded = ", seeded" if attack.random else ""
        lines.append(f"| `{attack.name}` | {attack.summary}{seeded} | {attack.unit} | {ladder} | {attack.source} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
