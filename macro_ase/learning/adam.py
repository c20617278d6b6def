"""Adam with a weight decay of its own for each group, its rate falling to zero as a cosine.

    m <- b1 m + (1 - b1) g,    v <- b2 v + (1 - b2) g^2,    w <- w (1 - r d)
    w <- w - r (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8),    b1 = .9, b2 = .999

(Kingma & Ba 2014; the decay d beside the gradient, Loshchilov & Hutter 2017) by PyTorch's function:
`torch.optim.AdamW`, which calls it, loads a compiler that nobody asks for, in 1.5 s a process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETAS, SMALLEST = (0.9, 0.999), 1e-8


class Adam:
    """The state of a descent.

    Parameters
    ----------
    groups : sequence of (list of Parameter, float)
        What is trained, with the weight decay d of each group.
    learning_rate : float
        r of the first epoch.
    epochs : int
        After so many the rate is zero.
    """

    def __init__(
        self,
        groups: Sequence[tuple[list[nn.Parameter], float]],
        learning_rate: float,
        epochs: int,
    ) -> None:
        self.groups, self.epochs = groups, max(epochs, 1)
        self.rate, self.epoch = learning_rate, 0
        parameters = [p for own, _ in groups for p in own]
        self.steps = [torch.tensor(0.0) for _ in parameters]
        self.first, self.second = ([torch.zeros_like(p) for p in parameters] for _ in range(2))

    def step(self) -> None:
        """Move what has a gradient."""
        k = 0
        for own, decay in self.groups:
            moved = [(i, p) for i, p in enumerate(own, k) if p.grad is not None]
            k += len(own)
            at = [i for i, _ in moved]
            states = [[x[i] for i in at] for x in (self.first, self.second, self.steps)]
            self._move([p for _, p in moved], states, decay)

    @torch.no_grad()
    def _move(self, parameters: list[nn.Parameter], states: list[list[Tensor]], d: float) -> None:
        first, second, steps = states
        adamw(
            list(parameters),
            [p.grad for p in parameters if p.grad is not None],
            first,
            second,
            [],
            steps,
            foreach=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.rate,
            weight_decay=d,
            eps=SMALLEST,
            maximize=False,
        )

    def end_epoch(self) -> None:
        """Lower the rate, in the steps of `torch.optim.lr_scheduler.CosineAnnealingLR`."""
        before, after = (1 + math.cos(math.pi * (self.epoch + k) / self.epochs) for k in (0, 1))
        self.rate, self.epoch = after / before * self.rate, self.epoch + 1

    def state_dict(self) -> dict[str, Any]:
        """All that changes on the way."""
        return {name: getattr(self, name) for name in ("rate", "epoch", "steps", "first", "second")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        vars(self).update(state)
