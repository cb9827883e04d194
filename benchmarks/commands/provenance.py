"""`moviegen audit provenance` and `moviegen keys`: content credentials, read and made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import err, errors, out, say, table

if TYPE_CHECKING:
    from safety.provenance.audit import Experiment, ProvenanceAudit
    from safety.provenance.offline import Anchors

keys = typer.Typer(help="Keys that sign clips (generate --sign).", no_args_is_help=True, rich_markup_mode=None)


def provenance(
    folder: Annotated[Path, typer.Argument(help="folder of clips")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="folder for the report; a run's own clips have a place for it in the run"),
    ] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="PEM file of root certificates you trust; default: nobody is trusted")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="CSV of what marks and detectors found: file, mark, detector, message_sha256")
    ] = None,
    launder: Annotated[bool, typer.Option("--launder", help="also send copies through chains of laundering")] = False,
    launder_clips: Annotated[int, typer.Option(min=1, help="with --launder: clips drawn at random")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="with --launder: of the draw")] = 0,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document on standard output, nothing else there")
    ] = False,
) -> None:
    """Which clips carry valid content credentials (C2PA), which lost them, which contradict their mark. Offline.

    The report is one HTML file that opens anywhere; beside it lie the table (Parquet) and all figures (JSON).
    """
    with errors():
        from benchmarks.clip_files import find_clips
        from benchmarks.commands.progress import bar
        from benchmarks.provenance_audits import home_of
        from safety.provenance.audit import audit_clips, read_pictures, summarise
        from safety.provenance.errors import ProvenanceError
        from safety.provenance.export import figures_json, write_audit
        from safety.provenance.offline import Anchors, read_anchors

        if not folder.is_dir():
            raise ProvenanceError(f"{folder}: there is no such folder; name one that holds clips")
        place = output or home_of(folder)
        if place is None:
            raise ProvenanceError(f"{folder} is no run's clips folder: where to put the report? -o report/")
        trusted = Anchors() if anchors is None else read_anchors(anchors)
        pictures = {} if evidence is None else read_pictures(evidence)
        paths = find_clips(folder)
        place.mkdir(parents=True, exist_ok=True)  # now, and not after the work, if it cannot be
        with bar("credentials", len(paths), "clips", quiet=as_json) as progress:
            clips = audit_clips(folder, paths, trusted, pictures, progress.to)
            progress.to(len(paths))
        experiment = None
        if launder:
            experiment = _launder(folder, paths, trusted, launder_clips, seed, confidence, quiet=as_json)
        audit = summarise(folder.resolve().name, trusted, clips, confidence, experiment)
        write_audit(audit, place)
        if as_json:
            typer.echo(figures_json(audit))
        else:
            _say(audit, place)


def _launder(
    folder: Path, paths: list[Path], anchors: Anchors, most: int, seed: int, confidence: float, *, quiet: bool
) -> Experiment:
    from benchmarks.commands.progress import bar
    from safety.provenance.audit import run_experiment

    with bar("laundering", min(most, len(paths)), "clips", quiet=quiet) as progress:
        found = run_experiment(folder, paths, anchors, most=most, seed=seed, confidence=confidence, step=progress.to)
        progress.to(min(most, len(paths)))
    return found


def _say(audit: ProvenanceAudit, folder: Path) -> None:
    from safety.provenance.page import counts_text, findings, share_text

    table(
        ("clip", "credentials", "verdict", "source type", "signer", "why"),
        [
            (
                clip.file,
                clip.report.state,
                clip.verdict.kind,
                ", ".join(name.rpartition("/")[2] for name in clip.report.source_types),
                clip.report.signer,
                "; ".join(filter(None, (clip.report.reason, *clip.verdict.contradictions))),
            )
            for clip in audit.clips
        ],
    )
    for state, share in audit.states.items():
        say(out(), f"{state}: {share_text(share)}")
    if audit.experiment is not None:
        table(
            ("chain", "clips", "credentials after", "the reader learns", "with a surviving mark"),
            [
                (
                    one.chain.name,
                    str(one.measured),
                    counts_text(one.states),
                    counts_text(one.outcomes),
                    counts_text(one.with_mark),
                )
                for one in audit.experiment.chains
            ],
        )
    for line in findings(audit)[1:]:
        say(out(), line)
    say(out(), f"report: {folder / 'report.html'}")


@keys.command("make")
def make(
    folder: Annotated[
        Path | None, typer.Argument(help="a new folder for the key; default: .moviegen/keys at home")
    ] = None,
    algorithm: Annotated[str, typer.Option(help="es256 or ed25519")] = "es256",
    name: Annotated[str, typer.Option(help="what the authority is called in its signatures")] = "",
    days: Annotated[int, typer.Option(min=1, help="how long the signer's certificate holds")] = 365,
) -> None:
    """Make a test authority: a root, and a key below it that signs clips. Only you can read them.

    Others trust its signatures once they have root.pem, which is no secret. The root's own key is thrown away.
    """
    with errors():
        from safety.provenance.authority import ALGORITHMS, ORGANISATION, make_authority
        from safety.provenance.errors import SigningKeyError
        from safety.provenance.keys import ROOT, default_folder, save_authority

        chosen = next((one for one in ALGORITHMS if one == algorithm), None)
        if chosen is None:
            raise SigningKeyError(f"unknown algorithm {algorithm!r}: {' or '.join(ALGORITHMS)}")
        place = default_folder() if folder is None else folder
        save_authority(make_authority(chosen, organisation=name or ORGANISATION, days=days), place)
        say(out(), f"{place}: a key that signs clips for {days} days: moviegen generate … --sign {place}")
        say(out(), f"whoever is to trust it needs {place / ROOT}: moviegen audit provenance … --anchors {place / ROOT}")


@keys.command("show")
def show(
    folder: Annotated[Path | None, typer.Argument(help="folder of the key; default: .moviegen/keys at home")] = None,
) -> None:
    """Check a key as signing does, and say who signs with it, how, and until when."""
    with errors():
        from safety.provenance.keys import default_folder, load_signing_key

        place = default_folder() if folder is None else folder
        key = load_signing_key(place)
        for warning in key.warnings:
            say(err(), f"warning: {warning}")
        say(out(), f"{place}: {key.signer}, {key.algorithm}, until {key.expires:%Y-%m-%d}")
