"""`moviegen train`: the reference model's parts, each trained on the Backlot; a stopped training goes on by itself."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import INTERRUPTED, err, errors, fail, say

if TYPE_CHECKING:
    import torch

    from moviegen.networks.tae import TAE
    from moviegen.networks.video_model import Features
    from moviegen.presets import Preset
    from moviegen.training.video_run import Trained, VideoRun

train = typer.Typer(
    help="Train the reference model. The same command again goes on where a stopped training was.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

FolderOption = Annotated[Path | None, typer.Option(help="checkpoints, logs, samples; default: runs/train/…")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="weights to write; default: in the folder")]
StepsOption = Annotated[int | None, typer.Option(min=1, help="of the optimiser; default: the preset's")]
MinutesOption = Annotated[float | None, typer.Option(min=0, help="stop after so long in all, and write the weights")]
SeedOption = Annotated[int, typer.Option(min=0, help="of weights, order and noise")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="of the processor; default: all cores")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="no progress bar")]


@train.command("tae")
def tae(
    preset: Annotated[str, typer.Option(help="f8t4 or f8t8")] = "f8t4",
    folder: FolderOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    clips: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="training scenes; default: 1500")] = None,
    outlier: Annotated[float, typer.Option(min=0, help="weight of the outlier penalty; 0: off")] = 0.0,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="steps between checkpoints")] = 50,
    validate_every: Annotated[int, typer.Option(min=1, help="steps between validations, with pictures")] = 200,
    quiet: QuietOption = False,
) -> None:
    """Train the Temporal Autoencoder on Backlot scenes, on the processor; write weights and their card."""
    with errors():
        from dataclasses import replace

        from moviegen.training.tae import TAETraining, train_tae

        _known_tae(preset)
        _threads(threads)
        usual = TAETraining()
        training = replace(
            usual,
            preset=preset,
            steps=steps or usual.steps,
            seed=seed,
            loss=replace(usual.loss, outlier=outlier),
            data=replace(usual.data, clips=clips or usual.data.clips, seed=seed),
        )
        home = folder or Path("runs/train") / f"tae-{preset}"
        with _quiet_lightning(home):
            train_tae(
                training,
                home,
                output=output,
                minutes=minutes,
                validate_every=validate_every,
                save_every=checkpoint_every,
                progress=not quiet,
            )


def _known_tae(name: str) -> None:
    from moviegen.networks.tae import PRESETS
    from moviegen.training.tae import TAETrainingError

    if name not in PRESETS:
        raise TAETrainingError(f"unknown autoencoder preset '{name}': {' or '.join(PRESETS)}")


@train.command("video")
def video(
    preset: Annotated[str, typer.Option(help="tiny, small, base, 5b or 30b")] = "tiny",
    folder: FolderOption = None,
    output: OutputOption = None,
    tae: Annotated[Path | None, typer.Option(help="autoencoder's weights; default: the shipped ones")] = None,
    clips: Annotated[int, typer.Option(min=1, help="training scenes in the latent cache")] = 20_000,
    cache: Annotated[
        Path | None, typer.Option(help="latent cache, made where missing; default: FOLDER/latents")
    ] = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1.0, help="its peak; default: the preset's")
    ] = None,
    images: Annotated[
        float | None, typer.Option(min=0, max=1, help="share of the steps that go to images; default: the preset's")
    ] = None,
    seed: SeedOption = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    compiled: Annotated[bool, typer.Option("--compile", help="blocks through torch.compile")] = False,
    gpus: Annotated[
        int | None, typer.Option(min=1, help="that share the training; default: 1, for --plan 1024")
    ] = None,
    tensor_parallel: Annotated[int, typer.Option(min=1, help="GPUs in a tensor-parallel group")] = 1,
    threads: ThreadsOption = None,
    workers: Annotated[int, typer.Option(min=0, help="processes that render the cache; 0: in this one")] = 2,
    text_encoders: Annotated[
        Path | None, typer.Option(help="folder with ul2, metaclip and byt5, for presets that read through them")
    ] = None,
    early: Annotated[Path | None, typer.Option(help="also write the weights from early in the training here")] = None,
    early_share: Annotated[float, typer.Option(min=0, max=1, help="how early, as a share of the steps")] = 0.1,
    half: Annotated[bool, typer.Option("--half", help="write weights as float16: half the size")] = False,
    new_length: Annotated[
        bool, typer.Option("--new-length", help="go on in a folder of a run of another number of --steps")
    ] = False,
    start: Annotated[
        Path | None, typer.Option(help="weights that a new training begins with; default: random ones")
    ] = None,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="steps between checkpoints")] = 200,
    validate_every: Annotated[int, typer.Option(min=1, help="steps between validations, with samples")] = 500,
    quiet: QuietOption = False,
    plan: Annotated[bool, typer.Option("--plan", help="train nothing: say what it would take on --gpus GPUs")] = False,
    utilisation: Annotated[float, typer.Option(min=0.01, max=1.0, help="for --plan: of the GPUs' peak")] = 0.4,
) -> None:
    """Train the video model: cache the latents of Backlot scenes, train on them, write weights and their card."""
    with errors():
        if plan:
            _print_plan(preset, gpus or 1024, utilisation)
            return
        from moviegen.presets import preset as named
        from moviegen.training.video_run import VideoRun, check_folder, with_recipe, with_steps

        config = with_recipe(named(preset), learning_rate, images)
        if steps is not None:
            config = with_steps(config, steps)
        where, devices = _device(device), gpus or 1
        _threads(threads)
        _check_devices(config, where, devices, tensor_parallel)
        _check_compiler(where, compiled=compiled)
        autoencoder, autoencoder_id = _autoencoder(tae, config)
        home = folder or Path("runs/train") / f"video-{preset}"
        run = VideoRun(
            cache or home / "latents",
            autoencoder_id,
            home,
            checkpoint_every=checkpoint_every,
            validate_every=validate_every,
            minutes=minutes,
            seed=seed,
            device=where,
            compiled=compiled,
            devices=devices,
            tensor_parallel=tensor_parallel,
            new_length=new_length,
            start=start,
        )
        check_folder(config, run)  # before the cache is made, which may take an hour
        encoders = _encoders(config, text_encoders)
        quiet = quiet or not _first_process()
        _make_cache(config, run, autoencoder, clips, workers, quiet=quiet)
        trained = _train_video(config, run, autoencoder, encoders, quiet=quiet)
        files = _Files(output or home / f"video-{preset}.safetensors", early, early_share, half)
        if _first_process():
            _export_video(config, run, trained, files)


@dataclass(frozen=True, slots=True)
class _Files:
    """Which weights are written, and how."""

    final: Path
    early: Path | None
    early_share: float
    half: bool

    @property
    def dtype(self) -> torch.dtype:
        import torch

        return torch.float16 if self.half else torch.float32


def _print_plan(preset: str, gpus: int, utilisation: float) -> None:
    from moviegen.plan import plan

    typer.echo(str(plan(preset, gpus, utilisation=utilisation)))


def _device(name: str) -> str:
    import torch

    from moviegen.training.video_run import TrainingError

    there = torch.cuda.is_available()
    if name not in {"auto", "cpu", "cuda"}:
        raise TrainingError(f"unknown device '{name}': auto, cpu or cuda")
    if name == "cuda" and not there:
        raise TrainingError("no CUDA GPU here: take --device cpu")
    return "cuda" if there and name != "cpu" else "cpu"


def _first_process() -> bool:
    """Lightning starts this very command once more for each further GPU, with its number in the environment."""
    return int(os.environ.get("LOCAL_RANK", "0")) == 0


def _threads(threads: int | None) -> None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)


def _check_devices(config: Preset, device: str, count: int, tensor_parallel: int) -> None:
    """Refuse at once what cannot fit: Linux would kill the process after minutes, without a word."""
    import torch

    from moviegen.plan import training_bytes
    from moviegen.training.sharding import check_sharding
    from moviegen.training.video_run import TrainingError, memory_bytes

    there = torch.cuda.device_count() if device == "cuda" else 0
    if count > max(1, there):
        raise TrainingError(f"--gpus {count}: there are {there} here (what more would take: --plan)")
    check_sharding(config.transformer, config.recipe.batch, count, tensor_parallel)
    needed, there = training_bytes(config), count * memory_bytes(device)
    if needed > there:
        raise TrainingError(
            f"training {config.name} takes {needed / 1e9:,.1f} GB for its weights alone, and there are "
            f"{there / 1e9:,.1f} GB: take a smaller preset or more GPUs (what it would take: --plan)"
        )


def _check_compiler(device: str, *, compiled: bool) -> None:
    from moviegen.training.video_run import TrainingError, has_compiler

    if compiled and device == "cpu" and not has_compiler():
        raise TrainingError("--compile needs a C++ compiler on a processor: install g++, or leave it away")


def _autoencoder(path: Path | None, config: Preset) -> tuple[TAE, str]:
    from eval.weights import WeightsError
    from moviegen.video_weights import autoencoder_id
    from moviegen.weights.tae import load_tae

    try:
        tae = load_tae(path, name=config.compression.tae)
    except WeightsError as error:
        hint = "" if path else "; train one (moviegen train tae) and name it with --tae"
        raise WeightsError(f"{error}{hint}") from None
    channels = config.latent_channels
    if tae.config.latent_channels < channels:
        raise WeightsError(
            f"{path or 'the shipped autoencoder'} has {tae.config.latent_channels} latent channels; preset "
            f"{config.name} takes {channels}: name another with --tae"
        )
    return tae, autoencoder_id(tae)


def _encoders(config: Preset, folder: Path | None) -> Features | None:
    from moviegen.networks.open_text import OpenText, OpenTextConfig, load
    from moviegen.training.video_run import TrainingError

    if not isinstance(config.text, OpenTextConfig):
        return None
    if folder is None:
        raise TrainingError(f"preset {config.name} reads prompts through UL2, MetaCLIP and ByT5: give --text-encoders")
    names = ("ul2", "metaclip", "byt5")
    branches = [load(encoder, folder / name) for encoder, name in zip(config.text.encoders, names, strict=True)]
    return OpenText(branches)


def _make_cache(config: Preset, run: VideoRun, tae: TAE, clips: int, workers: int, *, quiet: bool) -> None:
    from benchmarks.commands.progress import bar
    from moviegen.training.latent_cache import clip_count, make_cache

    with bar("latents", clip_count(config, clips), "clips", quiet=quiet) as progress:
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            progress.to(done)

        make_cache(
            config,
            tae.to(run.device),
            run.autoencoder_id,
            run.cache,
            clips,
            workers=workers,
            device=run.device,
            on_clips=count,
        )


def _train_video(config: Preset, run: VideoRun, tae: TAE, encoders: Features | None, *, quiet: bool) -> Trained:
    from benchmarks.commands.progress import bar
    from moviegen.training.video_run import train_video

    if not quiet:
        say(err(), f"{config.name} in {run.out}: loss curves in logs/ and tensorboard/, samples in samples/")
    with bar(f"video {config.name}", config.recipe.steps, "steps", quiet=quiet) as progress, _quiet_lightning(run.out):
        return train_video(config, run, tae, encoders, on_step=lambda step, loss: progress.to(step, f"loss {loss:.4f}"))


def _export_video(config: Preset, run: VideoRun, trained: Trained, files: _Files) -> None:
    from moviegen.training.video_export import export_early, export_final

    export_final(config, run, trained, files.final, files.dtype)
    typer.echo(f"wrote {files.final}: {trained.steps} steps, {trained.clock.minutes:.1f} minutes in all")
    if files.early is not None:
        export_early(config, run, files.early, trained.clock.hardware, files.dtype, files.early_share)
        typer.echo(f"wrote {files.early}: from early in the same training")


@contextmanager
def _quiet_lightning(folder: Path) -> Iterator[None]:
    """Without Lightning's notes on hardware and advice on workers; its way out of Ctrl-C in our words."""
    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except SystemExit:
            fail(f"interrupted; the same command goes on from the last checkpoint in {folder}", INTERRUPTED)


@train.command("reader")
def reader(
    folder: FolderOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    clips: Annotated[int | None, typer.Option(min=1, help="training scenes; default: 12800")] = None,
    clips_folder: Annotated[
        Path | None, typer.Option(help="where rendered clips are kept; default: FOLDER/clips")
    ] = None,
    held_out: Annotated[int | None, typer.Option(min=1, help="scenes of the figures; default: 2048")] = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="steps between checkpoints")] = 50,
    validate_every: Annotated[int, typer.Option(min=1, help="steps between looks at held-out scenes")] = 100,
    quiet: QuietOption = False,
) -> None:
    """Train the reader of Backlot clips' attributes, on the processor; write weights and their card."""
    with errors():
        from dataclasses import replace

        from moviegen.training.reader import ReaderTraining, train_reader

        _threads(threads)
        usual = ReaderTraining()
        training = replace(
            usual,
            steps=steps or usual.steps,
            clips=clips or usual.clips,
            held_out=held_out or usual.held_out,
            watched=min(usual.watched, held_out or usual.held_out),
            seed=seed,
        )
        home = folder or Path("runs/train/reader")
        with _quiet_lightning(home):
            train_reader(
                training,
                home,
                clips=clips_folder,
                output=output,
                minutes=minutes,
                validate_every=validate_every,
                save_every=checkpoint_every,
                progress=not quiet,
            )


@train.command("encoder")
def encoder(
    folder: FolderOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    clips: Annotated[int | None, typer.Option(min=2, help="training scenes; default: 19200")] = None,
    clips_folder: Annotated[
        Path | None, typer.Option(help="where rendered clips are kept, the reader's too; default: FOLDER/clips")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="clips in a step; default: 256")] = None,
    galleries: Annotated[
        int | None, typer.Option(min=1, help="of 256 held-out scenes, of the figures; default: 4")
    ] = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="steps between checkpoints")] = 100,
    validate_every: Annotated[int, typer.Option(min=1, help="steps between looks at held-out scenes")] = 100,
    quiet: QuietOption = False,
) -> None:
    """Train the encoder of Backlot clips and texts, on the processor; write weights, their card and a reference set."""
    with errors():
        from dataclasses import replace

        from moviegen.training.encoder import EncoderTraining, train_encoder

        _threads(threads)
        usual = EncoderTraining()
        training = replace(
            usual,
            steps=steps or usual.steps,
            clips=clips or usual.clips,
            batch=batch or min(usual.batch, clips or usual.clips),
            galleries=galleries or usual.galleries,
            seed=seed,
        )
        home = folder or Path("runs/train/encoder")
        with _quiet_lightning(home):
            train_encoder(
                training,
                home,
                clips=clips_folder,
                output=output,
                minutes=minutes,
                validate_every=validate_every,
                save_every=checkpoint_every,
                progress=not quiet,
            )


@train.command("faces")
def faces(
    folder: FolderOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the pack; default: in the folder")
    ] = None,
    scenes: Annotated[int | None, typer.Option(min=60, help="training scenes; default: 10000")] = None,
    held_out: Annotated[int | None, typer.Option(min=60, help="scenes of the figures; default: 2000")] = None,
    frames: Annotated[Path | None, typer.Option(help="where rendered frames are kept; default: FOLDER/frames")] = None,
    effort: Annotated[float, typer.Option(min=0.001, help="share of the usual steps of each part")] = 1.0,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Train the face pack (detector, recogniser, presentation, age, tone) on the processor; write it and its card."""
    with errors():
        from dataclasses import replace

        from benchmarks.commands.progress import bar
        from moviegen.training.faces import FacesTraining, train_faces
        from moviegen.training.faces_part import PartTraining

        _threads(threads)
        usual = FacesTraining()

        def part(of: PartTraining) -> PartTraining:
            return replace(of, steps=max(1, round(effort * of.steps)), seed=seed)

        training = replace(
            usual,
            scenes=scenes or usual.scenes,
            looks=max(60, 3 * scenes // 5) if scenes else usual.looks,
            held_out=held_out or usual.held_out,
            detector=part(usual.detector),
            recogniser=part(usual.recogniser),
            attributes=part(usual.attributes),
        )
        home = folder or Path("runs/train/faces")
        with _quiet_lightning(home):
            pack = train_faces(
                training,
                home,
                frames=frames,
                output=output,
                progress=lambda what, total, unit: bar(what, total, unit, quiet=quiet),
            )
        typer.echo(f"wrote {pack}: what it reaches is in {pack / 'card.json'}")


@train.command("mark")
def mark(
    folder: FolderOption = None,
    output: OutputOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    scenes: Annotated[int | None, typer.Option(min=8, help="training scenes and textures; default: 128")] = None,
    media: Annotated[Path | None, typer.Option(help="folder of footage; its last third by name is held out")] = None,
    psnr: Annotated[float | None, typer.Option(help="of marked clips, in dB; default: 38.2")] = None,
    held_out: Annotated[int, typer.Option(min=2, help="clips of the figures")] = 32,
    negatives: Annotated[int, typer.Option(min=1, help="clips without a mark, for false alarms")] = 3000,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="steps between checkpoints")] = 25,
    quiet: QuietOption = False,
) -> None:
    """Train the mark that generation writes, on the processor, with real codecs; write weights and their card."""
    with errors():
        from dataclasses import replace

        from moviegen.training.mark import MarkTraining, train_mark

        _threads(threads)
        usual = MarkTraining()
        training = replace(
            usual,
            scenes=scenes or usual.scenes,
            steps=steps or usual.steps,
            psnr_db=psnr or usual.psnr_db,
            seed=seed,
        )
        home = folder or Path("runs/train/mark")
        with _quiet_lightning(home):
            train_mark(
                training,
                home,
                media=media,
                output=output,
                minutes=minutes,
                held_out=held_out,
                negatives=negatives,
                save_every=checkpoint_every,
                progress=not quiet,
            )


@train.command("average")
def average(
    files: Annotated[
        list[Path], typer.Argument(help="weights of one training, as FOLDER/snapshots/step-….safetensors")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="weights to write")],
    half: Annotated[bool, typer.Option("--half", help="write float16: half the size")] = False,
) -> None:
    """Average checkpoints of a video model: the mean of their weights."""
    with errors():
        import torch

        from moviegen.video_weights import average_weights

        average_weights(files, output, {}, torch.float16 if half else torch.float32)
        typer.echo(f"wrote {output}: the mean of {len(files)} checkpoints")
