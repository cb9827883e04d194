"""Networks over batches that several clips share: items are handed in, encoded when a batch is full, and fetched later.

    submit(items) ──▶ waiting, by shape ──a full batch──▶ encode, on the device ──▶ Ticket.result()

On the processor a batch is one item: larger ones gain nothing there (DINO ViT-B/16: 1064 ms a frame, alone 948), and so
no result can depend on what else is encoded. On a GPU it may, by as much as bfloat16 rounds.

Shape legend: N items, C channels, H height, W width.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    Encode = Callable[[torch.Tensor], torch.Tensor]

Items = npt.NDArray[Any]
Shape = tuple[str, tuple[int, ...]]
"""What items of one batch have in common: dtype and shape without N."""

LARGEST = 64
"""Items in a batch at most: from here on a GPU gains nothing, whatever memory it has."""
SHARE = 0.5
"""Of the free GPU memory, for one batch: the measured first item stands for all, and other programs come and go."""
WAITING_BYTES = 256 << 20
"""Items that wait for their batch, over all shapes; what is more is encoded in smaller batches."""


class Preparation:
    """A first step that several networks share, such as a crop: done once for frames that each of them is handed.

    function: items of one shape, on the device → what the networks see, N,… in new memory, each item for itself.
    What it gave is kept until other items come, or these are gone.
    """

    def __init__(self, function: Encode) -> None:
        self._function = function
        self._items: weakref.ref[Items] | None = None
        self._done: dict[tuple[torch.device, int, int], torch.Tensor] = {}

    def __call__(self, items: Items, start: int, placed: torch.Tensor) -> torch.Tensor:
        """Of the items from `start` on that were placed on the device."""
        import torch

        if self._items is None or self._items() is not items:
            self._done.clear()
            self._items = weakref.ref(items, lambda _: self._done.clear())
        key = (placed.device, start, len(placed))
        if key not in self._done:
            with torch.inference_mode():
                self._done[key] = self._function(placed)
        return self._done[key]


class Steps(NamedTuple):
    """A network in two steps, of which others share the first: `encode` sees what `prepare` gives."""

    prepare: Preparation
    encode: Encode


class EncodingError(RuntimeError):
    """A network could not encode an item. The message is one line: which network, and why."""


class Ticket:
    """What items will become; dropping it drops those that still wait."""

    def __init__(self, runner: Runner, shape: Shape, count: int) -> None:
        self._runner, self._shape = runner, shape
        self._left = count
        self._count = count
        self._rows: npt.NDArray[np.float32] | None = None
        self._error: Exception | None = None

    def result(self) -> npt.NDArray[np.float32]:
        """float32 N,…, finite; encodes what still waits. Raises EncodingError, and whatever the network raised."""
        if self._left and self._error is None:
            self._runner.flush(self._shape)
        if self._error is not None:
            raise self._error
        assert self._rows is not None
        return self._rows

    @property
    def failed(self) -> bool:
        return self._error is not None

    def _fill(self, start: int, rows: npt.NDArray[np.float32]) -> None:
        if self._rows is None:
            self._rows = np.empty((self._count, *rows.shape[1:]), np.float32)
        if self._rows.shape[1:] != rows.shape[1:]:
            self._fail(EncodingError(f"gave rows of {self._rows.shape[1:]} and of {rows.shape[1:]} for one clip"))
            return
        self._rows[start : start + len(rows)] = rows
        self._left -= len(rows)

    def _fail(self, error: Exception) -> None:
        self._error, self._rows = error, None


@dataclass(frozen=True, slots=True)
class _Part:
    """Consecutive items of one ticket, on the device; `start` is the first one's place in it."""

    ticket: weakref.ref[Ticket]
    start: int
    items: torch.Tensor

    def __len__(self) -> int:
        return len(self.items)

    @property
    def wanted(self) -> bool:
        ticket = self.ticket()
        return ticket is not None and not ticket.failed


class Runner:
    """One network in this process, fed with the items of any clips.

    encode: items of one shape, a tensor on the device (uint8 N,C,H,W frames, channels last in memory; uint8 N,T,C,H,W
        windows; float32 sound) → float N,…, preprocessing included. It must not write into its items. Or Steps.
    device: None: that of eval.encoders.device.
    batch: items at most that are encoded together; None: as many as the GPU's free memory allows, one on the processor.
    autocast: bfloat16 on a GPU where torch deems it safe.
    calls, items: batches and items encoded so far.

    A failing item fails its own ticket only: its batch is tried again in halves. Of items not yet encoded only
    WAITING_BYTES are kept. Not for several threads.
    """

    def __init__(
        self,
        name: str,
        encode: Encode | Steps,
        *,
        device: str | torch.device | None = None,
        batch: int | None = None,
        autocast: bool = True,
    ) -> None:
        import torch

        from eval.encoders.device import device as usual

        self.name = name
        self.device = usual() if device is None else torch.device(device)
        self.calls = self.items = 0
        self._prepare = encode.prepare if isinstance(encode, Steps) else None
        self._encode = encode.encode if isinstance(encode, Steps) else encode
        self._autocast = autocast and self.device.type == "cuda"
        self._measures = batch is None and self.device.type == "cuda"
        self._batch = batch or (LARGEST if self._measures else 1)
        self._sizes: dict[Shape, int] = {}  # what memory allows, where that was measured or hit
        self._waiting: dict[Shape, list[_Part]] = {}

    def submit(self, items: Items) -> Ticket:
        """Hand in N ≥ 1 items, uint8 …,C,H,W or floats. They are copied where they have to wait."""
        assert len(items) > 0
        shape = (items.dtype.str, items.shape[1:])
        ticket = Ticket(self, shape, len(items))
        start = 0
        while start < len(items) and not ticket.failed:
            waiting = self._waiting.setdefault(shape, [])
            room = max(1, self._size(shape) - sum(map(len, waiting)))
            part = _Part(weakref.ref(ticket), start, self._seen(items, start, room))
            waiting.append(part)
            if len(part) == room:
                self.flush(shape)
            start += room
        self._make_room()
        return ticket

    def flush(self, shape: Shape) -> None:
        """Encode what waits of one shape."""
        parts = self._waiting.pop(shape, [])
        limit = self._size(shape)
        while parts := [part for part in parts if part.wanted]:
            chunk, rest = _cut(parts, limit)
            try:
                rows = self._run(shape, chunk)
            except Exception as error:  # noqa: BLE001  # a network may raise anything: it costs one ticket
                failure = error.with_traceback(None)  # its frames would keep the activations alive
            else:
                self._fill(chunk, rows)
                parts = rest
                continue
            limit = self._retreat(shape, chunk, failure)

    def _retreat(self, shape: Shape, chunk: Sequence[_Part], failure: Exception) -> int:
        """How many items to try next after a failure. That of a single item fails its ticket."""
        import torch

        count = sum(map(len, chunk))
        exhausted = _out_of_memory(failure)
        if exhausted and self.device.type == "cuda":
            torch.cuda.empty_cache()
        if count == 1:
            ticket = chunk[0].ticket()
            if ticket is not None:
                ticket._fail(self._too_large(shape) if exhausted else failure)
            return 1
        if exhausted:
            self._sizes[shape] = count // 2
        return count // 2

    def _run(self, shape: Shape, chunk: Sequence[_Part]) -> npt.NDArray[np.float32]:
        """The network's rows, float32 N,…, of one batch."""
        import torch

        count = sum(map(len, chunk))
        measure = self._measures and shape not in self._sizes
        if measure:
            torch.cuda.reset_peak_memory_stats(self.device)
        lower = torch.autocast(self.device.type, torch.bfloat16) if self._autocast else nullcontext()
        with torch.inference_mode(), lower:
            items = chunk[0].items if len(chunk) == 1 else torch.cat([part.items for part in chunk])
            encoded = self._encode(items)
            if not len(encoded) == len(items) == count:
                raise EncodingError(f"{self.name}: gave {tuple(encoded.shape)} for {count} items")
            rows: npt.NDArray[np.float32] = encoded.float().cpu().numpy()
        if measure:
            self._sizes[shape] = self._fitting(shape, count)
        self.calls += 1
        self.items += count
        return rows

    def _fill(self, chunk: Sequence[_Part], rows: npt.NDArray[np.float32]) -> None:
        """Hand rows to their tickets; a row that is not finite fails its ticket."""
        done = 0
        for part in chunk:
            own = rows[done : done + len(part)]
            done += len(part)
            ticket = part.ticket()
            if ticket is None:
                continue
            bad = np.flatnonzero(~np.isfinite(own.reshape(len(own), -1)).all(axis=1))
            if len(bad):
                ticket._fail(EncodingError(f"{self.name}: gave NaN or infinite numbers, first for item {bad[0]}"))
            else:
                ticket._fill(part.start, own)

    def _size(self, shape: Shape) -> int:
        """Items of this shape in a batch. A GPU's memory is measured over the first one."""
        return min(self._batch, self._sizes.get(shape, 1 if self._measures else self._batch))

    def _fitting(self, shape: Shape, count: int) -> int:
        """How many items fit into the free memory, as measured over `count` of them."""
        import torch

        left = torch.cuda.memory_allocated(self.device)  # the weights, which may have been loaded on the way, stay
        taken = max(1, torch.cuda.max_memory_allocated(self.device) - left) / count
        free = torch.cuda.mem_get_info(self.device)[0] + torch.cuda.memory_reserved(self.device) - left
        return max(1, min(int(SHARE * free / taken), WAITING_BYTES // _item_bytes(shape)))

    def _seen(self, items: Items, start: int, room: int) -> torch.Tensor:
        """What the network sees of the next items, on the device; not the caller's memory where it has to wait."""
        chunk = items[start : start + room]
        if self._prepare is None:
            return self._placed(chunk, keep=len(chunk) < room)
        return self._prepare(items, start, self._placed(chunk, keep=False))

    def _placed(self, items: Items, *, keep: bool) -> torch.Tensor:
        """Items on the device, in one memory layout whatever theirs; keep: beyond this call, so as a copy."""
        import torch

        laid = _laid_out(items)
        if self.device.type == "cpu" and (keep or laid.dtype != np.uint8) and np.may_share_memory(laid, items):
            laid = laid.copy(order="K")
        _let_torch_warn()
        return torch.from_numpy(laid).to(self.device)

    def _make_room(self) -> None:
        """Encode what waits, the longest waiting shape first, until it is little enough."""
        while self._waiting and sum(map(_part_bytes, self._parts())) > WAITING_BYTES:
            self.flush(next(iter(self._waiting)))

    def _parts(self) -> Iterator[_Part]:
        for parts in self._waiting.values():
            yield from parts

    def _too_large(self, shape: Shape) -> EncodingError:
        size = "×".join(map(str, shape[1]))
        return EncodingError(f"{self.name}: out of memory on {self.device} for a single item of {size}")


def _cut(parts: Sequence[_Part], count: int) -> tuple[list[_Part], list[_Part]]:
    """The parts of the first `count` items, and of the rest."""
    first: list[_Part] = []
    for index, part in enumerate(parts):
        room = count - sum(map(len, first))
        if room < len(part):
            rest = replace(part, start=part.start + room, items=part.items[room:])
            head = [replace(part, items=part.items[:room])] if room else []
            return first + head, [rest, *parts[index + 1 :]]
        first.append(part)
    return first, []


def _out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _laid_out(items: Items) -> Items:
    """Pictures channels last in memory (free for what the decoder gives), everything else as its shape says.

    Kernels for other layouts round differently, and the layout depends on how a clip was cut.
    """
    if items.dtype != np.uint8 or items.ndim < 4:
        return np.ascontiguousarray(items)
    last = items.ndim - 1
    to_last = (*range(last - 2), last - 1, last, last - 2)
    back = (*range(last - 2), last, last - 2, last - 1)
    return np.ascontiguousarray(items.transpose(to_last)).transpose(back)


@lru_cache(maxsize=1)
def _let_torch_warn() -> None:
    """Torch warns once in a process of memory that is read-only, as frames are; encode does not write."""
    import torch

    read_only = np.zeros(1, np.uint8)
    read_only.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.from_numpy(read_only)


def _item_bytes(shape: Shape) -> int:
    return int(np.dtype(shape[0]).itemsize * np.prod(shape[1], dtype=np.int64))


def _part_bytes(part: _Part) -> int:
    return int(part.items.nbytes)
