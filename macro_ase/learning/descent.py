"""The one training loop: Adam over batches, then L-BFGS over all data, the best validation kept.

A training that was stopped goes on to the same bytes: with a ``checkpoint`` its state (weights,
optimisers, schedule, random numbers, best, history) is written every `BLOCK_S` seconds and at the
end. A state of other data, options or seeds is left aside. Saving the model in the folder of the
checkpoint removes it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..arrays import Array
from ..files import write_atomically
from .adam import Adam
from .saved import TRAINING, cut_up, put_together, read_weights, weights_bytes

T = TypeVar("T")
ALL = slice(None)
BLOCK_S = 10.0
FORM = 2
"""Of the state that is kept: one of another form is left aside."""
_TURN = Lock()


@dataclass(frozen=True)
class Problem:
    """What is trained, on what.

    Attributes
    ----------
    module : Module
        It starts as it is.
    loss : callable
        Of rows: what is minimised, then what the history keeps beside it.
    batches : callable
        From a generator: the rows of each step of an epoch.
    told : tuple of arrays and numbers
        All that the losses depend on; tells this training from others.
    validate : callable, optional
        The loss whose least value decides which parameters are kept.
    """

    module: nn.Module
    loss: Callable[[Any], tuple[Tensor, ...]]
    batches: Callable[[np.random.Generator], Iterable[Any]]
    told: tuple[Any, ...]
    validate: Callable[[], Tensor] | None = None


@dataclass(frozen=True)
class Polish:
    """L-BFGS with a line search over all data, in blocks of iterations.

    With ``again`` every block starts afresh, whatever ended the one before.
    """

    iterations: int = 0
    block: int = 50
    again: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        """Upper limit."""
        most = self.iterations // self.block if self.again else -(-self.iterations // self.block)
        return max(most, int(self.again))


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam with a weight decay, then L-BFGS.

    The learning rate falls to zero as a cosine; ``clip`` is the largest norm of a gradient. After
    ``patience`` epochs without a better validation there are no more of Adam's; 0 is no limit.
    """

    epochs: int = 0
    learning_rate: float = 1e-3
    clip: float | None = None
    weight_decay: float = 0.0
    polish: Polish = field(default_factory=Polish)
    patience: int = 0


def descend(
    problem: Problem,
    recipe: Recipe,
    rng: np.random.Generator,
    bar: tqdm,
    checkpoint: Path | None = None,
    name: str = "the network",
) -> Array:
    """Train a module in place.

    Parameters
    ----------
    problem : Problem
    recipe : Recipe
    rng : Generator
        Of the batches.
    bar : tqdm
        Moves by one an epoch and a block.
    checkpoint : Path, optional
        The folder in which the model will be saved.
    name : str
        Of the file there, and in messages.

    Returns
    -------
    array, shape (epochs + blocks, n_values)
        Means of all that the loss gives over each epoch, then the validation, if there is one.
    """
    state = _Descent(problem, recipe, rng)
    file = None if checkpoint is None else Path(checkpoint) / TRAINING / f"{name}.safetensors"
    sign = "" if file is None else _digest(problem, recipe, rng)
    if file is not None:
        state.take_up(file, sign)
    bar.update(len(state.history))
    written = time.monotonic()
    while not state.done:
        state.advance()
        bar.update()
        if file is not None and (state.done or time.monotonic() - written >= BLOCK_S):
            state.write(file, sign)
            written = time.monotonic()
    history = np.array(state.history) if state.history else np.zeros((0, 1))
    _require_convergence(history, name, problem.validate is not None)
    if state.best:
        problem.module.load_state_dict(state.best)
    return history


class _Descent:
    """A training at some epoch."""

    def __init__(self, problem: Problem, recipe: Recipe, rng: np.random.Generator) -> None:
        self.problem, self.recipe, self.rng = problem, recipe, rng
        self.parameters = list(problem.module.parameters())
        groups = _decaying(problem.module, recipe.weight_decay)
        self.adam = Adam(groups, recipe.learning_rate, recipe.epochs)
        self._lbfgs: torch.optim.LBFGS | None = None
        self.epoch, self.block, self.converged = 0, 0, False
        self.best: dict[str, Tensor] = {}
        self.best_loss = np.inf
        if problem.validate is not None:
            self.best = copy.deepcopy(problem.module.state_dict())
        self.history: list[list[float]] = []

    @property
    def lbfgs(self) -> torch.optim.LBFGS:
        """Made when it is first asked for: it loads a compiler, like every optimiser of PyTorch."""
        if self._lbfgs is None:
            options = self.recipe.polish.options
            self._lbfgs = torch.optim.LBFGS(
                self.parameters, line_search_fn="strong_wolfe", **options
            )
        return self._lbfgs

    @property
    def done(self) -> bool:
        polished = self.converged or self.block >= self.recipe.polish.blocks
        return not self.descending and polished

    @property
    def descending(self) -> bool:
        """Whether there is another epoch of Adam."""
        patience, losses = self.recipe.patience, [row[-1] for row in self.history[: self.epoch]]
        waited = self.epoch - losses.index(min(losses)) - 1 if patience and losses else -1
        return self.epoch < self.recipe.epochs and waited < patience

    def advance(self) -> None:
        """One epoch, or one block of L-BFGS."""
        module = self.problem.module.train()
        values = self._adam_epoch() if self.descending else self._lbfgs_block()
        row = [float(np.mean(column)) for column in zip(*values)]
        if self.problem.validate is not None:
            module.eval()
            with torch.no_grad():
                row.append(float(self.problem.validate()))
            if row[-1] < self.best_loss:
                self.best, self.best_loss = copy.deepcopy(module.state_dict()), row[-1]
        self.history.append(row)

    def _adam_epoch(self) -> list[list[float]]:
        values = []
        for rows in self.problem.batches(self.rng):
            loss, *more = self.problem.loss(rows)
            self.problem.module.zero_grad()
            loss.backward()
            if self.recipe.clip is not None:
                torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
            self.adam.step()
            values.append([x.item() for x in (loss, *more)])
        self.adam.end_epoch()
        self.epoch += 1
        return values

    def _lbfgs_block(self) -> list[list[float]]:
        """Of a run that is cut into blocks the iterations are those of one without cuts."""
        polish, group = self.recipe.polish, self.lbfgs.param_groups[0]
        before = dict(self.lbfgs.state[self.parameters[0]])
        made = before.get("n_iter", 0)
        searched = before.get("func_evals", 0) - self.block
        most = polish.block if polish.again else polish.iterations - made
        group["max_iter"] = min(polish.block, most)
        group["max_eval"] = (most if polish.again else polish.iterations) * 5 // 4
        if not polish.again:
            group["max_eval"] -= searched
        self.lbfgs.step(self._closure)
        self.block += 1
        values = [x.item() for x in self.problem.loss(ALL)]
        if not polish.again:
            self.converged = self._ended(made + group["max_iter"], values[0])
        return [values]

    def _closure(self) -> Tensor:
        self.lbfgs.zero_grad()
        loss = self.problem.loss(ALL)[0]
        loss.backward()
        return loss

    def _ended(self, asked: int, loss: float) -> bool:
        """Whether `torch.optim.LBFGS` would have ended here, had there been no cut."""
        state, group = self.lbfgs.state[self.parameters[0]], self.lbfgs.param_groups[0]
        total = self.recipe.polish.iterations * 5 // 4
        if state["n_iter"] < asked or 1 + state["func_evals"] - self.block >= total:
            return True
        still = float((state["d"] * state["t"]).abs().max()) <= group["tolerance_change"]
        return bool(still or abs(loss - state["prev_loss"]) < group["tolerance_change"])

    def _parts(self) -> dict[str, Any]:
        names = ("adam", "lbfgs") if self.block else ("adam",)
        return {name: getattr(self, name).state_dict() for name in names}

    def write(self, file: Path, sign: str) -> None:
        """Keep the state."""
        values = ("epoch", "block", "converged", "best", "best_loss", "history")
        tree = self._parts() | {name: getattr(self, name) for name in values}
        tree |= {"weights": self.problem.module.state_dict(), "rng": self.rng.bit_generator.state}
        described, tensors = cut_up(tree)
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"sign": sign, "state": json.dumps(described)}
        write_atomically(file, weights_bytes(tensors, told))

    def take_up(self, file: Path, sign: str) -> None:
        """Go on from what was kept, if that is of the same training and whole."""
        try:
            tensors, told = read_weights(file)
            if told.get("sign") != sign:
                return
            tree = put_together(json.loads(told["state"]), tensors)
        except Exception:  # there is none, or it is damaged: training starts at the beginning
            return
        self.problem.module.load_state_dict(tree.pop("weights"))
        self.rng.bit_generator.state = tree.pop("rng")
        parts = {name: tree.pop(name) for name in ("adam", "lbfgs") if name in tree}
        vars(self).update(tree)
        for name, state in parts.items():
            getattr(self, name).load_state_dict(state)


def _decaying(module: nn.Module, decay: float) -> list[tuple[list[nn.Parameter], float]]:
    """Groups for an optimiser: weights of layers decay, what is linear in the data does not."""
    layers = {id(x.weight) for x in module.modules() if isinstance(x, nn.Linear)}
    parts: list[list[nn.Parameter]] = [[], []]
    for parameter in module.parameters():
        parts[id(parameter) in layers].append(parameter)
    return [(part, k * decay) for k, part in enumerate(parts) if part]


def _digest(problem: Problem, recipe: Recipe, rng: np.random.Generator) -> str:
    """Of form, data, options, the initial weights and the random numbers to come."""
    digest = hashlib.sha256(repr((FORM, recipe, rng.bit_generator.state)).encode())
    for x in (*problem.module.state_dict().values(), *problem.told):
        array = np.ascontiguousarray(x)
        digest.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _require_convergence(history: Array, name: str, keeps_best: bool) -> None:
    """Refuse what was never finite; warn of what was lost on the way."""
    fine = np.isfinite(history[:, [0, -1] if keeps_best else [0]]).all(axis=1)
    if fine.all():
        return
    if not (keeps_best and fine.any()):
        raise ValueError(f"training of {name} diverged; lower learning_rate")
    warnings.warn(
        f"training of {name} diverged in epoch {int(np.argmin(fine)) + 1}; what it was before is "
        "kept: lower learning_rate",
        stacklevel=4,
    )


def meter(total: int, label: str, unit: str = "step") -> tqdm:
    """A bar that is drawn on a terminal alone."""
    return tqdm(total=total, desc=label, disable=None, unit=unit)


def initialised(seed: int, make: Callable[[], T]) -> T:
    """What ``make`` builds with PyTorch's generator, which all threads share, set to a seed."""
    with _TURN:
        torch.manual_seed(seed)
        return make()


def drawn(n: int, size: int) -> Callable[[np.random.Generator], list[Tensor]]:
    """One batch of so many of n rows an epoch, drawn with replacement."""
    return lambda rng: [torch.as_tensor(rng.integers(0, n, size))]
