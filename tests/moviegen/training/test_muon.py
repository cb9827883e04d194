import pytest
import torch

from moviegen.training.muon import Muon, orthogonalised, parameter_groups


@pytest.mark.parametrize("shape", [(8, 8), (4, 20), (20, 4)])
def test_singular_values_come_out_near_one_with_the_same_directions(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert values.min() > 0.3
    assert values.max() < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(orthogonalised(matrix).flatten(), (u @ v).flatten(), dim=0) > 0.97


def test_vectors_follow_torchs_adamw() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Parameter(torch.ones(5)), torch.nn.Parameter(torch.ones(5))
    muon = Muon([{"params": [ours], "muon": False, "lr": 0.1, "weight_decay": 0.01}])
    adamw = torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.95), weight_decay=0.01)
    for _ in range(5):
        gradient = torch.randn(5)
        for parameter, optimiser in ((ours, muon), (theirs, adamw)):
            parameter.grad = gradient.clone()
            optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_an_update_of_a_convolution_has_the_size_of_adamws() -> None:
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(16, 32, 3)
    before = conv.weight.detach().clone()
    muon = Muon(parameter_groups(conv, 1e-2, torch.nn.Identity(), 0.0))
    conv(torch.randn(2, 16, 8, 8)).square().mean().backward()
    muon.step()
    assert float((conv.weight.detach() - before).square().mean().sqrt()) == pytest.approx(0.2 * 1e-2, rel=0.3)


def test_a_regression_is_solved() -> None:
    torch.manual_seed(0)
    layer, wanted = torch.nn.Linear(6, 4), torch.nn.Linear(6, 4).requires_grad_(False)
    muon = Muon(parameter_groups(layer, 0.05, torch.nn.Identity(), 0.0))
    inputs = torch.randn(64, 6)
    for step in range(200):
        for group in muon.param_groups:
            group["lr"] = 0.05 * (1 - step / 200)
        muon.zero_grad()
        (layer(inputs) - wanted(inputs)).square().mean().backward()
        muon.step()
    assert (layer(inputs) - wanted(inputs)).square().mean() < 1e-3


def test_the_code_moves_at_a_rate_of_its_own() -> None:
    network = torch.nn.ModuleDict({"code": torch.nn.Linear(4, 4), "net": torch.nn.Linear(4, 4)})
    groups = parameter_groups(network, 1e-2, network["code"], 1e-4)
    assert [(group["lr"], group["muon"], len(group["params"])) for group in groups] == [
        (1e-2, True, 1),
        (1e-2, False, 1),
        (1e-4, False, 2),
    ]
