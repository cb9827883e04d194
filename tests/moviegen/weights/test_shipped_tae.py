import json

import torch

from eval.hashing import file_sha256
from moviegen.weights import shipped
from moviegen.weights.tae import load_tae


def test_the_shipped_autoencoder_is_what_its_card_says() -> None:
    path = shipped("tae-f8t4")
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == file_sha256(path)
    assert path.stat().st_size < 6_000_000
    tae = load_tae()
    clip = torch.zeros(1, 3, 5, 64, 64)
    assert tae.decode(tae.encode(clip), 5).shape == clip.shape
