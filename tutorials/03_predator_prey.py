# %% [markdown]
# # Predator and prey: a noisy field, and the law of its means from patches of it
#
# Prey $u$ and predators $v$ live on a line of cells between two walls:
#
# $$ \dot u = u (1 - u - v) + \xi_u, \qquad \dot v = a v (u - b) + v_{xx} + \xi_v. $$
#
# From waves the means of $u$ and $v$ oscillate into the state of rest $(b, 1 - b)$, and noise keeps
# them moving there. What law do the two means obey by themselves, and can patches of the line teach
# it? Everything here runs on the light core, without PyTorch: a polynomial takes the place of the
# networks that `macro-ase run predator-prey` trains.
#
# `python tutorials/03_predator_prey.py` takes half a minute, with `--quick` seconds. It saves its
# figures to a temporary folder, or to the one that `--out FOLDER` names.

# %%
import argparse
import tempfile
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.linalg import solve_continuous_lyapunov

from macro_ase.analysis.mmd import squared_mmd_with_error, standardise
from macro_ase.analysis.path_scores import score_paths
from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.observables.field_moments import second_moments
from macro_ase.systems.predator_prey import PredatorPrey

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="few samples, to see that it runs")
parser.add_argument("--out", type=Path, help="folder for the figures")
options, _ = parser.parse_known_args()
QUICK = options.quick
OUT = options.out or Path(tempfile.mkdtemp(prefix="predator-prey-"))
OUT.mkdir(parents=True, exist_ok=True)
print(f"figures go to {OUT}")


def panel(xlabel, ylabel):
    """An empty figure and its axes."""
    figure = Figure(figsize=(5.2, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure, ax


# %% [markdown]
# ## 1. Without noise: damped oscillations
#
# Around the state of rest the means obey $\dot \delta = J \delta$ with
#
# $$ J = \begin{pmatrix} -b & -b \\ a (1 - b) & 0 \end{pmatrix}, $$
#
# whose eigenvalues $-.2 \pm .825 i$ say how fast they oscillate and die.

# %%
line = PredatorPrey(200)
quiet = replace(line, noise=0.0)
a, b = line.a, line.b
J = np.array([[-b, -b], [a * (1 - b), 0.0]])
print("eigenvalues of J:", np.linalg.eigvals(J).round(4))
times = np.linspace(0, 30, 301)
z = quiet.direct(quiet.wave(0.5, 0.1), times, 0.02, scheme="rk4")[0]
late = z[150:, 0] - b
crossings = times[150:-1][late[:-1] * late[1:] < 0]
print(f"half period at late times {np.diff(crossings).mean():.2f}, exact {np.pi / 0.8246:.2f}")
figure, ax = panel("mean u", "mean v")
ax.plot(*z.T)
ax.plot(b, 1 - b, "k+")
figure.savefig(OUT / "1_spiral.png", dpi=130)

# %% [markdown]
# **Exercise.** How long a time step is allowed, and what happens beyond it?
#
# *Solution.* The shortest wave of $v$ decays at rate $4 + ab$, so Euler's method needs
# $dt < 2 / (4 + ab)$. The program says so.

# %%
try:
    quiet.advance(quiet.wave(0.5, 0.1), 1.0, 0.5)
except ValueError as error:
    print(f"refused: {error}")

# %% [markdown]
# ## 2. With noise: how far the means move
#
# Each cell gets its own noise of size $g = .02$ per square root of time, so the mean over $n$ cells
# gets $g / \sqrt n$. In the linear picture the covariance $C$ of the means at rest solves
#
# $$ J C + C J^T + \frac{g^2}{n} 1 = 0. $$

# %%
runs = 100 if QUICK else 400
for n in (50, 200):
    system = PredatorPrey(n)
    rest = np.tile(np.array([b, 1 - b])[:, None], (runs, 1, n))
    end = system.direct(rest, [20.0], 0.02, rng=0)[:, 0]
    exact = np.sqrt(np.diag(solve_continuous_lyapunov(J, -(0.02**2) / n * np.eye(2))))
    error = exact / np.sqrt(2 * runs)
    for k, name in enumerate("uv"):
        print(
            f"n = {n:3d}: std of mean {name} {end[:, k].std(ddof=1):.5f} +- {error[k]:.5f}, "
            f"linear theory {exact[k]:.5f}"
        )

# %% [markdown]
# **Exercise.** Cut every cell into two. Does the noise of the mean stay what it was?
#
# *Solution.* With `noise_kind="lattice"` each cell keeps its noise, and twice as many cells mean a
# quieter line. With `"white"`, the noise of a stochastic partial differential equation, each cell
# gets more, and the mean does not see the grid.

# %%
for kind in ("lattice", "white"):
    stds = []
    for n, h in ((50, 1.0), (100, 0.5)):
        system = PredatorPrey(n, noise_kind=kind, spacing=h)
        start = np.tile(np.array([b, 1 - b])[:, None], (runs, 1, n))
        stds.append(system.direct(start, [3.0], 0.02, rng=1)[:, 0, 0].std())
    print(
        f"{kind:8s} std of mean u: {stds[0]:.5f} with cells of 1, {stds[1]:.5f} with cells of 1/2"
    )

# %% [markdown]
# ## 3. A field is atoms too
#
# One atom a cell, the fields in `atoms.arrays`: observers, logs and files are ASE's.

# %%
atoms = line.to_atoms(line.wave(0.5, 0.1)[0])
dynamics = FieldDynamics(
    atoms, line, timestep=0.01, rng=0, trajectory=OUT / "run.xyz", loginterval=100
)
spread = []
dynamics.attach(lambda: spread.append(atoms.arrays["v"].std()), interval=100)
dynamics.run(500)
print("spread of v along the line at t = 0, 1, ...:", np.round(spread, 3))

# %% [markdown]
# ## 4. Patches in their true surroundings
#
# Five patches of 40 cells tile the line. Each evolves alone for $dt = .1$ between two ghost cells
# that hold what its neighbours held. Evolved once with random numbers and once with their
# opposites, a change splits into drift (even) and noise (odd). The mean of the drifts over patches
# should be that of the whole, and the noise of one patch $K = 5$ times that of the whole.

# %%
line = line.changed(time_step=0.01)
plan = line.plan(
    small=100,
    large=200,
    core=40,
    growing="interpolation",
    spacing=2.0,
    ages=tuple(np.arange(0, 6, 0.3)) + tuple(np.arange(6, 30.1, 1.0)),
    relax_time=1.0,
    dt=0.1,
)
large = line.snapshots(plan, 10 if QUICK else 50, {}, np.random.default_rng(0)).states
print(f"{len(large)} large states, interpolated from small runs and relaxed")


def evolved(own):
    """z, increments of every patch, and their mean over patches; the same random numbers."""
    made = line.increments(own, large, second_moments, {}, np.random.default_rng(1))
    return made.z0, made.dz, made.mean


z0, dz, mean = evolved(plan)
_, whole_dz, whole_mean = evolved(replace(plan, core=200))
for k, name in enumerate(("mean u", "mean v")):
    off = np.sqrt(((mean - whole_mean)[:, k] ** 2).mean()) / whole_mean[:, k].std()
    noise = [(x - m[:, None])[..., k].var() for x, m in ((dz, mean), (whole_dz, whole_mean))]
    ratio = noise[0] / noise[1]
    print(f"{name}: drift off by {100 * off:.2f} %, noise of a patch over the whole's {ratio:.2f}")

# %% [markdown]
# **Exercise.** Close every patch to a little ring instead. Where is the error?
#
# *Solution.* The waves here have the length of a patch, so a ring hardly matters. Patches of 25
# cells cut the waves anywhere, and a ring joins what does not belong together.

# %%
for boundary in ("frozen", "periodic"):
    _, _, cut = evolved(replace(plan, core=25, boundary=boundary))
    off = np.sqrt(((cut - whole_mean)[:, 3] ** 2).mean()) / whole_mean[:, 3].std()
    print(f"{boundary:8s} patches of 25 cells: drift of the mean of u v off by {100 * off:.2f} %")

# %% [markdown]
# ## 5. What the means do not know
#
# The rates of the means are exact in two more means:
#
# $$ \frac{d\bar u}{dt} = \bar u - \overline{u^2} - \overline{u v}, \qquad
#    \frac{d\bar v}{dt} = a (\overline{u v} - b \bar v). $$
#
# So $(\overline{u^2}, \overline{u v})$ are natural closure variables. Fit the drift by a polynomial
# of second order, with and without them, and look at what is left on states held out.


# %%
def powers(z, centre, scale):
    """1, all components, all products of two, shape (n, terms)."""
    y = (z - centre) / scale
    pairs = combinations_with_replacement(range(y.shape[1]), 2)
    products = np.stack([y[:, i] * y[:, j] for i, j in pairs], axis=1)
    return np.hstack([np.ones((len(y), 1)), y, products])


train = np.arange(len(z0)) // len(plan.ages) % 5 > 0
models = {}
for label, d in (("means alone", 2), ("with closure", 4)):
    units = z0[:, :d].mean(axis=0), z0[:, :d].std(axis=0)
    terms = powers(z0[:, :d], *units)
    fit = np.linalg.lstsq(terms[train], mean[train, :d], rcond=None)[0]
    left = (mean[:, :d] - terms @ fit)[~train]
    share = left.var(axis=0) / mean[~train, :d].var(axis=0)
    models[label] = (fit, units)
    print(f"{label:12s}: share of the drift left unexplained", *(f"{x:.1e}" for x in share))

# %% [markdown]
# ## 6. The macroscopic law at work
#
# Paths of $z$ take the fitted drift and the noise of patches, divided by $\lambda$: the whole is
# $K = 5$ patches with independent noise, so $\lambda = 5$ is right. The distance of predicted from
# true paths is the squared MMD, averaged over times, in units of the truth's own spread.

# %%
waves = (
    [(0.45, 0.15), (0.55, 0.15)] if QUICK else [(m, k) for m in (0.45, 0.55) for k in (0.05, 0.15)]
)
paths, record = (20 if QUICK else 50), np.arange(0, 30.05, 0.1)
true, second = (
    np.stack([line.direct(line.wave([m] * paths, k), record, 0.01, rng=seed) for m, k in waves])
    for seed in (10, 11)
)
starts = line.z(plan, np.concatenate([line.wave(*w) for w in waves]), second_moments)
odd = (dz - mean[:, None])[train]


def predict(label, factor):
    """Paths of mean u and mean v, shape (n_waves, paths, n_t, 2)."""
    rng, (fit, units) = np.random.default_rng(2), models[label]
    d = len(units[0])
    noise = np.linalg.cholesky(np.cov(odd[..., :d].reshape(-1, d).T) / factor)
    z = np.repeat(starts[:, :d], paths, axis=0)
    found = [z]
    for _ in record[1:]:
        z = z + powers(z, *units) @ fit + rng.normal(size=z.shape) @ noise.T
        found.append(z)
    return np.stack(found, axis=1)[..., :2].reshape(len(waves), paths, len(record), 2)


floor, error = squared_mmd_with_error(*map(list, standardise(true, second)))
print(f"truth against truth: squared MMD {floor:.4f} +- {error:.4f}")
for label in models:
    score = score_paths(predict(label, 5.0), true, second)
    print(
        f"{label:12s}: squared MMD {score.mmd:.4f} +- {score.mmd_error:.4f}, mean off by "
        f"{score.mean_error:.3f}, std over true {score.spread.round(3)}"
    )
predicted = predict("with closure", 5.0)
figure, ax = panel("time", "mean u")
for k, (m, size) in enumerate(waves):
    centre, width = predicted[k, ..., 0].mean(axis=0), predicted[k, ..., 0].std(axis=0)
    ax.fill_between(record, centre - width, centre + width, alpha=0.3, lw=0)
    ax.plot(record, centre, label=f"m = {m}, k = {size}")
    ax.plot(record[::5], true[k, :, ::5, 0].mean(axis=0), "k.", ms=2)
ax.legend()
figure.savefig(OUT / "6_paths.png", dpi=130)

# %% [markdown]
# **Exercise.** Scan $\lambda$. Then add a small constant error to the mean: where does the minimum
# lie now?
#
# *Solution.* With the right drift it lies at $\lambda = K$. A mean that is off makes every
# $\lambda$ worse, and moves the minimum to smaller ones, whose wider noise hides the error. So a
# minimum elsewhere says that the drift is wrong, and not that $\lambda = K$ is.

# %%
lambdas = (1.0, 2.5, 5.0, 10.0, 20.0)
figure, ax = panel("lambda", "squared MMD")
for shift in (0.0, 0.3):
    values = []
    for factor in lambdas:
        moved = predict("with closure", factor) + shift * true.std(axis=(0, 1, 2))
        values.append(score_paths(moved, true, second, resamples=2).mmd)
    print(
        f"mean off by {shift:.1f}: " + ", ".join(f"{x:g}: {v:.4f}" for x, v in zip(lambdas, values))
    )
    ax.loglog(lambdas, values, "o-", label=f"mean off by {shift}")
ax.legend()
figure.savefig(OUT / "6_lambda.png", dpi=130)
