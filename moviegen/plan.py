"""Scale on paper: what a preset would need, from the model itself built without memory (the meta device).

The estimates count matrix multiplications only (two operations per multiply-add) and the large tensors only; they are
meant to be right within a tenth, not to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eval.errors import UserError
from moviegen.networks.video_model import VideoModel
from moviegen.presets import Preset, preset

H100_PEAK_FLOPS = 989e12
"""Dense bf16 of one NVIDIA H100 SXM, from its data sheet."""
H100_MEMORY_BYTES = 80e9
FULL = 0.8
"""Share of the memory that a plan fills; the rest is for fragments, buffers of the network and what is not counted."""
STATE_BYTES = 20
"""Per parameter, float32: the parameter, its gradient, AdamW's two moments, and the EMA."""
UTILISATION = 0.4
"""Share of the peak that training is expected to reach unless told otherwise."""


class PlanError(UserError):
    """A plan that does not add up."""


@dataclass(frozen=True, slots=True)
class Sharding:
    """How GPUs share the work: tensor-parallel groups with sequence parallelism, context-parallel groups, and FSDP2
    over all of them (ZeRO-3: parameters, gradients and optimiser state in equal parts). The rest is data-parallel.
    """

    tensor: int
    context: int
    gpus: int

    @property
    def data(self) -> int:
        """Groups that each work on clips of their own."""
        return self.gpus // (self.tensor * self.context)


@dataclass(frozen=True, slots=True)
class Plan:
    """What training a preset takes. Bytes and FLOPs are whole numbers' worth as floats; days are at `utilisation`."""

    preset: str
    parameters: int
    form: str
    tokens: int
    text_tokens: int
    batch: int
    steps: int
    flops_per_step: float
    sharding: Sharding
    clips_at_once: int
    accumulate: int
    state_bytes: float
    gathered_bytes: float
    activation_bytes: float
    utilisation: float
    days: float

    @property
    def memory_bytes(self) -> float:
        """Per GPU: its part of the state, the layers gathered at the moment, and activations."""
        return self.state_bytes + self.gathered_bytes + self.activation_bytes

    def rows(self) -> list[tuple[str, str]]:
        """The table, as pairs of a label and a value."""
        s = self.sharding
        gb = 1e-9
        return [
            ("preset", self.preset),
            ("parameters", f"{self.parameters:,} ({in_words(self.parameters)})"),
            ("clip (frames x height x width)", self.form),
            ("tokens per clip", f"{self.tokens:,}"),
            ("condition tokens, at most", f"{self.text_tokens:,}"),
            ("clips per step", f"{self.batch:,}"),
            ("FLOPs per step", f"{self.flops_per_step:.3g}"),
            ("GPUs", f"{s.gpus:,} = {s.tensor} tensor x {s.context} context x {s.data} data; state over all (FSDP2)"),
            ("clips at once per group", f"{self.clips_at_once}, accumulated {self.accumulate} times"),
            ("memory per GPU", f"{self.memory_bytes * gb:.1f} GB of {H100_MEMORY_BYTES * gb:.0f}"),
            ("  parameters, gradients, AdamW, EMA", f"{self.state_bytes * gb:.1f} GB"),
            ("  layers gathered at the moment", f"{self.gathered_bytes * gb:.1f} GB"),
            ("  activations", f"{self.activation_bytes * gb:.1f} GB"),
            ("steps", f"{self.steps:,}"),
            ("time", f"{_time(self.days)} at {self.utilisation:.0%} of {H100_PEAK_FLOPS / 1e12:.0f} TFLOP/s per GPU"),
        ]

    def __str__(self) -> str:
        wide = max(len(label) for label, _ in self.rows())
        return "\n".join(f"{label:<{wide}}  {value}" for label, value in self.rows())


def in_words(count: int) -> str:
    """A number of parameters, as 4.91 million."""
    return f"{count / 1e9:.2f} billion" if count >= 1e9 else f"{count / 1e6:.2f} million"


def _time(days: float) -> str:
    return f"{days:,.1f} days" if days >= 1 else f"{days * 24:.2g} hours"


def plan(name: str, gpus: int, *, utilisation: float = UTILISATION) -> Plan:
    """What training the preset called `name` on `gpus` H100s takes, at a share `utilisation` of their peak.

    Raises PresetError for an unknown preset, PlanError for a number of GPUs that the sharding cannot use.
    """
    config = preset(name)
    if gpus < 1:
        raise PlanError(f"a plan needs at least 1 GPU; got {gpus}")
    if not 0 < utilisation <= 1:
        raise PlanError(f"utilisation is a share above 0 and at most 1; got {utilisation}")
    model = build_on_meta(config)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    sharding = _sharding(config, gpus)
    flops = flops_per_step(config)
    per_group = config.recipe.batch // sharding.data
    state = STATE_BYTES * parameters / gpus
    gathered = _gathered_bytes(config, model) / sharding.tensor
    per_clip = _activation_bytes(config) / (sharding.tensor * sharding.context)
    at_once = _clips_at_once(per_group, H100_MEMORY_BYTES * FULL - state - gathered, per_clip)
    return Plan(
        preset=name,
        parameters=parameters,
        form=config.form.name,
        tokens=config.tokens(config.form),
        text_tokens=config.text.longest,
        batch=config.recipe.batch,
        steps=config.recipe.steps,
        flops_per_step=flops,
        sharding=sharding,
        clips_at_once=at_once,
        accumulate=per_group // at_once,
        state_bytes=state,
        gathered_bytes=gathered,
        activation_bytes=at_once * per_clip,
        utilisation=utilisation,
        days=flops * config.recipe.steps / (gpus * H100_PEAK_FLOPS * utilisation) / 86_400,
    )


def _clips_at_once(clips: int, room_bytes: float, bytes_per_clip: float) -> int:
    """The most clips that fit, among the divisors of a group's clips; 1 where none does (the table shows it)."""
    return max(
        (n for n in range(1, clips + 1) if clips % n == 0 and n * bytes_per_clip <= room_bytes),
        default=1,
    )


def training_bytes(config: Preset) -> float:
    """Memory of a training's state on one device: parameters, gradients, optimiser and average, without activations."""
    return float(STATE_BYTES * sum(parameter.numel() for parameter in build_on_meta(config).parameters()))


def build_on_meta(config: Preset) -> VideoModel:
    """The preset's model with shapes and no memory."""
    with torch.device("meta"):
        return VideoModel(config.transformer, config.text)


def _sharding(config: Preset, gpus: int) -> Sharding:
    """Tensor groups of 4 and context groups of 2 as in the paper's video stages, where the model is big enough."""
    tensor, context = (4, 2) if config.transformer.width >= 6144 else (1, 1)
    if gpus % (tensor * context):
        raise PlanError(
            f"{config.name} is sharded over groups of {tensor} x {context} GPUs; {gpus} is no multiple of "
            f"{tensor * context}"
        )
    sharding = Sharding(tensor, context, gpus)
    if config.recipe.batch % sharding.data:
        raise PlanError(
            f"{config.recipe.batch} clips per step do not divide among {sharding.data} groups: take a number of GPUs "
            f"whose {tensor * context}th part divides {config.recipe.batch}"
        )
    return sharding


def forward_flops(config: Preset, frames: int, height: int, width: int, text_tokens: int) -> float:
    """Operations of the transformer's matrix multiplications for one clip, forward.

    Per layer and token 2 (8 d^2 + 3 d f) less the keys and values of the condition, which are per condition token;
    attention 4 N^2 d, cross-attention 4 N S d.
    """
    t, h, w = config.latent_size(frames, height, width)
    tokens = t * h * w // 4
    model = config.transformer
    d, f = model.width, model.feed_forward
    layer = 2 * tokens * (6 * d * d + 3 * d * f) + 2 * text_tokens * 2 * d * d
    layer += 4 * tokens * tokens * d + 4 * tokens * text_tokens * d
    ends = 2 * tokens * 4 * d * (model.in_channels + model.out_channels)
    once = 2 * (256 * d + d * d + 6 * d * d)
    return float(model.layers * layer + ends + once)


def flops_per_step(config: Preset) -> float:
    """Operations of one step on clips of the preset's largest form with the longest text: forward and backward are
    three forwards. Recomputed activations are work, but not counted (model FLOPs, as in utilisation figures).
    """
    form = config.form
    return 3 * config.recipe.batch * forward_flops(config, form.frames, form.height, form.width, config.text.longest)


def _gathered_bytes(config: Preset, model: VideoModel) -> float:
    """Two blocks in bf16 (the one at work and the next, prefetched), and one block's gradients."""
    block = sum(parameter.numel() for parameter in model.transformer.blocks[0].parameters())
    return 3 * 2.0 * block if config.transformer.layers > 1 else 2.0 * block


def _activation_bytes(config: Preset) -> float:
    """bf16 activations of one clip: every block's input, and all that one block keeps while it is worked on.

    A block keeps about 16 d (inputs, norms, modulated inputs, q, k, v, outputs) and 3 f (gate, value, product) per
    token, all layers' worth where nothing is recomputed.
    """
    model = config.transformer
    tokens = config.tokens(config.form)
    block = 2.0 * tokens * (16 * model.width + 3 * model.feed_forward)
    return model.layers * 2.0 * tokens * model.width + block * (1 if model.recompute else model.layers)
