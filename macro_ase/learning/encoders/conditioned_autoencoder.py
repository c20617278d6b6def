"""Training of a conditioned encoder, with a decoder, as an autoencoder.

    reconstruction + lambda_cond mean |kappa(phi' phi'^T) - 1|^2,

kappa being the condition number. States enter by their principal components, observables and the
Gram matrices of `first_layer.Reduced`, so no step of the training depends on N.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...arrays import Array
from ...observables.differentiable import Observables, States
from ...rng import Seed, coerce_rng
from ..descent import Problem, Recipe, descend, drawn, initialised, meter
from ..options import AutoencoderOptions
from .conditioned_encoder import ConditionedEncoder, Head, gram_of
from .first_layer import FirstLayer, Reduced
from .principal_components import PrincipalComponents

RECORD = 50
CONDITIONED = 64
STATIONARY = 1e-3
MOST_FOR_COMPONENTS = 2000


class AutoencoderTraining(NamedTuple):
    """How the training went."""

    history: Array


def train_autoencoder(
    states: States,
    observables: Observables,
    options: AutoencoderOptions,
    seed: Seed,
    progress: str = "encoder",
    features: Array | None = None,
    checkpoint: Path | None = None,
) -> tuple[ConditionedEncoder, AutoencoderTraining]:
    """Train encoder and decoder.

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
    checkpoint : Path, optional
        As in `descent.descend`.
    """
    rng = coerce_rng(seed)
    chosen = states[np.sort(rng.permutation(len(states))[:MOST_FOR_COMPONENTS])]
    components = PrincipalComponents.fit(chosen, options.width, features, options.raised)
    reduced = FirstLayer(observables, components).reduced(states)
    width, m = reduced.s.shape[1], reduced.given.shape[1]
    head, decoder = initialised(
        int(rng.integers(2**31)),
        lambda: (
            Head(width, options.variables, options.hidden).double(),
            Head(m + options.variables, width, options.hidden[::-1]).double(),
        ),
    )
    shift, spread = reduced.given.mean(dim=0), reduced.given.std(dim=0)
    variance, weight = float(reduced.s.var(dim=0).sum()), options.condition_weight
    moving = _moving(reduced)

    def loss(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        part, few = reduced.take(rows), torch.nonzero(moving[rows])[:CONDITIONED, 0]
        latent = torch.cat([(part.given - shift) / spread, head(part.s)], dim=1)
        left = ((decoder(latent) - part.s) ** 2).sum(dim=1).mean() / variance
        kappa = _condition_numbers(gram_of(head, part.take(few)))
        return left + weight * ((kappa - 1) ** 2).mean() if weight else left, left, kappa.mean()

    told = *vars(reduced).values(), weight, options.batch_size
    batches = drawn(len(states), options.batch_size)
    problem = Problem(nn.ModuleList([head, decoder]), loss, batches, told)
    with meter(options.steps, progress) as bar:
        recipe = Recipe(options.steps, options.learning_rate, 1.0)
        history = descend(problem, recipe, rng, bar, checkpoint, "the encoder")[:, 1:]
    records = sorted({*range(RECORD - 1, options.steps, RECORD), options.steps - 1})
    encoder = ConditionedEncoder(observables, components, head)
    return encoder, AutoencoderTraining(history[records])


def _moving(reduced: Reduced) -> Tensor:
    """Whether no given observable is stationary at a state: there kappa is infinite."""
    squares = torch.diagonal(reduced.gram, dim1=1, dim2=2)[:, : reduced.given.shape[1]]
    return (squares > STATIONARY * squares.mean(dim=0)).all(dim=1).expand(len(reduced.s))


def _condition_numbers(gram: Tensor) -> Tensor:
    values = torch.linalg.eigvalsh(gram)
    numbers: Tensor = values[:, -1] / values[:, 0].clamp(min=1e-300)
    return numbers
