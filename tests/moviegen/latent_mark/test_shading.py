"""Gaussian shading: standard normal noise, one keystream for each nonce, and a message that only the key gives back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from eval.marks.bits import random_message
from eval.marks.mark import MarkError
from moviegen.latent_mark.shading import fresh_nonce, keystream_signs, placed_signs, places, shaded_noise

SIZE = (32, 8, 8, 8)
MESSAGE = random_message(32, 7)
NONCES = [bytes([n]) * 12 for n in range(4)]


def noise(nonce: bytes, *, key: int = 5, seed: int = 0, size: tuple[int, int, int, int] = SIZE) -> torch.Tensor:
    return shaded_noise(MESSAGE, key, nonce, size, torch.Generator().manual_seed(seed))


def bits_of(noise_CTHW: torch.Tensor, key: int, nonce: bytes) -> np.ndarray:
    frames_TP = noise_CTHW.transpose(0, 1).flatten(1).numpy()
    where = places(*frames_TP.shape, 32)
    votes_TKR = frames_TP[np.arange(len(frames_TP))[:, None, None], where]
    signs_TKR = placed_signs(key, [nonce], *frames_TP.shape, 32)[0]
    return (votes_TKR * signs_TKR > 0).mean(axis=(0, 2))


def test_the_noise_is_standard_normal() -> None:
    values = torch.cat([noise(nonce, seed=n).flatten() for n, nonce in enumerate(NONCES)]).numpy()
    assert kstest(values, "norm").pvalue > 0.001
    for side in range(4):  # and so is every slice of it: no channel, frame, row or column stands out
        means = torch.stack([noise(nonce, seed=n) for n, nonce in enumerate(NONCES)]).transpose(0, side + 1).flatten(1)
        assert float((means.mean(dim=1) * means.shape[1] ** 0.5).abs().max()) < 4.5


def test_signs_and_magnitudes_are_independent_of_each_other() -> None:
    values = noise(NONCES[0])
    assert abs(float(torch.corrcoef(torch.stack([values.sign().flatten(), values.abs().flatten()]))[0, 1])) < 0.03


def test_clips_of_one_key_do_not_resemble_each_other_but_a_nonce_used_twice_shows() -> None:
    def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
        return float(torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0))

    assert abs(cosine(noise(NONCES[0], seed=1), noise(NONCES[1], seed=2))) < 0.035
    assert cosine(noise(NONCES[0], seed=1), noise(NONCES[0], seed=2)) == pytest.approx(2 / np.pi, abs=0.02)


def test_every_place_votes_for_the_message_under_the_right_key_and_nonce_alone() -> None:
    assert np.array_equal(bits_of(noise(NONCES[0]), 5, NONCES[0]), MESSAGE)
    for key, nonce in ((6, NONCES[0]), (5, NONCES[1]), (-5, NONCES[0])):
        assert np.abs(bits_of(noise(NONCES[0]), key, nonce) - 0.5).max() < 0.12


def test_the_keystream_is_rfc_8439_s() -> None:
    """Known answer: the stream must stay the same in years to come. Computed with a ChaCha20 of its own (below)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = HKDF(hashes.SHA256(), 32, None, b"moviegen latent mark").derive(b"\x05")
    stream = b"".join(block(key, counter, NONCES[1]) for counter in range(2))
    expected = 1 - 2 * np.unpackbits(np.frombuffer(stream, np.uint8)).astype(np.int8)
    assert np.array_equal(keystream_signs(5, NONCES[1], (1024,)), expected)


def block(key: bytes, counter: int, nonce: bytes) -> bytes:
    """ChaCha20's block function, RFC 8439 section 2.3, as it is written there."""
    words = np.frombuffer(b"expand 32-byte k" + key + counter.to_bytes(4, "little") + nonce, "<u4").astype(np.uint64)
    state = words.copy()
    mask = np.uint64(0xFFFFFFFF)
    quarters = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in 10 * [*quarters, *diagonals]:
        for to, plus, turned, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[to] = (state[to] + state[plus]) & mask
            mixed = state[turned] ^ state[to]
            state[turned] = ((mixed << np.uint64(by)) | (mixed >> np.uint64(32 - by))) & mask
    return ((state + words) & mask).astype("<u4").tobytes()


def test_every_latent_frame_carries_every_bit_in_places_of_its_own() -> None:
    where = places(8, 2048, 32)
    assert where.shape == (8, 32, 64)
    assert all(len(np.unique(frame)) == 2048 for frame in where)
    assert not np.array_equal(where[0], where[1])


def test_places_left_over_carry_nothing_and_too_few_are_refused_in_one_line() -> None:
    assert places(2, 70, 32).shape == (2, 32, 2)
    with pytest.raises(MarkError, match="cannot carry 32 bits: make a larger clip"):
        noise(NONCES[0], size=(4, 1, 2, 2))


def test_the_same_facts_give_the_same_noise_and_nonces_differ() -> None:
    assert torch.equal(noise(NONCES[0]), noise(NONCES[0]))
    assert len({fresh_nonce() for _ in range(1000)}) == 1000
