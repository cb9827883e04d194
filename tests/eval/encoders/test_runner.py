"""Runner: every item once, failures stay with their clip, memory bounded, the same numbers whoever shares a batch."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from eval.encoders import runner as module
from eval.encoders.runner import EncodingError, Preparation, Runner, Steps
from eval.feature import NotMeasurable


def made(count: int, size: tuple[int, ...] = (3, 24, 40), seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(1, 256, (count, *size), dtype=np.uint8)


def means(items: Tensor) -> Tensor:
    return items.float().flatten(2).mean(dim=2)


def expected(items: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    return items.reshape(*items.shape[:2], -1).mean(axis=2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 5, 2), nn.GELU(), nn.Flatten(), nn.LazyLinear(32), nn.LayerNorm(32)).eval()


class Counting:
    """Means, and the size of every batch seen."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, items: Tensor) -> Tensor:
        self.batches.append(len(items))
        return means(items)


@pytest.mark.parametrize("batch", [1, 4, 7, 64])
def test_rows_come_back_in_order_to_whom_they_belong(batch: int) -> None:
    runner = Runner("means", means, device="cpu", batch=batch)
    clips = [made(count, seed=count) for count in (5, 1, 9, 3)]
    tickets = [runner.submit(clip) for clip in clips]
    for ticket, clip in reversed(list(zip(tickets, clips, strict=True))):
        rows = ticket.result()
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, expected(clip), rtol=1e-6)
    assert runner.items == sum(map(len, clips))


def test_clips_share_batches_and_each_item_is_encoded_once() -> None:
    encode = Counting()
    runner = Runner("means", encode, device="cpu", batch=4)
    tickets = [runner.submit(made(3, seed=k)) for k in range(4)]
    assert encode.batches == [4, 4, 4]
    for ticket in (*tickets, *tickets):
        ticket.result()
    assert encode.batches == [4, 4, 4]
    assert (runner.calls, runner.items) == (3, 12)


def test_a_result_that_is_asked_for_does_not_wait_for_a_full_batch() -> None:
    encode = Counting()
    runner = Runner("means", encode, device="cpu", batch=64)
    first, second = runner.submit(made(3)), runner.submit(made(2, seed=1))
    first.result()
    assert encode.batches == [5], "what waited beside it was encoded with it"
    second.result()
    assert encode.batches == [5]


def test_on_the_processor_nothing_depends_on_cuts_layout_or_company() -> None:
    """Bit by bit: every item is encoded alone, in one layout."""
    encode = network()

    def normalised(items: Tensor) -> Tensor:
        small = nn.functional.interpolate(items.float(), (33, 47), mode="bicubic")
        return encode(small / 127.5 - 1)  # type: ignore[no-any-return]

    clip = made(11)
    alone = Runner("net", normalised, device="cpu").submit(clip).result()
    channels_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(clip, 1, -1)), -1, 1)
    flipped = np.flip(np.flip(clip, 2).copy(), 2)
    for same in (channels_last, flipped):
        np.testing.assert_array_equal(Runner("net", normalised, device="cpu").submit(same).result(), alone)
    shared = Runner("net", normalised, device="cpu")
    cuts = (0, 2, 3, 9, 11)
    tickets = []
    for start, stop in itertools.pairwise(cuts):
        tickets.append(shared.submit(clip[start:stop]))
        shared.submit(made(5, seed=9)).result()
    np.testing.assert_array_equal(np.concatenate([ticket.result() for ticket in tickets]), alone)
    batched = Runner("net", normalised, device="cpu", batch=4)
    batched.submit(made(3, seed=9))
    np.testing.assert_allclose(batched.submit(clip).result(), alone, atol=1e-5)


def test_a_nan_fails_its_own_clip_only() -> None:
    def poisoned(items: Tensor) -> Tensor:
        rows = means(items)
        return torch.where(items.flatten(1)[:, :1] == 0, torch.nan, rows)

    runner = Runner("net", poisoned, device="cpu", batch=8)
    fine, bad = made(3), made(3, seed=1)
    bad[1] = 0
    tickets = [runner.submit(fine), runner.submit(bad), runner.submit(fine)]
    np.testing.assert_allclose(tickets[0].result(), expected(fine), rtol=1e-6)
    np.testing.assert_allclose(tickets[2].result(), expected(fine), rtol=1e-6)
    with pytest.raises(EncodingError, match=r"^net: gave NaN or infinite numbers, first for item 1$"):
        tickets[1].result()


def test_an_item_that_the_network_refuses_fails_its_own_clip_only() -> None:
    def refusing(items: Tensor) -> Tensor:
        if bool((items.flatten(1).amax(dim=1) == 0).any()):
            raise NotMeasurable("a black frame")
        return means(items)

    runner = Runner("net", refusing, device="cpu", batch=16)
    fine, bad = made(5), made(6, seed=1)
    bad[4] = 0
    tickets = [runner.submit(fine), runner.submit(bad), runner.submit(fine)]
    for ticket in (tickets[0], tickets[2]):
        np.testing.assert_allclose(ticket.result(), expected(fine), rtol=1e-6)
    with pytest.raises(NotMeasurable, match="a black frame"):
        tickets[1].result()


class Small:
    """A device with room for so many items."""

    def __init__(self, room: int) -> None:
        self.room, self.seen = room, list[int]()

    def __call__(self, items: Tensor) -> Tensor:
        self.seen.append(len(items))
        if len(items) > self.room:
            raise torch.OutOfMemoryError("out of memory. Tried to allocate 20.00 GiB")
        return means(items)


def test_out_of_memory_halves_the_batch_and_keeps_it_small() -> None:
    encode = Small(room=5)
    runner = Runner("net", encode, device="cpu", batch=16)
    clip = made(40)
    np.testing.assert_allclose(runner.submit(clip).result(), expected(clip), rtol=1e-6)
    assert encode.seen[:3] == [16, 8, 4]
    assert set(encode.seen[3:]) == {4}, "what does not fit is not tried again"
    assert runner.items == 40


def test_out_of_memory_for_one_item_fails_its_clip_with_a_reason() -> None:
    runner = Runner("net", Small(room=0), device="cpu", batch=4)
    tickets = [runner.submit(made(3)), runner.submit(made(3))]
    for ticket in tickets:
        with pytest.raises(EncodingError, match=r"^net: out of memory on cpu for a single item of 3×24×40$"):
            ticket.result()


def test_out_of_memory_at_one_size_leaves_other_sizes_alone() -> None:
    def choosy(items: Tensor) -> Tensor:
        if items.shape[-1] > 100:
            raise torch.OutOfMemoryError("out of memory")
        return means(items)

    runner = Runner("net", choosy, device="cpu", batch=4)
    large, small = runner.submit(made(2, (3, 24, 200))), runner.submit(made(4))
    np.testing.assert_allclose(small.result(), expected(made(4)), rtol=1e-6)
    with pytest.raises(EncodingError, match="3×24×200"):
        large.result()


def test_a_failed_clip_is_not_encoded_any_further() -> None:
    encode = Counting()

    def broken(items: Tensor) -> Tensor:
        encode(items)
        raise KeyError("oops")

    ticket = Runner("net", broken, device="cpu").submit(made(50))
    with pytest.raises(KeyError):
        ticket.result()
    assert encode.batches == [1]


@pytest.mark.parametrize("wrong", [lambda items: means(items)[:0], lambda items: means(items).mean(dim=0)])
def test_a_network_that_gives_another_number_of_rows_fails(wrong: module.Encode) -> None:
    with pytest.raises(EncodingError, match=r"^net: gave \(.*\) for 1 items$"):
        Runner("net", wrong, device="cpu", batch=2).submit(made(2, (5, 24, 40))).result()


def test_rows_of_two_lengths_fail() -> None:
    lengths = iter((3, 2))
    ticket = Runner("net", lambda items: means(items)[:, : next(lengths)], device="cpu").submit(made(2))
    with pytest.raises(EncodingError, match="for one clip"):
        ticket.result()


def test_dropped_clips_are_not_encoded() -> None:
    encode = Counting()
    runner = Runner("means", encode, device="cpu", batch=8)
    kept, dropped = runner.submit(made(2)), runner.submit(made(3, seed=1))
    del dropped
    gc.collect()
    np.testing.assert_allclose(kept.result(), expected(made(2)), rtol=1e-6)
    assert encode.batches == [2]


def test_what_waits_is_a_copy() -> None:
    runner = Runner("means", means, device="cpu", batch=8)
    items = made(2)
    ticket = runner.submit(items)
    items[:] = 0
    np.testing.assert_allclose(ticket.result(), expected(made(2)), rtol=1e-6)


def test_waiting_items_of_many_sizes_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 20_000)
    runner = Runner("means", means, device="cpu", batch=100)
    tickets, clips = [], [made(1, (3, 10, 20 + width)) for width in range(200)]
    for clip in clips:
        tickets.append(runner.submit(clip))
        assert sum(part.items.nbytes for part in runner._parts()) <= 20_000
    assert runner.items > 150
    for ticket, clip in zip(tickets, clips, strict=True):
        np.testing.assert_allclose(ticket.result(), expected(clip), rtol=1e-6)


def test_sound_is_float_and_safe_from_its_network() -> None:
    def louder(items: Tensor) -> Tensor:
        return items.mul_(2).abs().amax(dim=-1)

    sound_SN = np.linspace(-1, 1, 3 * 100, dtype=np.float32).reshape(3, 100)
    before = sound_SN.copy()
    rows = Runner("peak", louder, device="cpu").submit(sound_SN).result()
    np.testing.assert_array_equal(sound_SN, before)
    np.testing.assert_allclose(rows, 2 * np.abs(before).max(axis=1), rtol=1e-6)


class Halving:
    """A first step, and how many items it has seen."""

    def __init__(self) -> None:
        self.items = 0

    def __call__(self, items: Tensor) -> Tensor:
        self.items += len(items)
        return items[..., ::2, ::2].float()


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_networks_that_share_a_first_step_do_it_once(batch: int) -> None:
    step = Halving()
    prepare = Preparation(step)
    one = Runner("one", Steps(prepare, lambda items: items.mean(dim=(2, 3))), device="cpu", batch=batch)
    other = Runner("other", Steps(prepare, lambda items: items.amax(dim=(2, 3))), device="cpu", batch=batch)
    windows = [made(6, seed=0), made(5, seed=1)]
    tickets = [(one.submit(window), other.submit(window)) for window in windows]
    for window, (first, second) in zip(windows, tickets, strict=True):
        half = window[..., ::2, ::2].astype(np.float32)
        np.testing.assert_allclose(first.result(), half.mean(axis=(2, 3)), rtol=1e-6)
        np.testing.assert_array_equal(second.result(), half.max(axis=(2, 3)))
    assert step.items == 11
    assert one.items == other.items == 11


def test_a_first_step_is_not_taken_for_that_of_other_frames() -> None:
    """Not even where new frames lie at the old ones' place in memory."""
    step = Halving()
    runner = Runner("one", Steps(Preparation(step), lambda items: items.mean(dim=(2, 3))), device="cpu")
    for seed in range(20):
        window = made(3, seed=seed)
        rows = runner.submit(window).result()
        np.testing.assert_allclose(rows, window[..., ::2, ::2].mean(axis=(2, 3)), rtol=1e-6)
        del window
    assert step.items == 60


def test_what_a_first_step_gave_goes_with_its_frames() -> None:
    prepare = Preparation(Halving())
    window = made(3)
    Runner("one", Steps(prepare, lambda items: items.mean(dim=(2, 3))), device="cpu").submit(window).result()
    assert prepare._done
    del window
    gc.collect()
    assert not prepare._done


def test_nothing_learns(recwarn: pytest.WarningsRecorder) -> None:
    encode = network()

    def watched(items: Tensor) -> Tensor:
        encoded: Tensor = encode(items.float())
        assert not encoded.requires_grad
        return encoded

    frames = made(2)
    frames.flags.writeable = False  # as the planner hands them out
    Runner("net", watched, device="cpu").submit(frames).result()
    assert not [warning for warning in recwarn if "writ" in str(warning.message)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
class TestOnAGpu:
    def test_bfloat16_agrees_with_float32_on_the_processor(self) -> None:
        """Cosine at least 0.999, and the largest difference 2 % of the largest number."""
        clip = made(40, (3, 224, 224))
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(256, 8, 1024, dropout=0.0, batch_first=True, norm_first=True)
        patches, blocks = nn.Conv2d(3, 256, 16, 16), nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        patches.eval(), blocks.eval()

        def encode(items: Tensor) -> Tensor:
            tokens = patches(items.float() / 127.5 - 1).flatten(2).mT
            encoded: Tensor = blocks(tokens).mean(dim=1)
            return encoded

        single = Runner("vit", encode, device="cpu").submit(clip).result()
        patches.cuda(), blocks.cuda()
        runner = Runner("vit", encode, device="cuda")
        brain = runner.submit(clip).result()
        cosines = (single * brain).sum(1) / np.linalg.norm(single, axis=1) / np.linalg.norm(brain, axis=1)
        assert cosines.min() > 0.999
        assert np.abs(single - brain).max() < 0.02 * np.abs(single).max()
        assert runner.calls < len(clip), "frames share batches"
        full = Runner("vit", encode, device="cuda", autocast=False).submit(clip).result()
        assert np.abs(single - full).max() < 2e-3 * np.abs(single).max()  # TF32 may be on

    def test_real_memory_runs_out_and_the_batch_shrinks(self) -> None:
        free, _ = torch.cuda.mem_get_info()
        greed = free // 5  # bytes per item: five would fill the card

        def greedy(items: Tensor) -> Tensor:
            room = torch.empty((len(items), greed), dtype=torch.uint8, device=items.device)
            room[:, :1] = 1
            return means(items) * room[:, :1]

        runner = Runner("greedy", greedy, device="cuda", batch=16)
        clip = made(20)
        np.testing.assert_allclose(runner.submit(clip).result(), expected(clip), rtol=1e-2)
        measured = Runner("greedy", greedy, device="cuda")
        np.testing.assert_allclose(measured.submit(clip).result(), expected(clip), rtol=1e-2)
        assert measured.calls >= 8, "half of the memory holds two at a time"
