"""One video model over many devices: FSDP2, tensor and sequence parallelism through Lightning's ModelParallelStrategy.

The mesh has two dimensions, data_parallel and tensor_parallel. Every block of the transformer is shared along both:

- tensor parallel: the rows of the first matrices (queries, keys and values by heads, the hidden units of SwiGLU) and
  the columns of the second ones; between them each device works on its own heads and hidden units;
- sequence parallel: outside of those pairs (residuals, norms, modulation) each device works on its own tokens; they are
  gathered before a pair and reduced and scattered after it;
- FSDP2: what is left of every parameter lies in parts along data_parallel, and is gathered when its block is at work.

What lies outside the blocks is small: it is the same on all devices of a tensor-parallel group, and FSDP2's otherwise.
Checkpoints hold whole tensors in the form of an unsharded run's: either can go on from the other's.

Shape legend: B batch, N video tokens, S condition tokens, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, Placement, Replicate, Shard, distribute_tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from eval.errors import UserError
from moviegen.networks.transformer import Block, Condition, TransformerConfig
from moviegen.networks.video_model import VideoModel
from moviegen.training.safe_checkpoint import SafeCheckpointIO

ROWS = (
    "attention.qkv.weight",
    "cross.q.weight",
    "cross.kv.weight",
    "feed_forward.gate.weight",
    "feed_forward.into.weight",
)
"""Parameters of a block whose rows are shared in a tensor-parallel group."""
COLUMNS = ("attention.out.weight", "cross.out.weight", "feed_forward.out.weight")
"""Those whose columns are; all others are the same on each of its devices."""
_TOKENS = Shard(1)
_HEADS = Shard(2)


class ShardingError(UserError):
    """Devices that a model cannot be shared over."""


def check_sharding(config: TransformerConfig, batch: int, devices: int, tensor_parallel: int) -> None:
    """Raise ShardingError, with what would do, unless the devices, heads and clips divide among the groups."""
    if tensor_parallel < 1 or devices % tensor_parallel:
        raise ShardingError(f"{devices} devices do not make groups of {tensor_parallel}: take a divisor of {devices}")
    for what, size in (("heads", config.heads), ("hidden units", config.feed_forward)):
        if size % tensor_parallel:
            raise ShardingError(f"{size} {what} do not divide among groups of {tensor_parallel} devices")
    groups = devices // tensor_parallel
    if batch % groups:
        raise ShardingError(f"{batch} clips a step do not divide among {groups} groups of devices")


def shard(model: VideoModel, mesh: DeviceMesh) -> None:
    """Share a model's parameters, in place, over a mesh of (data_parallel, tensor_parallel) devices.

    On GPUs blocks compute in bfloat16 from float32 parameters, and gradients are summed in float32.
    """
    blocks = [block for block in model.transformer.blocks if isinstance(block, Block)]
    if mesh["tensor_parallel"].size() > 1:
        for block in blocks:
            _share_block(block, mesh["tensor_parallel"])
        blocks[-1].register_forward_hook(_whole)
    gpu = mesh.device_type == "cuda"
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if gpu else MixedPrecisionPolicy()
    # No one FSDP module around all: prompts become tokens through `text` and `projection` outside of forward.
    for part in (*blocks, model.transformer, model.projection, model.text):
        if part is not None:
            fully_shard(part, mesh=mesh["data_parallel"], mp_policy=policy)


def _share_block(block: Block, mesh: DeviceMesh) -> None:
    for name, parameter in list(block.named_parameters()):
        placement: Placement = Shard(0) if name in ROWS else Shard(1) if name in COLUMNS else Replicate()
        owner, _, leaf = name.rpartition(".")
        shared = nn.Parameter(distribute_tensor(parameter.data, mesh, [placement]), parameter.requires_grad)
        block.get_submodule(owner).register_parameter(leaf, shared)

    def enter(_: nn.Module, inputs: tuple[Tensor, Tensor, Tensor, Condition]) -> tuple[Any, ...]:
        x_BND, positions_ND, modulation_B6D, condition = inputs
        return (
            _placed(x_BND, mesh, _TOKENS),
            _placed(positions_ND, mesh, Shard(0)),
            _placed(modulation_B6D, mesh, Replicate()),
            Condition(_placed(condition.tokens_BSD, mesh, Replicate()), condition.mask_BS),
        )

    def gather(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return inputs[0].redistribute(placements=[Replicate()]), *inputs[1:]

    def scatter(_module: nn.Module, _inputs: Any, output: DTensor) -> DTensor:
        return output.redistribute(placements=[_TOKENS])

    block.register_forward_pre_hook(enter)
    for part in (block.attention, block.cross, block.feed_forward):
        part.register_forward_pre_hook(gather)
        part.register_forward_hook(scatter)
    for attention in (block.attention, block.cross):
        attention.attend.register_forward_pre_hook(_own_heads)
        attention.attend.register_forward_hook(lambda _module, _inputs, out: DTensor.from_local(out, mesh, [_HEADS]))


def _placed(tensor: Tensor, mesh: DeviceMesh, placement: Placement) -> DTensor:
    """A tensor that is the same on all devices, as each one's part of it."""
    if isinstance(tensor, DTensor):
        return tensor.redistribute(placements=[placement])
    return DTensor.from_local(tensor, mesh, [Replicate()], run_check=False).redistribute(placements=[placement])


def _own_heads(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Attention never looks across heads: each device's are plain tensors to it."""
    return tuple(x.redistribute(placements=[_HEADS]).to_local() if isinstance(x, DTensor) else x for x in inputs)


def _whole(_module: nn.Module, _inputs: Any, output: DTensor) -> Tensor:
    return output.redistribute(placements=[Replicate()]).to_local()


def whole_state(model: nn.Module) -> dict[str, Tensor]:
    """The state dict with whole tensors. Of a shared model: on the CPU of the first process, and empty on the others,
    which must take part.
    """
    if not any(isinstance(parameter, DTensor) for parameter in model.parameters()):
        return model.state_dict()
    gathered: dict[str, Any] = get_model_state_dict(model, options=_WHOLE)
    return gathered


def clip_gradients(parameters: Iterable[nn.Parameter], most: float) -> None:
    """Scale all gradients so that their common norm is at most `most`, wherever their parts lie."""
    with_gradient = [parameter for parameter in parameters if parameter.grad is not None]
    meshes = {
        _mesh(parameter): [p for p in with_gradient if _mesh(p) == _mesh(parameter)] for parameter in with_gradient
    }
    norms = [get_total_norm([p.grad for p in group if p.grad is not None]) for group in meshes.values()]
    norm = (
        torch.stack([norm.full_tensor() if isinstance(norm, DTensor) else norm for norm in norms]).square().sum().sqrt()
    )
    for group in meshes.values():
        clip_grads_with_norm_(group, most, norm)


def _mesh(parameter: Tensor) -> DeviceMesh | None:
    return parameter.device_mesh if isinstance(parameter, DTensor) else None


_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class SafeModelParallel(ModelParallelStrategy):
    """ModelParallelStrategy whose checkpoints are those of an unsharded run, written and read without pickle."""

    def __init__(self, data_parallel: int, tensor_parallel: int) -> None:
        super().__init__(data_parallel, tensor_parallel, save_distributed_checkpoint=False)

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The optimiser's state with whole tensors, numbered in the order of its groups; empty but on the first."""
        assert self.model is not None
        optimizer = getattr(optimizer, "_optimizer", optimizer)
        state: Any = get_optimizer_state_dict(self.model, optimizer, options=_WHOLE)
        if not state:
            return {}
        names = [name for group in state["param_groups"] for name in group["params"]]
        number = {name: k for k, name in enumerate(names)}
        groups = [{**group, "params": [number[name] for name in group["params"]]} for group in state["param_groups"]]
        return {"state": {number[name]: values for name, values in state["state"].items()}, "param_groups": groups}

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """The checkpoint, read by every process for itself."""
        return SafeCheckpointIO().load_checkpoint(self.broadcast(checkpoint_path), weights_only=weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        assert self.model is not None
        options = StateDictOptions(full_state_dict=True, strict=strict)
        set_model_state_dict(self.model, checkpoint["state_dict"], options=options)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        assert self.model is not None
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        for optimizer, saved in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            order = [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
            groups = [{**group, "params": [order[k] for k in group["params"]]} for group in saved["param_groups"]]
            state = {order[k]: values for k, values in saved["state"].items()}
            set_optimizer_state_dict(
                self.model,
                optimizer,
                {"state": state, "param_groups": groups},
                options=StateDictOptions(full_state_dict=True),
            )
