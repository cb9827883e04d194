"""Seven dimensions of VBench by one decode and shared features, against VBench's own loops; networks cost nothing here.

Both ways call the same stand-ins for the networks, which cost next to nothing: what is left is the path of the data.
VBench's side follows its source at 45e79ec: one decode for each dimension, all frames as float32 at native size, and
preprocessing of the whole clip before its first frame is encoded.

Shape legend: T frames, C channels (RGB), H height, W width.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

WIDTH, HEIGHT = 832, 480
WANTED = 4.0
REPEATS = 3
DIMENSIONS = (
    "subject_consistency",
    "background_consistency",
    "temporal_flickering",
    "motion_smoothness",
    "dynamic_degree",
    "aesthetic_quality",
    "imaging_quality",
)
TOLERANCE = 1e-4
HEAD_WIDTH = 768


@dataclass(frozen=True, slots=True)
class Timed:
    """What one way of scoring gave and took.

    cpu_s: seconds on this core, which a busy machine changes less than those of the clock, by part of the work.
    passes: how often each encoder went over the clip.
    """

    values: dict[str, float]
    cpu_s: dict[str, float]
    decodes: int
    passes: dict[str, float]


def main() -> None:
    """Print both times, their ratio, whether the numbers agree, and how often each encoder saw the clip."""
    import cv2
    import torch

    from benchmarks.speed.shared_decode import moving_texture
    from eval.video import write_clip

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, stand_ins(Path(folder)):
        path = Path(folder) / "clip.mp4"
        write_clip(moving_texture(WIDTH, HEIGHT), path, crf=23)
        compare(path)


def compare(path: Path) -> None:
    """Score one clip both ways in turn, and print the best times."""
    shared(path)  # what is imported on first use is nobody's time
    pairs = [(shared(path), vbench(path)) for _ in range(REPEATS)]
    (ours, *_), (theirs, *_) = runs = tuple(zip(*pairs, strict=True))
    ours_s, theirs_s = map(_best, runs)
    apart = max(abs(ours.values[name] - theirs.values[name]) for name in DIMENSIONS)
    verdict = "equal" if apart < TOLERANCE else "NOT EQUAL"
    title = f"{WIDTH}×{HEIGHT}"
    print(f"{title} as VBench does it: {theirs_s:.2f} s of this core, {theirs.decodes} decodes")
    print(f"{title} shared: {ours_s:.2f} s of this core, {ours.decodes} decode")
    print(
        f"{title}: {theirs_s / ours_s:.1f} times faster (wanted: {WANTED:.0f}); "
        f"{len(DIMENSIONS)} results {verdict} (largest difference {apart:.1e})"
    )
    print("calls per encoder per clip: " + ", ".join(f"{name} {count:g}" for name, count in ours.passes.items()))


def _best(runs: Sequence[Timed]) -> float:
    """The sum over the parts of each part's fastest run."""
    return sum(min(run.cpu_s[part] for run in runs) for part in runs[0].cpu_s)


def shared(path: Path) -> Timed:
    """The product's way: the metrics of the suite vbench-custom, by the planner."""
    from eval.encoders.open.runners import runner
    from eval.metric import METRICS
    from eval.planner import score_clip
    from eval.video import open_clip

    metrics = [METRICS.get(f"vbench_{name}") for name in DIMENSIONS]
    before = {name: runner(name).items for name in ENCODERS_OF}
    begun = time.process_time()
    scored = score_clip(open_clip(path), metrics)
    cpu_s = {"shared": time.process_time() - begun}
    failed = [score for score in scored.scores if score.value is None]
    assert not failed, f"a benchmark of failures would measure nothing: {failed}"
    assert scored.facts is not None
    frames = scored.facts.frames
    items = {name: items_of(frames, scored.info.fps) for name, items_of in ENCODERS_OF.items()}
    passes = {name: (runner(name).items - before[name]) / items[name] for name in ENCODERS_OF}
    values = {score.metric.removeprefix("vbench_"): float(score.value or 0) for score in scored.scores}
    return Timed(values, cpu_s, scored.decodes, passes)


def _every_frame(frames: int, _fps: float) -> int:
    return frames


def _odd_frames(frames: int, _fps: float) -> int:
    return (frames - 1) // 2


def _sampled_pairs(frames: int, fps: float) -> int:
    return -(-frames // max(1, round(fps / 8))) - 1


ENCODERS_OF: dict[str, Callable[[int, float], int]] = {
    "dino-vit-b-16": _every_frame,
    "clip-vit-b-32": _every_frame,
    "clip-vit-l-14": _every_frame,
    "musiq-spaq": _every_frame,
    "amt-s": _odd_frames,
    "raft-things": _sampled_pairs,
}
"""Items that each network has to see of a clip, once."""


# The stand-ins. Each depends on its whole input as the network would get it, and costs a fraction of a millisecond.


def embed(pixels_NCHW: Tensor) -> Tensor:
    """768 of a picture's numbers, on a grid."""
    height, width = pixels_NCHW.shape[-2:]
    return pixels_NCHW[..., :: height // 16, :: width // 16][..., :16, :16].flatten(1)


def quality(pixels_NCHW: Tensor) -> Tensor:
    """0-100, of pictures in 0-1."""
    return pixels_NCHW.mean(dim=(1, 2, 3)) * 100


def flow(before_NCHW: Tensor, after_NCHW: Tensor) -> Tensor:
    """Two numbers per pixel, alike in squares of 8."""
    coarse_N2HW = (after_NCHW[..., ::8, ::8] - before_NCHW[..., ::8, ::8])[:, :2]
    height, width = coarse_N2HW.shape[2:]
    return coarse_N2HW[:, :, :, None, :, None].expand(-1, -1, -1, 8, -1, 8).reshape(-1, 2, 8 * height, 8 * width)


def between(before_NCHW: Tensor, after_NCHW: Tensor) -> Tensor:
    """The mean of two pictures."""
    return before_NCHW.lerp(after_NCHW, 0.5)


@contextmanager
def stand_ins(folder: Path) -> Iterator[None]:
    """The product with stand-ins in place of six networks; weights are files of their names, and a real linear head."""
    import torch

    from eval.encoders.networks import musiq
    from eval.encoders.networks.musiq_patches import normalised
    from eval.encoders.open import flow as raft
    from eval.encoders.open import interpolation, pictures, runners

    class Pictures(torch.nn.Module):
        def forward(self, pixels_NCHW: Tensor, **_options: Any) -> Any:
            features_ND = embed(pixels_NCHW)
            return SimpleNamespace(image_embeds=features_ND, last_hidden_state=features_ND[:, None])

    class Pairs(torch.nn.Module):
        def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
            super().__init__()
            self.function = function

        def forward(self, before_NCHW: Tensor, after_NCHW: Tensor) -> Tensor:
            return self.function(before_NCHW, after_NCHW)

    class Musiq(torch.nn.Module):
        def forward(self, frames_NCHW: Tensor) -> Tensor:
            return quality(normalised(frames_NCHW)) / 2 + 50

    _fake_weights(folder)
    with ExitStack() as stack:
        for context in (
            patch.dict(os.environ, MOVIEGEN_WEIGHTS=str(folder)),
            patch.object(pictures, "load_transformers", lambda *_, **__: Pictures()),
            patch.object(pictures, "stretch_as_published", lambda _: None),
            patch.object(raft, "load_program", lambda _: Pairs(flow)),
            patch.object(interpolation, "load_program", lambda _: Pairs(between)),
            patch.object(musiq, "load_network", lambda *_: Musiq()),
        ):
            stack.enter_context(context)
        stack.callback(runners._loaded.cache_clear)
        runners._loaded.cache_clear()
        yield


def _fake_weights(folder: Path) -> None:
    from safetensors.numpy import save_file

    from eval.encoders.lock import Lock, PinnedFile, lock_path
    from eval.encoders.registry import ENCODERS
    from eval.hashing import file_sha256

    for name in (*ENCODERS_OF, "laion-aesthetic"):
        encoder = ENCODERS.get(name)
        (folder / name).mkdir()
        files = {}
        for file in encoder.files:
            path = folder / name / file.name
            path.write_text(name)
            if name == "laion-aesthetic":
                save_file({"weight": _head()[None], "bias": np.full(1, 5, np.float32)}, path)
            files[file.name] = PinnedFile(sha256=file_sha256(path), bytes=path.stat().st_size)
        lock = Lock(encoder=name, version=encoder.version, source="", licence=encoder.licence.name, files=files)
        lock_path(name, folder).write_text(lock.model_dump_json())


def _head() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=HEAD_WIDTH).astype(np.float32)


# VBench's loops. Names and steps are its own; networks are the stand-ins above.


def vbench(path: Path) -> Timed:
    """One dimension after the other."""
    dimensions: dict[str, Callable[[Path], float]] = {
        "subject_consistency": _subject_consistency,
        "background_consistency": _background_consistency,
        "temporal_flickering": _temporal_flickering,
        "motion_smoothness": _motion_smoothness,
        "dynamic_degree": _dynamic_degree,
        "aesthetic_quality": _aesthetic_quality,
        "imaging_quality": _imaging_quality,
    }
    values, cpu_s = {}, {}
    for name, dimension in dimensions.items():
        begun = time.process_time()
        values[name] = dimension(path)
        cpu_s[name] = time.process_time() - begun
    return Timed(values, cpu_s, len(dimensions), {})


def _load_video(path: Path) -> Tensor:
    """All frames, float32 0-255 T,C,H,W."""
    import av
    import torch

    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        frames_THWC = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    return torch.Tensor(frames_THWC.astype(np.uint8)).permute(0, 3, 1, 2)


def _capture(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames as OpenCV reads them: H,W,BGR."""
    import cv2

    video = cv2.VideoCapture(str(path))
    while True:
        success, frame_HWC = video.read()
        if not success:
            video.release()
            return
        yield np.asarray(frame_HWC, np.uint8)


def _resized(images: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    """As torchvision's Resize(antialias=False) does with floats."""
    from torch.nn import functional

    return functional.interpolate(images, size, mode=mode, align_corners=False)


def _normalised(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """As torchvision's Lambda(x / 255) and Normalize do."""
    images = images.div(255.0).clone()
    return images.sub_(images.new_tensor(mean)[:, None, None]).div_(images.new_tensor(std)[:, None, None])


def _clip_transform(images: Tensor) -> Tensor:
    from eval.encoders.open.preprocess import CLIP

    height, width = images.shape[-2:]
    short = min(height, width)
    images = _resized(images, (224 * height // short, 224 * width // short), "bicubic")
    top, left = round((images.shape[-2] - 224) / 2), round((images.shape[-1] - 224) / 2)
    return _normalised(images[..., top : top + 224, left : left + 224], CLIP.mean, CLIP.std)


def _dino_transform(images: Tensor) -> Tensor:
    from eval.encoders.open.preprocess import IMAGENET

    height, width = images.shape[-2:]
    short = min(height, width)
    images = _resized(images, (224 * height // short, 224 * width // short), "bilinear")
    return _normalised(images, IMAGENET.mean, IMAGENET.std)


def _padded(images: Tensor, multiple: int) -> Tensor:
    """As InputPadder does, also where nothing is missing."""
    from torch.nn import functional

    height, width = images.shape[-2:]
    down, across = -height % multiple, -width % multiple
    border = (across // 2, across - across // 2, down // 2, down - down // 2)
    return functional.pad(images, border, mode="replicate")


def _unpadded(images: Tensor, height: int, width: int) -> Tensor:
    top, left = (images.shape[-2] - height) // 2, (images.shape[-1] - width) // 2
    return images[..., top : top + height, left : left + width]


def _consistency(features: list[Tensor]) -> float:
    from torch.nn import functional

    total, first, former = 0.0, features[0], features[0]
    for feature in features[1:]:
        to_former = max(0.0, functional.cosine_similarity(former, feature).item())
        to_first = max(0.0, functional.cosine_similarity(first, feature).item())
        total += (to_former + to_first) / 2
        former = feature
    return total / (len(features) - 1)


def _subject_consistency(path: Path) -> float:
    import torch
    from torch.nn import functional

    images = _dino_transform(_load_video(path))
    features = []
    for i in range(len(images)):
        with torch.no_grad():
            features.append(functional.normalize(embed(images[i].unsqueeze(0)), dim=-1, p=2))
    return _consistency(features)


def _background_consistency(path: Path) -> float:
    from torch.nn import functional

    images = _clip_transform(_load_video(path))
    features = functional.normalize(embed(images), dim=-1, p=2)
    return _consistency([features[i].unsqueeze(0) for i in range(len(features))])


def _temporal_flickering(path: Path) -> float:
    import cv2

    frames = list(_capture(path))
    differences = [
        np.mean(cv2.absdiff(np.array(one, np.float32), np.array(other, np.float32))) for one, other in pairwise(frames)
    ]
    return (255.0 - float(np.mean(differences))) / 255.0


def _motion_smoothness(path: Path) -> float:
    import cv2
    import torch

    frames = [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in _capture(path)]
    height, width = frames[0].shape[:2]
    inputs = [torch.tensor(frame).permute(2, 0, 1).unsqueeze(0) / 255.0 for frame in frames[::2]]
    inputs = [_padded(image, 16) for image in inputs]
    outputs = [inputs[0]]
    with torch.no_grad():
        for before, after in pairwise(inputs):
            outputs += [between(before, after), after]
    outputs = [_unpadded(image, height, width) for image in outputs]
    pictures = [(o * 255.0).squeeze(0).permute(1, 2, 0).numpy().clip(0, 255).astype(np.uint8) for o in outputs]
    differences = [np.mean(cv2.absdiff(one, other)) for one, other in zip(frames[1::2], pictures[1::2], strict=False)]
    return (255.0 - float(np.mean(differences))) / 255.0


def _dynamic_degree(path: Path) -> float:
    import cv2
    import torch

    interval = max(1, round(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) / 8))
    frames = [
        torch.from_numpy(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))).permute(2, 0, 1).float()[None]
        for frame in _capture(path)
    ][::interval]
    strongest = []
    with torch.no_grad():
        for before, after in pairwise(frames):
            moved = flow(_padded(before, 8), _padded(after, 8))[0].permute(1, 2, 0).numpy()
            length = np.sqrt(np.square(moved[..., 0]) + np.square(moved[..., 1]))
            strongest.append(np.mean(abs(np.sort(-length.flatten()))[: int(length.size * 0.05)]))
    fast = 6.0 * min(frames[0].shape[-2:]) / 256.0
    return float(sum(one > fast for one in strongest) >= round(4 * len(frames) / 16.0))


def _aesthetic_quality(path: Path) -> float:
    import torch
    from torch.nn import functional

    images = _load_video(path)
    weight = torch.from_numpy(_head())
    scores = []
    with torch.no_grad():
        for start in range(0, len(images), 32):
            features = functional.normalize(embed(_clip_transform(images[start : start + 32])), dim=-1, p=2)
            scores.append((features @ weight + 5) / 10)
    return float(torch.cat(scores).mean())


def _imaging_quality(path: Path) -> float:
    import torch

    images = _load_video(path)
    height, width = images.shape[-2:]
    if max(height, width) > 512:
        scale = 512.0 / max(height, width)
        images = _resized(images, (int(scale * height), int(scale * width)), "bilinear")
    images = images / 255.0
    with torch.no_grad():
        scores = [float(quality(images[i].unsqueeze(0))) for i in range(len(images))]
    return sum(scores) / len(scores) / 100


if __name__ == "__main__":
    main()
