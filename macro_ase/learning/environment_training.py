"""Training of `environment_encoder.EnvironmentEncoder` as an autoencoder of pooled environments.

A decoder rebuilds from z the means and spreads of the environments' components over the atoms of
each configuration: what is known of it in any order and number of atoms. Afterwards a linear map
of the learned variables makes the mean of phi' phi'^T over some configurations a multiple of 1, so
that it is as well conditioned as a linear map can make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..rng import Seed, coerce_rng
from .conditioned_encoder import Head
from .environment_encoder import (
    Array,
    Configuration,
    EnvironmentEncoder,
    RadialFunctions,
    environments,
)
from .initialisation import initialised

CONDITIONED = 32


@dataclass(frozen=True)
class EnvironmentOptions:
    """How to train.

    Attributes
    ----------
    variables : int
        Learned closure variables, at most 2 (2 K + 1).
    hidden : tuple of int
        Layers of the network of an atom, and, reversed, of the decoder.
    steps, batch_size : int
        Of stochastic gradient descent; configurations a step.
    learning_rate : float
        At the start; it falls to zero as a cosine.
    """

    variables: int = 8
    hidden: tuple[int, ...] = (32, 32)
    steps: int = 1000
    batch_size: int = 16
    learning_rate: float = 3e-3


def train_environment_encoder(
    configurations: Sequence[Configuration],
    radial: RadialFunctions,
    given: Array,
    options: EnvironmentOptions,
    seed: Seed,
    progress: str = "encoder",
) -> tuple[EnvironmentEncoder, Array]:
    """Train on configurations of one number of atoms; the encoder serves any.

    Parameters
    ----------
    configurations : sequence of Configuration
    radial : RadialFunctions
    given : array, shape (m, 2 K + 1)
        A: given observables as means of linear functions of the environments.
    options : EnvironmentOptions
    seed : int, SeedSequence, Generator or None
    progress : str
        Label of the progress bar.

    Returns
    -------
    encoder : EnvironmentEncoder
    unexplained : array, shape (2 (2 K + 1),)
        Share of each target's variance that the decoder left.
    """
    rng = coerce_rng(seed)
    raw = np.stack([environments(c, radial) for c in configurations])
    flat = raw.reshape(-1, raw.shape[2])
    shift, scale = flat.mean(axis=0), np.maximum(flat.std(axis=0), 1e-12)
    scaled = torch.as_tensor((raw - shift) / scale)
    targets = _standardised(torch.cat([scaled.mean(dim=1), scaled.std(dim=1)], dim=1))
    known = _standardised(torch.as_tensor(raw.mean(axis=1) @ given.T))
    q, m = raw.shape[2], given.shape[0]
    head, decoder = initialised(
        int(rng.integers(2**31)),
        lambda: (
            Head(q, options.variables, options.hidden).double(),
            Head(m + options.variables, 2 * q, options.hidden[::-1]).double(),
        ),
    )

    def left(rows: Tensor | slice) -> tuple[Tensor, Tensor]:
        latent = head(scaled[rows].flatten(0, 1)).unflatten(0, (-1, scaled.shape[1])).mean(dim=1)
        unit = (latent - latent.mean(dim=0)) / latent.std(dim=0)
        rebuilt = decoder(torch.cat([known[rows], unit], dim=1))
        return ((rebuilt - targets[rows]) ** 2).mean(dim=0), latent

    parameters = [*head.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
    for _ in tqdm(range(options.steps), desc=progress, disable=None, unit="step"):
        rows = torch.as_tensor(rng.integers(0, len(raw), options.batch_size))
        loss = left(rows)[0].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        unexplained = left(slice(None))[0].numpy()
    encoder = EnvironmentEncoder(radial, given, head, shift, scale)
    few = [configurations[k] for k in rng.permutation(len(raw))[:CONDITIONED]]
    return conditioned(encoder, few), unexplained


def conditioned(
    encoder: EnvironmentEncoder, configurations: Sequence[Configuration]
) -> EnvironmentEncoder:
    """The encoder with learned variables mixed so that the mean of phi' phi'^T is c 1.

    c is the mean of its diagonal over the given observables, which stay what they are.
    """
    gram = np.mean([encoder.gram(c) for c in configurations], axis=0)
    m = len(encoder.given)
    size = np.sqrt(np.trace(gram[:m, :m]) / m)
    onto = np.linalg.solve(gram[:m, :m], gram[:m, m:]).T
    rest = gram[m:, m:] - onto @ gram[:m, m:]
    variances, axes = np.linalg.eigh(rest)
    mix = size * (axes / np.sqrt(np.maximum(variances, 1e-12 * variances[-1]))).T
    add = mix @ (encoder.add - onto @ encoder.given)
    return EnvironmentEncoder(
        encoder.radial,
        encoder.given,
        encoder.head,
        encoder.shift,
        encoder.scale,
        mix @ encoder.mix,
        add,
    )


def _standardised(values: Tensor) -> Tensor:
    return (values - values.mean(dim=0)) / values.std(dim=0).clamp(min=1e-12)
