# %% [markdown]
# # A system of your own
#
# Whatever moves by local rules can take the road of the studies that ship: small runs, large states
# grown from them, patches that evolve alone, a model learned from their increments, its paths
# beside direct runs, and a report. You write how the system moves and what is measured; the base
# class of its kind does the rest. First a lattice of states, then a field.
#
# `python tutorials/07_own_system.py` takes a few minutes, with `--quick` less than one. Reports go
# to `runs/`, or to the folder that `--out FOLDER` names.

# %%
import argparse
import json
from pathlib import Path

import numpy as np
from numba import njit

from macro_ase import FieldSystem, LatticeSystem, PatchStudy
from macro_ase.systems.field import inside, laplacian

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="few samples, to see that it runs")
parser.add_argument("--out", type=Path, default=Path("runs"), help="folder for the runs")
options, _ = parser.parse_known_args()


# %% [markdown]
# ## A lattice: the Potts model
#
# Each site is in one of $q$ states, and equal neighbours gain an energy of 1:
#
# $$ H = -\sum_{\langle ij \rangle} \delta_{s_i s_j}. $$
#
# A site is chosen at unit rate, tries a random state, and takes it with the probability
# $1 / (1 + e^{\Delta E / T})$. What `evolve` must know: the states of all replicas, shape
# `(replicas, side, side)`, of *any* side and periodic; which sites are active, for all others stand
# still; and how long. Every replica needs random numbers of its own, as blocks around patches are
# replicas too. What `observe` gives are means over sites.


# %%
@njit(nogil=True)
def heat_bath(states, sites, tried, draws, temperature):
    """Attempts, one after another, of every replica."""
    side = states.shape[1]
    for r in range(len(states)):
        for k in range(sites.shape[1]):
            i, j = sites[r, k]
            new, old, gain = tried[r, k], states[r, i, j], 0
            for x, y in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                neighbour = states[r, x % side, y % side]
                gain += (neighbour == new) - (neighbour == old)
            if draws[r, k] < 1 / (1 + np.exp(-gain / temperature)):
                states[r, i, j] = new


class Potts(LatticeSystem):
    """q states a site; z is the share of the first one and that of broken bonds."""

    names = ("share of the first state", "broken bonds")

    def __init__(self, q=3):
        self.q, self.values = q, range(q)

    def evolve(self, states, active, duration, condition, rng):
        places = np.argwhere(active)
        shape = len(states), rng.poisson(duration * len(places))
        sites = places[rng.integers(len(places), size=shape)]
        tried, draws = rng.integers(self.q, size=shape), rng.random(shape)
        heat_bath(states, sites, tried, draws, condition["T"])
        return states

    def observe(self, states):
        broken = [states != np.roll(states, 1, axis) for axis in (1, 2)]
        first = (states == 0).mean(axis=(1, 2))
        return np.stack([first, np.mean(broken, axis=(0, 2, 3))], axis=1)


# %% [markdown]
# That is all. `small` is the side of the small systems and of the patches, `large` that of the
# large system; `dt` is how long a patch evolves alone. One model is conditioned on all
# temperatures.


# %%
def show(folder):
    """What was predicted, beside direct runs, and what the checks say."""
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    for name, m in metrics.items():
        if name.startswith("late_mean"):
            print(f"{name:50s} {m['value']:8.4f} +- {m['error']:.4f}   direct {m['truth']:8.4f}")
    for check in json.loads((folder / "results.json").read_text())["checks"]:
        print(f"{check['verdict']:12s} {check['name']}: {check['value']}")
    print(f"report: {folder / 'report.html'}\n")


potts = PatchStudy(
    Potts(q=3),
    small=16,
    large=64,
    conditions={"T": [1.5] if options.quick else [1.3, 1.5]},
    dt=0.5,
    quick=options.quick,
)
show(potts.run(options.out / "potts", overwrite=True))

# %% [markdown]
# The report has the predicted paths beside direct ones, what the small system alone would have
# said, what either way cost, and the assumptions measured: where a check failed, more states
# (`starts`), a wider `buffer`, longer `relax_time` or older `ages` help. Close to a transition
# ($T_c = 0.995$ for three states) two observables do not close the state any more, and the checks
# say so.
#
# From the shell the same study is a file, `my_potts.toml` beside `my_potts.py`:
#
#     [system]
#     class = "my_potts:Potts"
#     q = 3
#     [conditions]
#     T = [1.3, 1.5]
#     [sampling]
#     small = 16
#     large = 64
#     dt = 0.5
#
# and `macro-ase run my_potts.toml --out runs/potts`. The preset `own`, which `macro-ase list`
# shows, has every key with its meaning.

# %% [markdown]
# ## A field: growth that spreads, with noise of its own
#
# A population $u$ grows, spreads and is born and dies at random (Fisher, Kolmogorov, Petrovsky and
# Piskunov, with the noise of numbers):
#
# $$ \partial_t u = r u (1 - u) + D \nabla^2 u + g \sqrt{u}\, \xi . $$
#
# You write the equation. Fields come with ghost cells around them, and each `laplacian` takes one
# layer away, as `inside` does; what the ghost cells hold, walls, periods or the frozen surroundings
# of a patch, is not your affair. `amplitude` is the noise over `noise`, and `low = 0` keeps
# densities from falling below 0 without adding to their mean. All numbers are attributes of the
# class, which the constructor, and conditions, change by name.


# %%
class FisherKPP(FieldSystem):
    """z is the mean density and its mean square: d<u>/dt = r (<u> - <u^2>) needs both."""

    fields, names = ("u",), ("mean u", "mean u^2")
    growth, diffusion, noise = 1.0, 1.0, 0.2
    low, boundary, time_step, cellwise = 0.0, "periodic", 0.02, True

    def equation(self, u):
        inner = inside(u)
        return self.diffusion * laplacian(u, self.cell) + self.growth * inner * (1 - inner)

    def amplitude(self, u):
        return np.sqrt(u)

    def observe(self, states):
        u = states[:, 0]
        return np.stack([u.mean(axis=-1), (u**2).mean(axis=-1)], axis=1)

    def initial(self, number, shape, condition, rng):
        scattered = np.exp(0.5 * rng.normal(size=(number, 1, *shape)))
        return rng.uniform(0.05, 1.2, (number, 1, 1)) * scattered


fisher = PatchStudy(
    FisherKPP(),
    small=32,
    large=256,
    conditions={"growth": [1.0] if options.quick else [0.5, 1.0]},
    dt=0.2,
    buffer=4,
    quick=options.quick,
)
show(fisher.run(options.out / "fisher", overwrite=True))

# %% [markdown]
# `cellwise` says that observables are means of something of each cell alone, so that patches need
# not be put back into the whole to be measured. The same class with `axes = 2` lives on a square.
#
# **Exercise.** Does the limit at 0 bias the mean? Without growth nothing may be gained or lost on
# the average, however small u is.
#
# *Solution.* It does not: the mean stays within its error. Setting to 0 whatever falls below would
# raise it.

# %%
rare = FisherKPP(cells=64, growth=0.0, noise=0.6)
runs = 200 if options.quick else 2000
start = np.full((runs, 1, 64), 0.02)
mean = rare.advance(start, 2.0, rare.time_step, rng=0).mean(axis=(1, 2))
print(f"mean u from 0.02: {mean.mean():.5f} +- {mean.std() / np.sqrt(runs):.5f}")
