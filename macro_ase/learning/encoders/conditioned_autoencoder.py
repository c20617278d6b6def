"""Training of a conditioned encoder, with a decoder, as an autoencoder.

    reconstruction + lambda_cond mean |kappa(phi' phi'^T) - 1|^2,

kappa being the condition number. States enter by their principal components, observables and the
Gram matrices of `first_layer.Reduced`, so no step of the training depends on N.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...arrays import Array
from ...rng import Seed, coerce_rng
from ..descent import initialised
from ..options import AutoencoderOptions
from .conditioned_encoder import ConditionedEncoder, Head, gram_of
from .first_layer import FirstLayer, Observables, Reduced, States
from .principal_components import PrincipalComponents

RECORD = 50
CONDITIONED = 64
STATIONARY = 1e-3
MOST_FOR_COMPONENTS = 2000


@dataclass(frozen=True)
class AutoencoderTraining:
    """How the training went.

    Attributes
    ----------
    history : array, shape (n_records, 2)
        Unexplained share of the components' variance, and mean condition number.
    """

    history: Array


def train_autoencoder(
    states: States,
    observables: Observables,
    options: AutoencoderOptions,
    seed: Seed,
    progress: str = "encoder",
    features: Array | None = None,
) -> tuple[ConditionedEncoder, AutoencoderTraining]:
    """Train encoder and decoder on states, shape (n, N).

    Parameters
    ----------
    states : array, shape (n, N)
    observables : Observables
    options : AutoencoderOptions
    seed : int, SeedSequence, Generator or None
    progress : str
        Label of the progress bar.
    features : array, shape (n_features, N), optional
        What principal components are taken of; default: the states.

    Raises
    ------
    ValueError
        If the states do not differ.
    """
    rng = coerce_rng(seed)
    chosen = states[np.sort(rng.permutation(len(states))[:MOST_FOR_COMPONENTS])]
    components = PrincipalComponents.fit(chosen, options.width, features, options.raised)
    reduced = FirstLayer(observables, components).reduced(states)
    width, m = reduced.s.shape[1], reduced.given.shape[1]
    sizes = (width, options.variables), (m + options.variables, width)
    head, decoder = initialised(
        int(rng.integers(2**31)),
        lambda: (
            Head(*sizes[0], options.hidden).double(),
            Head(*sizes[1], options.hidden[::-1]).double(),
        ),
    )
    shift, spread = reduced.given.mean(dim=0), reduced.given.std(dim=0)
    variance = float(reduced.s.var(dim=0).sum())

    moving, weighted = _moving(reduced), options.condition_weight > 0

    def losses(part: Reduced, may_count: Tensor) -> tuple[Tensor, Tensor]:
        latent = torch.cat([(part.given - shift) / spread, head(part.s)], dim=1)
        left = ((decoder(latent) - part.s) ** 2).sum(dim=1).mean() / variance
        few = torch.nonzero(may_count)[:CONDITIONED, 0]
        return left, _condition_numbers(gram_of(head, part.take(few)))

    optimizer = torch.optim.Adam([*head.parameters(), *decoder.parameters()], options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    history = []
    for step in tqdm(range(options.steps), desc=progress, disable=None, unit="step"):
        rows = torch.as_tensor(rng.integers(0, len(states), options.batch_size))
        left, kappa = losses(reduced.take(rows), moving[rows])
        loss = left + options.condition_weight * ((kappa - 1) ** 2).mean() if weighted else left
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*head.parameters(), *decoder.parameters()], 1.0)
        optimizer.step()
        schedule.step()
        if step % RECORD == RECORD - 1 or step == options.steps - 1:
            history.append((left.item(), kappa.mean().item()))
    encoder = ConditionedEncoder(observables, components, head)
    return encoder, AutoencoderTraining(np.array(history))


def _moving(reduced: Reduced) -> Tensor:
    """Whether no given observable is stationary at a state: there kappa is infinite."""
    squares = torch.diagonal(reduced.gram, dim1=1, dim2=2)[:, : reduced.given.shape[1]]
    return (squares > STATIONARY * squares.mean(dim=0)).all(dim=1).expand(len(reduced.s))


def _condition_numbers(gram: Tensor) -> Tensor:
    values = torch.linalg.eigvalsh(gram)
    return values[:, -1] / values[:, 0].clamp(min=1e-300)
