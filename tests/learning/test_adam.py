"""Adam's steps are those of PyTorch's own classes, to the last digit."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.adam import Adam  # noqa: E402

pytestmark = pytest.mark.learn
EPOCHS, BATCHES, RATE = 4, 3, 0.01


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))


def gradients(module: torch.nn.Module) -> Iterator[int]:
    """Those of each batch; in every third the first layer has none."""
    generator = torch.Generator().manual_seed(1)
    for epoch in range(EPOCHS):
        for k in range(BATCHES):
            module.zero_grad()
            x = torch.randn(7, 3, generator=generator)
            (module(x) ** 2).sum().backward()
            if k == 2:
                module[0].zero_grad()
            yield epoch
        yield -1


def parts(module: torch.nn.Module) -> list[list[torch.nn.Parameter]]:
    own = list(module.parameters())
    return [own[1::2], own[::2]]


def ours(decay: float, epochs: int = EPOCHS, stopped: int = -1) -> list[torch.Tensor]:
    module = network()
    groups = [(part, k * decay) for k, part in enumerate(parts(module))]
    adam = Adam(groups, RATE, epochs)
    for k, epoch in enumerate(gradients(module)):
        if k == stopped:
            state = adam.state_dict()
            adam = Adam(groups, 1.0, epochs)
            adam.load_state_dict(state)
        adam.end_epoch() if epoch < 0 else adam.step()
    return list(module.parameters())


def theirs(decay: float) -> list[torch.Tensor]:
    module = network()
    groups = [{"params": p, "weight_decay": k * decay} for k, p in enumerate(parts(module))]
    adam = (
        torch.optim.AdamW(groups, RATE, foreach=True)
        if decay
        else torch.optim.Adam(module.parameters(), RATE, foreach=True)
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, EPOCHS)
    for epoch in gradients(module):
        schedule.step() if epoch < 0 else adam.step()
    return list(module.parameters())


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_steps_are_those_of_pytorch(decay: float) -> None:
    assert same(ours(decay), theirs(decay))


def test_another_decay_or_schedule_is_noticed() -> None:
    assert not same(ours(0.3), theirs(0.31))
    assert not same(ours(0.3, epochs=EPOCHS + 1), theirs(0.3))


def test_it_goes_on_from_its_state() -> None:
    assert same(ours(0.3, stopped=6), ours(0.3))
