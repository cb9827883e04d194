"""Training the video model by flow matching on cached latents (arXiv 2410.13720, 3.2).

Shape legend: B batch, C latent channels, T H W latents in time, height and width.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviegen.flow import interpolate, velocity_target
from moviegen.networks.video_model import Features, VideoModel
from moviegen.presets import Preset, Recipe
from moviegen.training import ema
from moviegen.training.sharding import clip_gradients, shard
from moviegen.training.video_data import VALIDATION_SPLITS, VideoBatch

TIME_GRID = tuple((k + 0.5) / 8 for k in range(8))
"""Times at which validation measures the loss, always the same."""

LARGE_BATCH = 32
"""Clips from which on a step works on its shorter and its longer prompts one after the other."""


class VideoTraining(pl.LightningModule):
    """One video model, its average, and the flow-matching loss between them and the data.

    The average is what is validated, sampled and exported. encoders: frozen text encoders, for presets that need them.
    compiled: train the transformer through torch.compile.
    """

    def __init__(self, preset: Preset, encoders: Features | None = None, *, compiled: bool = False) -> None:
        super().__init__()
        self.preset = preset
        self.model = VideoModel(preset.transformer, preset.text, encoders)
        self.average = VideoModel(preset.transformer, preset.text, encoders).requires_grad_(False)
        self.average.load_state_dict(self.model.state_dict())
        self._encoders = (encoders,)  # in a tuple, as in VideoModel: neither trained nor saved
        self._gamma = ema.gamma_of(preset.recipe.ema)
        self._sharded = False
        if compiled:
            for block in self.model.transformer.blocks:
                block.compile()

    def configure_model(self) -> None:
        """Share both models over the mesh, where Lightning has made one; it calls this before validation too."""
        if self.device_mesh is not None and not self._sharded:
            for model in (self.model, self.average):
                shard(model, self.device_mesh)
            self._sharded = True

    def set_latent_std(self, latents_NCTHW: Tensor) -> None:
        """Scale input and output by the deviations of these latents (VideoModel.set_latent_std)."""
        self.model.set_latent_std(latents_NCTHW)
        self.average.set_latent_std(latents_NCTHW)

    def start_from(self, weights: VideoModel) -> None:
        """Begin with these weights, their average and their deviations of latents included."""
        self.model.load_state_dict(weights.state_dict())
        self.average.load_state_dict(weights.state_dict())

    def on_fit_start(self) -> None:
        """Frozen encoders are no part of this module, and do not follow it to its device by themselves."""
        [encoders] = self._encoders
        if isinstance(encoders, nn.Module):
            encoders.to(self.device)

    def training_step(self, batch: VideoBatch) -> Tensor:
        loss = torch.cat([flow_loss(self.model, part, part.time_B) for part in by_length(batch)]).mean()
        self.log("train/loss", loss, batch_size=len(batch.prompts), sync_dist=self._sharded)
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        ema.update(self.average, self.model, self.global_step + 1, self._gamma)

    def validation_step(self, batch: VideoBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """The average's loss at each time of the grid, on fixed clips with fixed noise, per split."""
        del batch_idx
        split = VALIDATION_SPLITS[dataloader_idx]
        losses = []
        for time in TIME_GRID:
            loss = flow_loss(self.average, batch, torch.full_like(batch.time_B, time)).mean()
            losses.append(loss)
            self._log_validation(f"val/{split}/t={time:.2f}", loss, batch)
        self._log_validation(f"val/{split}/loss", torch.stack(losses).mean(), batch)

    def _log_validation(self, name: str, loss: Tensor, batch: VideoBatch) -> None:
        self.log(name, loss, batch_size=len(batch.prompts), on_epoch=True, add_dataloader_idx=False)

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """By the norm over all parameters, wherever their parts lie."""
        if self._sharded and gradient_clip_val is not None:
            clip_gradients(self.model.parameters(), gradient_clip_val)
        else:
            super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def configure_optimizers(self) -> Any:
        recipe = self.preset.recipe
        # One kernel for all parameters wants all of them on one mesh; tensor parallelism leaves some outside.
        one_mesh = self.device_mesh is None or self.device_mesh["tensor_parallel"].size() == 1
        optimizer = torch.optim.AdamW(
            parameter_groups(self.model, recipe.weight_decay),
            lr=recipe.learning_rate,
            betas=recipe.betas,
            fused=one_mesh,
            foreach=None if one_mesh else False,
        )
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(recipe, step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}


def flow_loss(model: VideoModel, batch: VideoBatch, time_B: Tensor) -> Tensor:
    """Squared error of the velocity at time_B, (B,): mean over each clip's latents."""
    x_BCTHW = interpolate(batch.latents_BCTHW, batch.noise_BCTHW, time_B)
    velocity = model(x_BCTHW, time_B, model.condition(batch.prompts, batch.fps))
    target = velocity_target(batch.latents_BCTHW, batch.noise_BCTHW)
    return functional.mse_loss(velocity.float(), target, reduction="none").flatten(1).mean(1)


def by_length(batch: VideoBatch) -> list[VideoBatch]:
    """A large batch in two halves, of the shorter and of the longer prompts; a small one as it is.

    Prompts are padded to the longest that they go with, and with many small pictures text is most of the work: in
    halves, a step of 64 images took 18% less time on a CPU.
    """
    latents_BCTHW, noise_BCTHW, time_B, prompts, fps = batch
    if len(prompts) < LARGE_BATCH:
        return [batch]
    order = sorted(range(len(prompts)), key=lambda row: prompts[row].count(" "))
    half = len(order) // 2
    return [
        VideoBatch(latents_BCTHW[rows], noise_BCTHW[rows], time_B[rows], [prompts[row] for row in rows], fps)
        for rows in (order[:half], order[half:])
    ]


def learning_rate(recipe: Recipe, step: int) -> float:
    """Share of the peak rate at a step: linear warm-up, then linear decay to zero at the last step."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return max(0.0, (recipe.steps - step) / max(1, recipe.steps - recipe.warm_up))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The weights of linear layers and convolutions decay; tables, embeddings, norms and biases do not."""
    decayed = [m.weight for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d)]
    chosen = {id(weight) for weight in decayed}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
