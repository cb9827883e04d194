"""Which clips each training step sees: a pure function of the step, so a resumed run goes on as if never stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import torch

_CYCLE = 100


def generator(*key: int) -> torch.Generator:
    """A generator of its own for a key, as (seed, step). The key is hashed: torch's takes 32 bits of a seed only."""
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))


def cycle(shares: Sequence[float]) -> tuple[int, ...]:
    """A hundred places among buckets, each bucket as often as its share says and as evenly spread as can be."""
    owed = [0.0] * len(shares)
    places = []
    for _ in range(_CYCLE):
        owed = [debt + share for debt, share in zip(owed, shares, strict=True)]
        place = max(range(len(shares)), key=owed.__getitem__)
        owed[place] -= 1
        places.append(place)
    return tuple(places)


class StepOrder:
    """Step -> bucket and rows. Each bucket's rows are shuffled anew every time it has been gone through.

    Per bucket: shares of the steps, sizes in rows, and batches, the rows in a step.
    """

    def __init__(self, shares: Sequence[float], sizes: Sequence[int], batches: Sequence[int], seed: int) -> None:
        assert all(size > 0 for size in sizes), "every bucket has rows"
        self._cycle = cycle(shares)
        self._sizes = tuple(sizes)
        self._batches = tuple(batches)
        self._seed = seed

    def __call__(self, step: int) -> tuple[int, list[int]]:
        """The bucket of a step and its rows in it."""
        cycles, place = divmod(step, _CYCLE)
        bucket = self._cycle[place]
        earlier = cycles * self._cycle.count(bucket) + self._cycle[:place].count(bucket)
        size, batch = self._sizes[bucket], self._batches[bucket]
        rows = []
        for position in range(earlier * batch, (earlier + 1) * batch):
            epoch, row = divmod(position, size)
            rows.append(_shuffled(self._seed, bucket, epoch, size)[row])
        return bucket, rows


@lru_cache(maxsize=32)
def _shuffled(seed: int, bucket: int, epoch: int, size: int) -> list[int]:
    order: list[int] = torch.randperm(size, generator=generator(seed, bucket, epoch)).tolist()
    return order
