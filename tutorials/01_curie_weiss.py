# %% [markdown]
# # The Curie-Weiss model: a macroscopic law, from exact to learned from patches
#
# Here $n$ spins $s_i = \pm 1$ all feel their mean $m = M / n$:
#
# $$ H = -\frac{M^2}{2 n} - h M, \qquad k_B = 1. $$
#
# Nothing about it is out of reach: its stationary law is a sum of $n + 1$ terms, and its dynamics
# a chain that steps up and down. So every number below has an exact one beside it. That makes it
# the place to see what a macroscopic law is, what it needs, and how patches of a large system
# provide it.
#
# `python tutorials/01_curie_weiss.py` takes about a minute, with `--quick` seconds. It saves its
# figures to a temporary folder, or to the one that `--out FOLDER` names.

# %%
import argparse
import tempfile
from pathlib import Path

import numpy as np
from ase import Atoms
from matplotlib.figure import Figure
from scipy.optimize import brentq
from scipy.stats import chi2

from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss
from macro_ase.analysis.hysteresis import glauber_drive, hysteresis_loop
from macro_ase.analysis.phase_plots import plot_hysteresis
from macro_ase.analysis.scaling import fit_power_law
from macro_ase.engines.spins.calculators import CurieWeissCalculator
from macro_ase.engines.spins.dynamics import Glauber
from macro_ase.engines.spins.ensemble import SpinEnsemble, curie_weiss_paths
from macro_ase.engines.spins.lattice import random_spins
from macro_ase.engines.spins.models import CurieWeiss
from macro_ase.kinetics.ising import CORE_MAGNETISATION
from macro_ase.statistics import relaxation_time, standard_error, std_with_error

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="few samples, to see that it runs")
parser.add_argument("--out", type=Path, help="folder for the figures")
options, _ = parser.parse_known_args()
QUICK = options.quick
OUT = options.out or Path(tempfile.mkdtemp(prefix="curie-weiss-"))
OUT.mkdir(parents=True, exist_ok=True)
print(f"figures go to {OUT}")


def beside(what, value, error, exact):
    """One line: a measured number, its error, the exact one, and how many errors lie between."""
    off = (value - exact) / error
    print(f"{what:34s} {value:10.5f} +- {error:.5f}   exact {exact:10.5f}   off by {off:+.1f}")


def panel(xlabel, ylabel):
    """An empty figure and its axes."""
    figure = Figure(figsize=(5.2, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure, ax


# %% [markdown]
# ## 1. The exact law
#
# $\binom{n}{n_\uparrow}$ states share a magnetisation, so
#
# $$ P(m) \propto \binom{n}{n (1 + m) / 2} e^{n (m^2 / 2 + h m) / T} \sim e^{-n f(m) / T}, $$
#
# and for large $n$ only the minima of $f$ matter, where $m = \tanh((m + h) / T)$. Below $T_c = 1$
# there are two without a field.

# %%
figure, ax = panel("mean spin m", "n P(m) / 2")
for T in (1.3, 1.0, 0.8):
    law = ExactCurieWeiss(200, T)
    ax.plot(law.magnetisation, law.stationary() * 100, label=f"T = {T}")
ax.legend()
figure.savefig(OUT / "1_law.png", dpi=130)


def mean_field(T, h=0.0, low=1e-6, high=1.0):
    """The solution of m = tanh((m + h) / T) between two values."""
    return brentq(lambda m: np.tanh((m + h) / T) - m, low, high)


T = 0.8
print(f"T = {T}: an infinite system has m = {mean_field(T):.4f}")
for n in (50, 200, 800):
    law = ExactCurieWeiss(n, T)
    print(f"    n = {n:4d}: <|m|> = {law.stationary() @ np.abs(law.magnetisation):.4f}")

# %% [markdown]
# ## 2. Simulation, and whether to believe it
#
# Spins are `ase.Atoms` with a calculator; positions do not matter here. The driver flips spin
# $i$ at rate $1 / (1 + e^{\Delta H / T})$, and time is in attempts a spin.

# %%
n, T, h = 100, 1.1, 0.1
atoms = Atoms("Fe" * n, magmoms=random_spins(n, rng=0))
atoms.calc = CurieWeissCalculator(field=h)
dynamics = Glauber(atoms, temperature=T, rng=1)
series = []
dynamics.attach(lambda: series.append(dynamics.magnetisation))
dynamics.run(3000 if QUICK else 20_000)
series = np.array(series[100:])
law = ExactCurieWeiss(n, T, h)
mean, std = law.stationary_moments()
beside("mean of m", series.mean(), standard_error(series), mean)
beside("standard deviation of m", *std_with_error(series), std)

# %% [markdown]
# Not only two moments: the whole law, as a chi-squared test. Its samples must be independent, so
# take the end of many short runs. `curie_weiss_paths` follows $M$ alone: the number of spins that
# are up is a Markov chain by itself, so a flip costs the same for any $n$.

# %%
model = CurieWeiss(n, h)
paths = curie_weiss_paths(model, np.zeros(5000, int), T, [100.0], rng=2)
counts = np.bincount((paths[:, -1, 0] + n) // 2, minlength=n + 1)
wanted = law.stationary() * counts.sum()
common = wanted > 5
distance = ((counts - wanted)[common] ** 2 / wanted[common]).sum()
print(
    f"chi-squared {distance:.0f} of {common.sum()} states, p = "
    f"{chi2.sf(distance, common.sum() - 1):.2f}"
)
figure, ax = panel("mean spin m", "states seen")
ax.bar(law.magnetisation, counts, width=2 / n, alpha=0.5)
ax.plot(law.magnetisation, wanted, "k", lw=1)
figure.savefig(OUT / "2_histogram.png", dpi=130)

# %% [markdown]
# **Exercise.** The same test must reject a wrong simulation. Compare the counts with the law at
# $T = 1.12$.
#
# *Solution.* With 5000 samples a difference of 2 % in temperature is seen.

# %%
wanted = ExactCurieWeiss(n, 1.12, h).stationary() * counts.sum()
common = wanted > 5
distance = ((counts - wanted)[common] ** 2 / wanted[common]).sum()
print(f"law at 1.12: p = {chi2.sf(distance, common.sum() - 1):.1e}")

# %% [markdown]
# ## 3. Relaxation: the macroscopic equation
#
# Adding up the rates of all flips, the mean obeys, up to terms of order $1/n$,
#
# $$ \frac{dm}{dt} = F(m) = -m + \tanh \frac{m + h}{T}. $$
#
# The master equation of the $n + 1$ states says it exactly for any $n$.

# %%
n, times = 4096, np.linspace(0.0, 20.0, 41)
law, model = ExactCurieWeiss(n, T, h), CurieWeiss(n, h)
paths = curie_weiss_paths(model, np.full(100, -n // 2), T, times, rng=3)[..., 0] / n
mean, std = law.moments(-0.5, times)
for k in (4, 10, 20, 40):
    beside(f"<m> at t = {times[k]:g}", paths[:, k].mean(), paths[:, k].std() / 10, mean[k])
end = law.stationary_moments()[0]
measured = relaxation_time(times, paths.mean(axis=0), -0.5, end)
print(
    f"time to make 1 - 1/e of the way: {measured:.2f}, exact "
    f"{relaxation_time(times, mean, -0.5, end):.2f}"
)
figure, ax = panel("time (attempts a spin)", "mean spin")
ax.plot(times, paths[:20].T, color="0.8", lw=0.6)
ax.errorbar(times, paths.mean(axis=0), paths.std(axis=0), fmt=".")
ax.plot(times, mean, "k", lw=1)
figure.savefig(OUT / "3_relaxation.png", dpi=130)

# %% [markdown]
# **Exercise.** At $T = 1$, $h = 0$ relaxation is not exponential. What is it?
#
# *Solution.* $F(m) = -m^3/3 + \dots$, so $m \to \sqrt{3 / 2t}$ until fluctuations of size
# $n^{-1/4}$ take over. The ratio of the exact mean to this law tends to 1.

# %%
late = np.array([3.0, 10.0, 30.0])
critical = ExactCurieWeiss(2000 if QUICK else 10_000, 1.0).moments(1.0, late)[0]
for t, m in zip(late, critical):
    print(f"t = {t:g}: m = {m:.4f}, over sqrt(3 / 2 t): {m / np.sqrt(1.5 / t):.3f}")

# %% [markdown]
# ## 4. Fluctuations of a finite system
#
# Away from $T_c$ the mean spin fluctuates by $n^{-1/2}$; at $T_c$ by $n^{-1/4}$, for there
# $P(m) \sim e^{-n m^4 / 12}$.

# %%
sizes = np.array([64, 256, 1024] if QUICK else [64, 256, 1024, 4096])
runs, records = 100, 20
figure, ax = panel("n", "standard deviation of m")
for T_now, slope in ((1.3, -1 / 2), (1.0, -1 / 4)):
    stds = []
    for n in sizes.tolist():
        law = ExactCurieWeiss(n, T_now)
        memory = np.sqrt(n) if T_now == 1 else 10.0
        record_times = memory * np.arange(4, records + 4)
        zero = np.zeros(runs, int)
        paths = curie_weiss_paths(CurieWeiss(n), zero, T_now, record_times, rng=4)
        spread = np.sqrt(((paths[..., 0] / n) ** 2).mean(axis=1))
        stds.append((np.sqrt(np.mean(spread**2)), spread.std() / np.sqrt(runs)))
        beside(f"std of m, T = {T_now}, n = {n}", *stds[-1], law.stationary_moments()[1])
    values, errors = np.transpose(stds)
    fit = fit_power_law(sizes, values, errors, x_min=256)
    print(f"exponent from n = 256 on: {fit.exponent:.3f} +- {fit.error:.3f}, of large n {slope}")
    ax.errorbar(sizes, values, errors, fmt="o", label=f"T = {T_now}")
    ax.plot(sizes, [ExactCurieWeiss(n, T_now).stationary_moments()[1] for n in sizes.tolist()])
ax.set(xscale="log", yscale="log")
ax.legend()
figure.savefig(OUT / "4_fluctuations.png", dpi=130)

# %% [markdown]
# ## 5. Metastability
#
# Below $T_c$ the mean stays near one minimum, $\pm m_0$, for a time that grows exponentially with
# $n$: it has to climb a barrier $n \Delta f$. The mean time until it first arrives at the other
# minimum is a sum over states (`mean_passage_time`).

# %%
T = 0.8
m0 = mean_field(T)


def free_energy(m):
    """f(m) of a large system, h = 0."""
    up, down = (1 + m) / 2, (1 - m) / 2
    return -(m**2) / 2 + T * (up * np.log(up) + down * np.log(down))


barrier = free_energy(0.0) - free_energy(m0)
figure, ax = panel("n", "mean time from one minimum to the other")
escape = []
runs = 100 if QUICK else 400
for n in (20, 40, 60, 80):
    law = ExactCurieWeiss(n, T)
    start = 2 * round((1 - m0) / 2 * n) - n
    exact = law.mean_passage_time(start / n, -start / n)
    grid = exact * np.linspace(0.001, 20, 20_000)
    paths = curie_weiss_paths(CurieWeiss(n), np.full(runs, start), T, grid, rng=5)[..., 0]
    arrived = grid[np.argmax(paths >= -start, axis=1)]
    escape.append((n, arrived.mean(), arrived.std() / np.sqrt(runs), exact))
    beside(f"mean passage time, n = {n}", *escape[-1][1:])
ns, values, errors, exacts = np.transpose(escape)
ax.errorbar(ns, values, errors, fmt="o")
ax.plot(ns, exacts, "k", lw=1)
ax.set(yscale="log")
figure.savefig(OUT / "5_metastability.png", dpi=130)
slope = np.log(exacts[-1] / exacts[-2]) / (ns[-1] - ns[-2])
print(f"d ln(time) / dn = {slope:.4f}; barrier a spin over T {barrier / T:.4f}")

# %% [markdown]
# **Exercise.** A field that reverses slowly drags the mean to the edge of its minimum, the
# spinodal $m_s = \sqrt{1 - T}$, $h_s = m_s - T \,\mathrm{artanh}\, m_s$. Measure the coercive
# field at $T = 0.6$ for slower and slower rates.
#
# *Solution.* It falls towards $h_s$. Where the minimum vanishes, the distance $x$ to it obeys
# $\dot x = \delta h + (m_s / T) x^2$, which escapes late by $2.34\, (T / m_s)^{1/3}$ rate$^{2/3}$,
# that is 2.30 rate$^{2/3}$, if the field is slow and $n$ large (the power: P. Jung et al., Phys.
# Rev. Lett. 65, 1873, 1990). Steps of the field must be small beside that.

# %%
m_s = np.sqrt(0.4)
h_s = m_s - 0.6 * np.arctanh(m_s)
for rate in (0.05, 0.01) if QUICK else (0.05, 0.01, 0.002):
    drive = glauber_drive(CurieWeiss(5000 if QUICK else 100_000), temperature=0.6, seed=6)
    loop = hysteresis_loop(drive, amplitude=0.5, rate=rate, steps=1000)
    print(
        f"dh/dt = {rate:g}: coercive field {loop.coercive_field[0]:.4f}, spinodal {h_s:.4f}, "
        f"late by {(loop.coercive_field[0] - h_s) / rate ** (2 / 3):.2f} rate^(2/3)"
    )
plot_hysteresis(OUT / "5_hysteresis.png", loop)

# %% [markdown]
# ## 6. Patches: what a small part says of the whole
#
# Suppose only a part can be simulated. A **patch** is a set of $n_s$ spins that evolve for a time
# $dt$ in their true surroundings: the other spins keep still, and count in $m$. `active` names
# the spins that may flip, `core` those whose change is counted. Its mean change is the drift
# of the whole, and its variance is $n / n_s$ times as large, since patches add up independently.
#
# Yet the rest should have moved too. Frozen, it gives no mean field that follows: the rate of
# change is too small by $\tfrac12 F(m)\, dt\, \mathrm{sech}^2((m + h)/T) / T$ to first order in
# $dt$. We measure it from $m = -.5$, with all eight patches of each snapshot, and print the rate
# beside that of the exact whole, and once more with that correction.

# %%
n, n_s, T, h, m_start = 4096, 512, 1.1, 0.1, -0.5
law, model = ExactCurieWeiss(n, T, h), CurieWeiss(n, h)
snapshots = 100 if QUICK else 2500
patches = np.arange(n).reshape(-1, n_s)


def patch_changes(m, dt, rng):
    """Change of the mean spin of each patch in dt, shape (n_patches,): the rest is frozen."""
    spins = np.stack([random_spins(n, m, rng) for _ in range(snapshots)])
    active = np.tile(patches, (snapshots, 1))
    ensemble = SpinEnsemble(model, spins.repeat(len(patches), axis=0), T, rng, active=active)
    return ensemble.advance(dt)[:, -1, CORE_MAGNETISATION] / n_s


def mean_with_error(values):
    """Mean of independent values and its error."""
    return values.mean(), values.std() / np.sqrt(len(values))


def field(m):
    """tanh((m + h) / T): where a spin relaxes to."""
    return np.tanh((m + h) / T)


def drift(m):
    """F(m) of a large system."""
    return field(m) - m


rng = np.random.default_rng(7)
rates = []
for dt in (0.1, 0.3, 1.0, 3.0):
    rate, error = mean_with_error(patch_changes(m_start, dt, rng) / dt)
    exact = (law.moments(m_start, [dt])[0][-1] - m_start) / dt
    beside(f"rate of the patch, dt = {dt}", rate, error, exact)
    correction = drift(m_start) * dt / 2 * (1 - field(m_start) ** 2) / T
    print(f"{'':34s} with the leading correction {rate + correction:10.5f}")
    rates.append((dt, rate, error, exact))
dts, values, errors, exacts = np.transpose(rates)
figure, ax = panel("dt", "mean change of m over dt")
ax.errorbar(dts, values, errors, fmt="o", label="patch, the rest frozen")
ax.plot(dts, exacts, "k", lw=1, label="whole, exact")
ax.axhline(drift(m_start), color="0.7", ls="--", label="drift F")
ax.set(xscale="log", ylim=(0, None))
ax.legend()
figure.savefig(OUT / "6_patches.png", dpi=130)

# %% [markdown]
# The bias is what `dt` must be small enough for. Where forces are short-ranged, a buffer of spins
# that evolve around the core removes it; here everything is everything's neighbour.
#
# **Exercise.** Let the core have a buffer of three times its size. Does it help?
#
# *Solution.* By a third: core and buffer are half of the system, and the other half still keeps its
# mean field. What is counted is told by `core`.

# %%
dt = 1.0
spins = np.stack([random_spins(n, m_start, rng) for _ in range(4 * snapshots)])
exact = (law.moments(m_start, [dt])[0][-1] - m_start) / dt
for size in (n_s, 4 * n_s, n):
    ensemble = SpinEnsemble(model, spins, T, rng, active=np.arange(size), core=np.arange(n) < n_s)
    change = ensemble.advance(dt)[:, -1, CORE_MAGNETISATION] / n_s
    beside(f"{size} of {n} spins move", *mean_with_error(change / dt), exact)

# %% [markdown]
# ## 7. What a macroscopic equation needs
#
# For $m$ alone, a stochastic differential equation
#
# $$ dm = F(m)\, dt + \sqrt{\frac{2}{n} \bigl(1 - m \tanh\tfrac{m + h}{T}\bigr)}\, dW $$
#
# needs two functions of $m$: a drift and a diffusion whose $1/n$ is known. Patches measure
# both: their mean change, and $n_s$ times the variance of it. Take them at some values of $m$,
# put polynomials through them, and never look at the whole. Spins here are exchangeable, so random
# spins of a given $m$ are already the right ones; in a model with short-range order they would have
# to be relaxed first.

# %%
dt, points = 0.1, np.linspace(-0.9, 0.9, 13)
changes = np.stack([patch_changes(m, dt, rng) for m in points])
drifts, drift_errors = changes.mean(axis=1) / dt, changes.std(axis=1) / dt
drift_errors /= np.sqrt(changes.shape[1])
diffusions = n_s * changes.var(axis=1) / dt
fitted_drift = np.polynomial.Polynomial.fit(points, drifts, 5, w=1 / drift_errors)
fitted_diffusion = np.polynomial.Polynomial.fit(points, diffusions, 4)
figure = Figure(figsize=(8, 3.6), layout="constrained")
left, right = figure.subplots(1, 2)
left.errorbar(points, drifts, drift_errors, fmt="o", label="patches")
left.plot(points, drift(points), "k", lw=1)
left.set(xlabel="m", ylabel="drift")
right.plot(points, diffusions, "o")
right.plot(points, 2 * (1 - points * field(points)), "k", lw=1)
right.set(xlabel="m", ylabel="n x variance a unit of time")
figure.savefig(OUT / "7_drift_diffusion.png", dpi=130)


def simulate(m, n, steps):
    """Euler-Maruyama paths of the fitted equation, shape (steps + 1, n_paths), in steps of dt."""
    path = [m]
    for _ in range(steps):
        noise = np.sqrt(fitted_diffusion(m).clip(0) * dt / n) * rng.normal(size=m.shape)
        m = m + fitted_drift(m) * dt + noise
        path.append(m)
    return np.array(path)


n_paths, every = 1000, 50
path = simulate(np.full(n_paths, -0.5), n, 8 * every)
times = dt * np.arange(0, 8 * every + 1, every)
mean, std = law.moments(-0.5, times)
for k in (1, 2, 4, 8):
    now = path[k * every]
    print(
        f"t = {times[k]:4.1f}: <m> {now.mean():+.4f} (exact {mean[k]:+.4f}), "
        f"std {now.std():.4f} (exact {std[k]:.4f})"
    )
figure, ax = panel("time (attempts a spin)", "mean spin")
ax.plot(dt * np.arange(len(path)), path[:, :20], color="0.7", lw=0.5)
ax.errorbar(times, mean, std, fmt="ko", ms=3)
figure.savefig(OUT / "7_paths.png", dpi=130)

# %% [markdown]
# The equation knew patches of 512 spins in a system of 4,096, and speaks of any $n$. Its faults are
# the noise of the patches, and the frozen rest, which slows relaxation and so widens the spread by
# a few percent.
#
# **Exercise.** Use it for $n = 10^6$. Are the stationary mean and spread right?
#
# *Solution.* Only $n$ in the noise changes. An error of the drift moves the mean by as much
# as before, while the spread has shrunk to .0016: to predict a larger system's mean to within its
# spread takes better patches.

# %%
n_large = 1_000_000
mean, std = ExactCurieWeiss(n_large, T, h).stationary_moments()
path = simulate(np.full(n_paths, 0.5), n_large, 600)[300:]
print(f"<m> {path.mean():.4f} (exact {mean:.4f}), std {path.std():.6f} (exact {std:.6f})")
