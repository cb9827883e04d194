import torch

from moviegen.training.tae_linear import blocks, linear_psnr


def test_blocks_hold_each_value_once_and_neighbours_together() -> None:
    clips = torch.arange(2 * 3 * 8 * 16 * 16).reshape(2, 3, 8, 16, 16)
    found = blocks(clips, 4)
    assert found.shape == (2 * 2 * 2 * 2, 3 * 4 * 64)
    assert torch.equal(found[1].reshape(3, 4, 8, 8), clips[0, :, :4, :8, 8:])
    assert sorted(found.flatten().tolist()) == list(range(clips.numel()))


def test_clips_of_few_components_come_back_whole_and_noise_does_not() -> None:
    torch.manual_seed(0)
    patterns = torch.rand(3, 1, 3, 4, 8, 8)
    weights = torch.rand(20, 3, 1, 1, 1, 1)
    clips = ((weights[:, :, None] * patterns[None]).sum(dim=1)[:, 0] * 80).clamp(0, 255)
    assert linear_psnr(clips, clips, frames=4, components=4) > 60
    noise = torch.rand(20, 3, 4, 8, 8) * 255
    assert linear_psnr(clips, noise, frames=4, components=4) < 15
    more = [linear_psnr(noise, noise, frames=4, components=k) for k in (1, 4, 16)]
    assert more == sorted(more)
