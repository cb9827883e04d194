"""Training the Backlot encoder: clips, frames and captions on one sphere. `moviegen train encoder`.

Shape legend: N training clips, B clips of a batch, D features of the trunk, E coordinates, F factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from eval.errors import UserError
from eval.features.backlot_encoder.network import Encoder
from eval.features.backlot_encoder.text import Texts, as_tensors
from eval.features.backlot_encoder.words import numbered, split_words, word_lists
from eval.features.backlot_reader.weights import shipped_reader, weights_sha256
from moviegen.backlot import Scene, caption, captions
from moviegen.backlot.contrasts import mirrored
from moviegen.training import ema
from moviegen.training.clock import Clock
from moviegen.training.encoder_export import export
from moviegen.training.encoder_figures import clip_points, galleries, in_style, recall, text_points
from moviegen.training.encoder_texts import also_true, chosen_styles, coded, nearly_right
from moviegen.training.encoder_views import ClipSource, Views, is_mirrored
from moviegen.training.muon import Muon
from moviegen.training.reader_data import reader_scene
from moviegen.training.run_folder import loggers, note_settings
from moviegen.training.safe_checkpoint import SafeCheckpointIO
from moviegen.training.step_order import StepOrder, generator

WORDS_FROM = 4000
"""Training scenes whose captions give the vocabulary: every word comes hundreds of times."""
SPELT = 0.1
"""How often a known word is read by its letters, so that unknown ones can be."""
BLUR = 0.1
"""Noise on the trunk's features, in units of their spread: there is one view of each clip, and many passes over it."""
FRAMES = 0.3
"""What telling a single frame's caption counts beside a clip's."""
STEADY = 5.0
"""What unsteadiness() counts: two frames of a clip show the same scene."""
SHARPEST = 60.0
"""The most that differences of cosines are multiplied with."""
MASKED = -1e4


class EncoderError(UserError):
    """A training run that cannot be."""


@dataclass(frozen=True, slots=True)
class EncoderTraining:
    """Everything that decides a training run but the wall clock.

    clips: training scenes, of the reader's own. galleries: of `gallery` held-out scenes each, that the final figures
    are of; one more is looked at along the way. changes: held-out scenes per factor that are rendered with that factor
    changed. references: scenes of the set that is shipped for distances between sets. ema_width: of the power-function
    average that is exported.
    """

    clips: int = 19_200
    galleries: int = 4
    gallery: int = 256
    changes: int = 64
    references: int = 1024
    steps: int = 800
    batch: int = 256
    lr: float = 3e-3
    weight_decay: float = 0.02
    warm_up: int = 40
    clip_norm: float = 5.0
    ema_width: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("clips", "galleries", "gallery", "changes", "references", "steps"):
            if getattr(self, name) < 1:
                raise EncoderError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if not 2 <= self.batch <= self.clips:
            raise EncoderError(f"a batch of {self.batch} clips must have 2 or more, and not more than {self.clips}")

    def rate(self, step: int) -> float:
        """The learning rate at `step`, as a share of `lr`."""
        return max(0.0, min((step + 1) / self.warm_up, 1.0 - step / self.steps))


class Batch(NamedTuple):
    """What the trunk saw of B clips, their captions followed by as many nearly right ones, and which captions are true
    of other clips too; changed_B: where there is a nearly right one.
    """

    clips_BD: Tensor
    frames_BFD: Tensor
    texts: Texts
    also_true_BB: Tensor
    changed_B: Tensor


class Batches:
    """batch(step) for any step, in any order."""

    def __init__(self, views: Views, scenes: list[Scene], numbers: dict[str, int], training: EncoderTraining) -> None:
        self._views, self._scenes, self._numbers, self._seed = views, scenes, numbers, training.seed
        self._codes_NF = coded(scenes)
        self._order = StepOrder((1.0,), (len(scenes),), (training.batch,), training.seed)

    def __call__(self, step: int) -> Batch:
        _, rows = self._order(step)
        random = np.random.default_rng((self._seed, step))
        scenes, styles = [self._scenes[row] for row in rows], chosen_styles(len(rows), random)
        right = [caption(scene, style) for scene, style in zip(scenes, styles, strict=True)]
        changed = [nearly_right(scene, style, random) for scene, style in zip(scenes, styles, strict=True)]
        lists = word_lists((*right, *changed), self._numbers)
        spelt_U = torch.from_numpy(random.random(len(lists.words_U)) < SPELT)
        return Batch(
            torch.from_numpy(self._views.clips_ND[rows]).float(),
            torch.from_numpy(self._views.frames_NFD[rows]).float(),
            as_tensors(lists, spelt_U),
            torch.from_numpy(also_true(self._codes_NF[rows], styles, scenes)),
            torch.tensor([bool(text) for text in changed]),
        )


class Losses(NamedTuple):
    """matching: cross-entropy of a clip's caption among the batch's and of a caption's clip, the mean of the two.
    changed: of the right caption against the nearly right one.
    """

    matching: Tensor
    changed: Tensor


def contrastive(
    points_BE: Tensor, right_BE: Tensor, changed_BE: Tensor, also_true_BB: Tensor, changed_B: Tensor, scale: Tensor
) -> Losses:
    """InfoNCE both ways (arXiv 1807.03748, eq. 4; 2103.00020) and each clip's own contrast.

    scale: what cosines are multiplied with. A caption that is true of another clip too is no negative of that clip.
    """
    logits_BB = (scale * points_BE @ right_BE.T).masked_fill(also_true_BB, MASKED)
    targets_B = torch.arange(len(points_BE))
    matching = functional.cross_entropy(logits_BB, targets_B) + functional.cross_entropy(logits_BB.T, targets_B)
    margins_B = scale * (points_BE * (right_BE - changed_BE)).sum(dim=1)
    return Losses(matching / 2, functional.softplus(-margins_B[changed_B]).sum() / len(points_BE))


def unsteadiness(one_BE: Tensor, other_BE: Tensor) -> Tensor:
    """How far apart two frames of a clip lie, as a share of how far apart frames of different clips do.

    A share, for the points of all frames would otherwise draw together.
    """
    apart_BB = 1.0 - one_BE @ other_BE.T
    within, between = apart_BB.diagonal().sum(), apart_BB.sum() - apart_BB.diagonal().sum()
    return (len(one_BE) - 1) * within / between


class EncoderModule(pl.LightningModule):
    """Losses and averaged weights of the towers. Step k is a function of the state and of k alone."""

    def __init__(self, training: EncoderTraining, encoder: Encoder) -> None:
        super().__init__()
        self.run = training
        self.gamma = ema.gamma_of(training.ema_width)
        self.encoder = encoder
        self.log_scale = nn.Parameter(torch.tensor(2.6))
        self.average = deepcopy(encoder).requires_grad_(False)

    def configure_optimizers(self) -> Any:
        optimiser = Muon(parameter_groups(self.encoder, self.log_scale, self.run.lr), self.run.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.run.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        noise = generator(self.run.seed, self.global_step)
        clips_BD = _blurred(self.encoder.clip_standard(batch.clips_BD), noise)
        frames_BFD = _blurred(self.encoder.frame_standard(batch.frames_BFD), noise)
        right_BE, changed_BE = self.encoder.text(batch.texts).chunk(2)
        scale = self.log_scale.exp().clamp(max=SHARPEST)
        about = (right_BE, changed_BE, batch.also_true_BB, batch.changed_B, scale)
        clips = contrastive(self.encoder.clip(clips_BD), *about)
        one_BE, other_BE = self.encoder.frame(frames_BFD).unbind(dim=1)
        frames = contrastive(one_BE, *about)
        unsteady = unsteadiness(one_BE, other_BE)
        logged = {"train/loss": clips.matching, "train/changed": clips.changed, "train/frames": frames.matching}
        self.log_dict(logged | {"train/unsteady": unsteady, "train/scale": scale}, batch_size=len(clips_BD))
        loss: Tensor = clips.matching + clips.changed + FRAMES * (frames.matching + frames.changed) + STEADY * unsteady
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        ema.update(self.average, self.encoder, self.global_step + 1, self.gamma)


def _blurred(features_BD: Tensor, noise: torch.Generator) -> Tensor:
    return features_BD + BLUR * torch.randn(features_BD.shape, generator=noise)


def parameter_groups(encoder: Encoder, log_scale: nn.Parameter, lr: float) -> list[dict[str, Any]]:
    """Matrices of the towers for Muon; embeddings, biases and the scale for AdamW. The trunk is left as it is."""
    towers = (encoder.clip, encoder.frame, encoder.text)
    tables = {id(encoder.text.words.weight), id(encoder.text.letters.weight)}
    parameters = [p for tower in towers for p in tower.parameters()]
    matrices = [p for p in parameters if p.ndim == 2 and id(p) not in tables]
    chosen = {id(p) for p in matrices}
    others = [p for p in parameters if id(p) not in chosen]
    return [
        {"params": matrices, "lr": lr, "muon": True},
        {"params": [*others, log_scale], "lr": lr, "muon": False, "weight_decay": 0.0},
    ]


def new_encoder(words: int, seed: int) -> Encoder:
    """An untrained encoder on the shipped reader's trunk, which stays as it is."""
    torch.manual_seed(seed)
    encoder = Encoder(words + 1)
    reader = shipped_reader().reader
    encoder.trunk.looks.load_state_dict(reader.looks.state_dict())
    encoder.trunk.moves.load_state_dict(reader.moves.state_dict())
    encoder.trunk.eval().requires_grad_(False)
    return encoder


def vocabulary(scenes: list[Scene]) -> tuple[str, ...]:
    """Every word of these scenes' captions, in alphabetical order."""
    return tuple(sorted({word for scene in scenes for text in captions(scene) for word in split_words(text)}))


class _Steps(IterableDataset[Batch]):
    """The batches from the trainer's present step on: a resumed run goes on with the batch the killed one was at."""

    def __init__(self, batches: Batches, first_step: Callable[[], int]) -> None:
        self._batches = batches
        self._first_step = first_step

    def __iter__(self) -> Iterator[Batch]:
        step = self._first_step()
        while True:
            yield self._batches(step)
            step += 1


class Watch(Callback):
    """Now and then looks for clips' captions among those of other held-out scenes, prints and keeps what it finds."""

    def __init__(self, views: Views, rows: Sequence[int], numbers: Mapping[str, int], every: int) -> None:
        self.every = every
        self.curve: list[dict[str, float]] = []
        self._views, self._numbers = views, numbers
        self._texts = in_style([reader_scene(row, "held out") for row in rows], "plain")

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = list(state_dict["curve"])

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if trainer.global_step % self.every:
            return
        assert isinstance(pl_module, EncoderModule)
        encoder = pl_module.average
        found = recall(clip_points(encoder, self._views), text_points(encoder, self._numbers, self._texts))
        point = {
            "step": trainer.global_step,
            "clip_to_text": round(found.clip_to_text, 4),
            "text_to_clip": round(found.text_to_clip, 4),
            "loss": round(float(trainer.callback_metrics["train/loss"]), 4),
            "changed": round(float(trainer.callback_metrics["train/changed"]), 4),
        }
        self.curve.append(point)
        print("  ".join(f"{name} {value}" for name, value in point.items()), flush=True)


def train_encoder(
    training: EncoderTraining,
    folder: Path,
    *,
    clips: Path | None = None,
    output: Path | None = None,
    minutes: float | None = None,
    validate_every: int = 100,
    save_every: int = 100,
    log_every: int = 10,
    stop_after: int | None = None,
    progress: bool = True,
) -> Path:
    """Train an encoder in `folder`, write its averaged weights, card and reference set to `output`; the file written.

    A run that finds `folder/last.safetensors` goes on from there, batch for batch. clips: where rendered clips are kept
    and found again, the reader's among them (folder/clips where not given). minutes: of training in all. stop_after:
    stop, without a change of schedule, after this step.
    Raises EncoderError for settings that cannot be, RunFolderError for a folder of another run.
    """
    last = folder / "last.safetensors"
    note_settings(folder, training, resumes=last.exists())
    torch.set_flush_denormal(True)  # fading momenta and averages would slow a CPU down
    scenes = training_scenes(training.clips)
    words = vocabulary(scenes[:WORDS_FROM])
    numbers = numbered(words)
    encoder = new_encoder(len(words), training.seed)
    source = ClipSource(clips or folder / "clips", encoder.trunk, weights_sha256(), progress=progress)
    seen = source.training(training.clips)
    explained = fit_standards(encoder, seen)
    watched = next(islice(galleries("held out", training.gallery), training.galleries, None))
    module = EncoderModule(training, encoder)
    watch, clock = Watch(source.held_out("held out", watched), watched, numbers, validate_every), Clock(minutes)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=min(training.steps, stop_after or training.steps),
        max_epochs=-1,
        gradient_clip_val=training.clip_norm,
        logger=loggers(folder),
        log_every_n_steps=log_every,
        callbacks=[watch, clock, _keeper(folder, save_every)],
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    steps = _Steps(Batches(seen, scenes, numbers, training), lambda: trainer.global_step)
    trainer.fit(module, DataLoader(steps, batch_size=None), ckpt_path=str(last) if last.exists() else None)
    facts = {
        "steps": trainer.global_step,
        "stopped_early": trainer.global_step < training.steps,
        "minutes": clock.minutes,
        "components_keep": round(explained, 3),
        "trunk": f"of backlot-reader {weights_sha256()[:12]}",
        "settings": asdict(training),
        "curve": watch.curve,
    }
    return export(
        module.average.eval(), words, training, source, output or folder / "backlot-encoder.safetensors", facts
    )


def training_scenes(count: int) -> list[Scene]:
    """The training scenes as their clips show them: some are seen in a mirror."""
    scenes = [reader_scene(number, "train") for number in range(count)]
    return [mirrored(scene) if is_mirrored(number) else scene for number, scene in enumerate(scenes)]


def fit_standards(encoder: Encoder, views: Views) -> float:
    """Take means, spreads and principal components from the training clips; the share of variance that is kept."""
    clips_ND = torch.from_numpy(views.clips_ND).float()
    encoder.clip_standard.fit(clips_ND)
    encoder.frame_standard.fit(torch.from_numpy(views.frames_NFD).float().flatten(0, 1))
    return encoder.components.fit(encoder.clip_standard(clips_ND))


def _keeper(folder: Path, every: int) -> ModelCheckpoint:
    keeper = ModelCheckpoint(folder, filename="last", every_n_train_steps=every, enable_version_counter=False)
    keeper.FILE_EXTENSION = ".safetensors"
    return keeper
