"""Share of the matmul peak that a training step reaches: `tiny` on one core, and `small` in bf16 on a GPU.

Peak and step are timed in turns, so that a machine busy with something else slows both. Operations are the matrix
multiplications and attention of forward and backward, as torch counts them; nothing computed twice counts twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from moviegen.presets import Preset
    from moviegen.training.video import VideoTraining
    from moviegen.training.video_data import VideoBatch

ROUNDS = 12
CPU_BAR, GPU_BAR = 0.45, 0.40


def main() -> None:
    """Print the time of a step and its share of the peak, for each device there is."""
    import torch

    from moviegen.presets import preset
    from moviegen.training.video_run import has_compiler

    torch.set_num_threads(1)  # the time below is that of one core
    _measure(preset("tiny"), torch.device("cpu"), CPU_BAR, compiled=False)
    if has_compiler():
        _measure(preset("tiny"), torch.device("cpu"), CPU_BAR, compiled=True)
    else:
        print("tiny on one core, compiled: not measured, there is no C++ compiler here")
    if torch.cuda.is_available():
        _measure(preset("small"), torch.device("cuda"), GPU_BAR, compiled=True)
    else:
        print("small on a GPU: not measured, there is no GPU here")


def _measure(config: Preset, device: torch.device, bar: float, *, compiled: bool) -> None:
    import torch

    from moviegen.training.video import VideoTraining

    torch.manual_seed(0)
    gpu = device.type == "cuda"
    batch = _batch(config, device)
    operations = _operations(VideoTraining(config).to(device), batch)
    step = _step(VideoTraining(config, compiled=compiled).to(device), batch)
    multiply, multiplied = _matmul(device)
    for _ in range(5 if gpu else 2):
        step()
        multiply()
    shares, seconds, peaks = [], [], []
    for _ in range(ROUNDS):
        before_s, step_s, after_s = (_seconds(work, device) for work in (multiply, step, multiply))
        peaks.append(2 * multiplied / (before_s + after_s))
        seconds.append(step_s)
        shares.append(operations / step_s / peaks[-1])
    where = ("a GPU, bf16" if gpu else "one core") + (", compiled" if compiled else "")
    print(
        f"{config.name} on {where}: {median(seconds):.3g} s a step of "
        f"{config.recipe.batch} clips ({operations / 1e9:,.0f} GFLOP), {median(shares):.1%} of the matmul peak of "
        f"{median(peaks) / 1e12:.3g} TFLOP/s (median of {ROUNDS} turns, {min(shares):.1%} to {max(shares):.1%}); "
        f"bar: {bar:.0%}",
        flush=True,
    )


def _batch(config: Preset, device: torch.device) -> VideoBatch:
    """Clips of the preset's form with captions of the mixture; latents are noise, which costs the same."""
    import torch

    from moviegen.backlot import caption
    from moviegen.training.mixture import mixture_scene
    from moviegen.training.video_data import VideoBatch

    clips, form = config.recipe.batch, config.form
    size = (config.latent_channels, *config.latent_size(form.frames, form.height, form.width))
    latents, noise = (torch.randn(clips, *size, device=device) for _ in range(2))
    prompts = [caption(mixture_scene(number), "plain") for number in range(clips)]
    return VideoBatch(latents, noise, torch.rand(clips, device=device), prompts, form.fps)


def _step(module: VideoTraining, batch: VideoBatch) -> Callable[[], None]:
    """All that a step of the training does: loss, gradients, clipping, AdamW and the average."""
    import torch

    from moviegen.training import ema
    from moviegen.training.video import flow_loss

    optimizer = module.configure_optimizers()["optimizer"]
    gpu, done = batch.latents_BCTHW.is_cuda, 0

    def step() -> None:
        nonlocal done
        done += 1
        with torch.autocast("cuda", torch.bfloat16, enabled=gpu):
            loss = flow_loss(module.model, batch, batch.time_B).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(module.model.parameters(), module.preset.recipe.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        ema.update(module.average, module.model, done, gamma=5.0)

    return step


def _operations(module: VideoTraining, batch: VideoBatch) -> float:
    """Of one step's matrix multiplications, attention and convolutions, forward and backward."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from moviegen.training.video import flow_loss

    # Attention written out is what torch counts everywhere, and does nothing twice.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        flow_loss(module.model, batch, batch.time_B).mean().backward()  # type: ignore[no-untyped-call]
    return float(counter.get_total_flops())


def _matmul(device: torch.device) -> tuple[Callable[[], None], float]:
    """Large multiplications, where the peak is reached, and their operations."""
    import torch

    gpu = device.type == "cuda"
    size, times = (8192, 10) if gpu else (1024, 3)
    one, other = (torch.randn(size, size, device=device, dtype=torch.bfloat16 if gpu else None) for _ in range(2))

    def multiply() -> None:
        for _ in range(times):
            one @ other

    return multiply, 2.0 * size**3 * times


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    """Of this core on a CPU (a busy machine changes the clock on the wall, hardly this), on the wall with a GPU."""
    import torch

    if device.type == "cpu":
        start = time.thread_time()
        work()
        return time.thread_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
