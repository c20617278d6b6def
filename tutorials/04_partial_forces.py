# %% [markdown]
# # Macroscopic dynamics from forces on a few particles
#
# A simulation of $x' = f(x)$ spends its time on $f$. If a macroscopic law $z' = g(z)$ is all
# that is wanted, must every force of a configuration be computed to learn it?
#
# With an encoder $z = \varphi(x)$, its Jacobian $\varphi'$ and the pseudo-inverse $\varphi'^+$,
#
# $$ L_z = \langle |\varphi' f - g(z)|^2 \rangle, \qquad
#    L_x = \langle |f - \varphi'^+ g(z)|^2 \rangle. $$
#
# $L_z$ needs all of $f$ for one number. $L_x$ is a sum over particles, and a sum can be sampled:
# $L_{x,p}$ takes a random share $p$ of them, and has the same mean. So a budget of forces reaches
# $1/p$ times as many configurations (Chen and Li, arXiv 2410.23938).
#
# `python tutorials/04_partial_forces.py` takes about a minute, with `--quick` seconds. It saves its
# figure to a temporary folder, or to the one that `--out FOLDER` names.

# %%
import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from ase.build import bulk
from matplotlib.figure import Figure

from macro_ase.engines.patches.partial_forces import Bins, LennardJonesForce, choose_block
from macro_ase.learning.encoders.conditioned_autoencoder import train_autoencoder
from macro_ase.learning.force_batch import ForceBatch
from macro_ase.learning.force_losses import loss_x, loss_x_partial, loss_z
from macro_ase.learning.models.drift_model import train_drift
from macro_ase.learning.models.paths import rollout, trajectory_errors
from macro_ase.learning.options import AutoencoderOptions, DriftOptions
from macro_ase.observables.differentiable import LinearObservables
from macro_ase.rng import coerce_rng
from macro_ase.systems.pooled_features import PooledForces, RadialBasis
from macro_ase.systems.predator_prey import PredatorPrey

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="little training, to see that it runs")
parser.add_argument("--out", type=Path, help="folder for the figure")
options, _ = parser.parse_known_args()
QUICK = options.quick
OUT = options.out or Path(tempfile.mkdtemp(prefix="partial-forces-"))
OUT.mkdir(parents=True, exist_ok=True)
print(f"the figure goes to {OUT}")
torch.set_num_threads(1)

# %% [markdown]
# ## 1. The system
#
# Prey $u$ and predators $v$ on a line of 50 cells, $u' = u (1 - u - v)$,
# $v' = 3 v (u - 0.4) + v_{xx}$, started from waves. A "particle" is a cell, with two coordinates;
# the "force" on it is $(u', v')$. What we want to predict are the means of both, but these alone
# are not closed: their future depends on the wave.

# %%
CELLS = 50
system = PredatorPrey(CELLS, noise=0.0)
times = np.arange(0, 30.01, 0.3)


def runs(number, seed):
    """Paths of the fields from random waves, shape (number, n_t, 2 * CELLS)."""
    rng = coerce_rng(seed)
    start = system.wave(rng.uniform(0.4, 0.6, number), rng.uniform(0, 0.2, number), 5)
    return system.run(start, times, 0.05, None, "rk4").reshape(number, len(times), -1)


def forces(x):
    """Right-hand side, of the shape of the states."""
    return system.rates(x.reshape(-1, 2, CELLS)).reshape(x.shape)


states = runs(200, seed=1).reshape(-1, 2 * CELLS)
test = runs(20, seed=2)
print(f"{len(states)} configurations to learn from, {len(test)} test runs")

# %% [markdown]
# ## 2. The encoder
#
# $\varphi = (\varphi^*, \hat\varphi)$: the two means, which are given, and two learned variables
# that let a decoder rebuild the fields. No forces are needed for it. A second term of its loss
# keeps the Gram matrix $G = \varphi' \varphi'^T$ well conditioned, because
# $\varphi'^+ = \varphi'^T G^{-1}$.

# %%
means = LinearObservables(np.repeat(np.eye(2) / CELLS, CELLS, axis=1))
encoder, training = train_autoencoder(
    states,
    means,
    AutoencoderOptions(
        width=8,
        raised=0.1,
        variables=2,
        steps=150 if QUICK else 2000,
        batch_size=128,
        learning_rate=1e-2,
    ),
    np.random.SeedSequence(0),
)
left, kappa = training.history[-1]
print(f"variance not rebuilt {left:.1e}; mean condition number of the Gram matrix {kappa:.0f}")

few = states[:: len(states) // 200]
gram, jacobian = encoder.gram(few), encoder.jacobian(few)
print(f"G is phi' phi'^T to {np.abs(gram - jacobian @ jacobian.transpose(0, 2, 1)).max():.0e}")

# %% [markdown]
# What is left of $f$ outside the rows of $\varphi'$ does not move $z$. In $L_{x,p}$ it is noise:
# the smaller its share, the more a few forces are worth.

# %%
f = forces(few)
inside = np.einsum("ndk,nd->nk", jacobian, np.linalg.solve(gram, jacobian @ f[..., None])[..., 0])
print(f"share of |f|^2 outside the rows: {((f - inside) ** 2).sum() / (f**2).sum():.4f}")

# %% [markdown]
# ## 3. The loss of a few is the loss of all, in the mean
#
# A `ForceBatch` holds what the losses need: $z$, $G$, and of the chosen particles $I$ the sums
# $J_I J_I^T / p$, $J_I f_I / p$ and $|f_I|^2 / p$. It does not grow with the number of particles.


# %%
def batch_of(x, p, rng, layer=encoder):
    """Forces on a random share p of the cells of each configuration, through an encoder."""
    z, gram = layer.encode(x), layer.gram(x)
    if p == 1:
        return ForceBatch.of(z, gram, layer.jacobian(x), forces(x), 1)
    cells = np.argsort(rng.random((len(x), CELLS)), axis=1)[:, : round(p * CELLS)]
    columns = np.concatenate([cells, cells + CELLS], axis=1)
    known = np.take_along_axis(forces(x), columns, axis=1)
    return ForceBatch.of(z, gram, layer.jacobian(x, columns), known, p)


rng = coerce_rng(3)
one = np.repeat(few[50:51], 4000, axis=0)
some_drift = np.full((len(one), 4), 0.01)
exact = loss_x(batch_of(one[:1], 1, rng))(some_drift[:1])[0]
sampled = loss_x_partial(batch_of(one, 0.2, rng))(some_drift)
error = sampled.std() / np.sqrt(len(sampled))
print(f"L_x = {exact:.5f}; mean of L_x,p over subsets {sampled.mean():.5f} +- {error:.5f}")

# %% [markdown]
# ## 4. Equal numbers of forces
#
# 200 full-force equivalents: all forces of 200 configurations for $L_z$, or a fifth of the forces
# of 1,000 configurations for $L_{x,1/5}$.
#
# The last line takes the rows of the encoder's first layer $S$, the principal components and the
# means: these ten hold the forces better than the four of $\varphi'$. With $z' = B S'$ the loss of
# a drift $g$ is then the least over all $S'$ that agree with it, $B S' = g$. A small floor keeps
# what few forces say nothing of from counting.

# %%
EQUIVALENTS, P = 200, 0.2
drawn = states[rng.permutation(len(states))]
how = DriftOptions(steps=100 if QUICK else 1000, batch_size=256, polish=50 if QUICK else 400)
z_true = encoder.encode(test.reshape(-1, 2 * CELLS)).reshape(len(test), len(times), -1)
predicted = {}
for name, loss, p, layer in (
    ("L_z", loss_z, 1, encoder),
    ("L_x,1/5", loss_x_partial, P, encoder),
    ("L_x,1/5, components", loss_x_partial, P, encoder.first),
):
    chosen = drawn[: round(EQUIVALENTS / p)]
    batch = batch_of(chosen, p, rng, layer).with_floor(1e-6)
    form = loss(batch)
    if layer is encoder.first:
        form = form.carried(encoder.chain(batch.z0))
    drift = train_drift(
        encoder.encode(chosen), batch.condition, form, how, np.random.SeedSequence(4), name
    )
    path = rollout(drift, z_true[:, 0], times, 0.3)
    predicted[name] = path
    errors = trajectory_errors(path[..., :2], z_true[..., :2])
    print(f"{name:20s} {len(batch):5d} configurations: error {errors.mean():.2e}")

# %% [markdown]
# The error is $\sum_t |z^*_\mathrm{pred} - z^*_\mathrm{true}| / \sum_t |z^*_\mathrm{true}|$,
# averaged over test runs. Each network integrates the law from the first state alone.

# %%
figure = Figure(figsize=(10.5, 3.4), layout="constrained")
for ax, (name, path) in zip(figure.subplots(1, 3), predicted.items()):
    for run in range(4):
        ax.plot(times, path[run, :, 0], color=f"C{run}", lw=1)
        ax.plot(times[::3], z_true[run, ::3, 0], ".", color=f"C{run}", ms=3)
    ax.set(xlabel="time", ylabel="mean prey u", title=name)
figure.savefig(OUT / "1_runs.png", dpi=130)

# %% [markdown]
# ## 5. Atoms: forces on 50 of them tell the rates of all
#
# For atoms, means over all of them serve every number and order of atoms: the temperature $T$,
# radial functions $R_k$ of pair distances, and $\dot R_k$. Positions follow velocities, so forces
# enter through derivatives by velocity alone, and those of $\dot R_k$ are the forces of a pair
# potential $R_k$. If the true forces are of that kind, those on a few atoms determine the
# coefficients, and with them the rates of all: $L_{x,p}$ becomes force matching.

# %%
BLOCK = 50
basis = RadialBasis()
rng = coerce_rng(5)
for side in (5, 8) if QUICK else (5, 8, 13):
    atoms = bulk("Ar", "fcc", (4 / 0.8) ** (1 / 3), cubic=True) * (side, side, side)
    atoms.rattle(0.04, rng=rng)
    bins, everyone = Bins(atoms, 2.5), np.arange(len(atoms))
    forces_on_all = LennardJonesForce(cutoff_A=2.5)(bins, everyone)
    velocities = rng.normal(size=(len(atoms), 3)) + 0.05 * forces_on_all  # so that T changes
    velocities -= velocities.mean(axis=0)
    block = choose_block(atoms, BLOCK, rng)
    seen = PooledForces.measure(atoms, velocities, forces_on_all, block, basis)
    rate = seen.rates()[0, 0]
    from_block = seen.rates_from_blocks(BLOCK / len(atoms))[0, 0]
    sampled = 2 * (velocities * forces_on_all)[block].sum() / (3 * BLOCK)
    print(
        f"{len(atoms):5d} atoms: dT/dt = {rate:7.3f}; from the forces on {BLOCK}: "
        f"{from_block:7.3f} by L_x,p, {sampled:7.3f} by their mean"
    )

# %% [markdown]
# ## What to keep in mind
#
# - The noise of $L_{x,p}$ is the part of the forces outside the rows of $\varphi'$. More rows make
#   it small; fewer variables make the drift easy to learn. The rows of the first layer
#   (`forces.rows = "components"` in the studies) give both.
# - With plenty of data both losses are limited by the encoder and the network instead.
# - `macro-ase run predator-prey-forces`, `allen-cahn-forces`, `lennard-jones-forces` and
#   `lennard-jones-saving` are the full studies.
