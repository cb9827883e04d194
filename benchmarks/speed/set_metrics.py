"""Set metrics over 768 dimensions: peak memory of streamed moments and of the kernel distance's blocks.

About half a minute of one core. With a GPU the kernel distance runs there, over 100,000 clips.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported in the measuring processes only
    import torch

DIMENSIONS, BATCH = 768, 1000
MOMENTS = (10_000, 100_000)
KERNEL = (2048, 6144)
KERNEL_GPU = 100_000


def main() -> None:
    """Print time and peak memory; each size in a process of its own."""
    import torch

    for what, sizes in (("moments", MOMENTS), ("kernel", (KERNEL_GPU,) if torch.cuda.is_available() else KERNEL)):
        for samples in sizes:
            began = time.perf_counter()
            command = [sys.executable, "-m", "benchmarks.speed.set_metrics", what, str(samples)]
            held_mib, peak_mib = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            print(
                f"{what} of {samples} x {DIMENSIONS}: held {held_mib} MiB, peak {peak_mib} MiB above the start, "
                f"{time.perf_counter() - began:.0f} s",
                flush=True,
            )


def moments(samples: int) -> tuple[float, float]:
    """Stream `samples` features into a Fréchet distance; MiB that its states hold, and peak above the start."""
    from eval.sets.metrics import FrechetDistance

    start_mib = _peak_mib()
    metric = FrechetDistance(DIMENSIONS)
    for features_ND in _batches(samples):
        metric.update(features_ND, real=True)
        metric.update(features_ND[: BATCH // 10] + 0.1, real=False)
    held_bytes = metric.real_GEE.nbytes + metric.generated_GEE.nbytes
    return held_bytes / 2**20, _peak_mib() - start_mib


def kernel(samples: int) -> tuple[float, float]:
    """Kernel distance of two sets of `samples`; MiB of the features, and the peak above the start, or a GPU's."""
    import torch

    from eval.sets.metrics import KernelDistance

    device = "cuda" if torch.cuda.is_available() else "cpu"
    start_mib = _peak_mib()
    metric = KernelDistance(DIMENSIONS).to(device)
    for features_ND in _batches(samples):
        metric.update(features_ND.to(device), real=True)
        metric.update(features_ND.flip(1).to(device) + 0.1, real=False)
    assert metric.estimate().ranks
    features_mib = 2 * 4 * samples * (DIMENSIONS + 1) / 2**20
    return features_mib, torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else _peak_mib() - start_mib


def _batches(samples: int) -> Iterator[torch.Tensor]:
    import torch

    generator = torch.Generator().manual_seed(0)
    for start in range(0, samples, BATCH):
        yield torch.randn(min(BATCH, samples - start), DIMENSIONS, generator=generator)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["moments" | "kernel" as what, samples]:
            held, peak = {"moments": moments, "kernel": kernel}[what](int(samples))
            print(f"{held:.0f} {peak:.0f}")
        case _:
            main()
