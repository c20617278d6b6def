# %% [markdown]
# # The Ising model's phase transition, from the first flip to critical exponents
#
# Spins $s_i = \pm 1$ on a periodic square lattice, with
#
# $$ H = -J \sum_{\langle ij \rangle} s_i s_j - h \sum_i s_i, \qquad J = k_B = 1. $$
#
# Below $T_c = 2 / \ln(1 + \sqrt 2) \approx 2.2692$ they agree on a direction. We simulate it, learn
# what an error bar is worth, and measure $T_c$ and the exponents. Wherever theory knows the answer
# (Onsager's infinite lattice, Kaufman's finite one), it stands beside the measured number.
#
# `python tutorials/02_ising_phase_transition.py` takes a minute or two, with `--quick` seconds. It
# saves its figures to a temporary folder, or to the one that `--out FOLDER` names.

# %%
import argparse
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from macro_ase.analysis.binder import crossings, extrapolated_crossing
from macro_ase.analysis.collapse import Curves, fit_collapse
from macro_ase.analysis.correlations import correlation_function, correlation_length
from macro_ase.analysis.exact_ising import (
    CRITICAL_TEMPERATURE,
    exact_chain,
    exact_torus,
    onsager_correlation_length,
    onsager_energy,
    onsager_magnetisation,
)
from macro_ase.analysis.hysteresis import glauber_drive, hysteresis_loop
from macro_ase.analysis.phase_plots import (
    animate_states,
    plot_binder,
    plot_collapse,
    plot_column,
    plot_exponents,
    plot_hysteresis,
)
from macro_ase.analysis.resampling import blocking
from macro_ase.analysis.response import QUANTITIES, specific_heat
from macro_ase.analysis.reweighting import reweighted_quantities, temperature_reach
from macro_ase.analysis.scaling import exponents_by_smallest_size, fit_power_law
from macro_ase.analysis.sweep import sweep
from macro_ase.engines.spins.calculators import IsingCalculator
from macro_ase.engines.spins.dynamics import Glauber
from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.lattice import random_spins, spin_lattice, spins_of
from macro_ase.engines.spins.models import Ising
from macro_ase.statistics import autocorrelation, integrated_autocorrelation_time, standard_error

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="few samples, to see that it runs")
parser.add_argument("--out", type=Path, help="folder for the figures")
options, _ = parser.parse_known_args()
QUICK = options.quick
OUT = options.out or Path(tempfile.mkdtemp(prefix="ising-"))
OUT.mkdir(parents=True, exist_ok=True)
print(f"figures go to {OUT}")


def beside(what, value, error, exact):
    """One line: a measured number, its error, the exact one, and how many errors lie between."""
    off = (value - exact) / error
    print(f"{what:34s} {value:10.5f} +- {error:.5f}   exact {exact:10.5f}   off by {off:+.1f}")
    return abs(off)


def panel(xlabel, ylabel):
    """An empty figure and its axes."""
    figure = Figure(figsize=(5.2, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure, ax


# %% [markdown]
# ## 1. A first simulation
#
# A spin lattice is an `ase.Atoms` object, one atom a site, its spin the initial magnetic moment.
# The model is a calculator, and the dynamics is an ASE driver with observers, log and trajectory.
# `Glauber` flips spin $i$ at rate $1 / (1 + e^{\Delta H / T})$; a step is one attempt a site.
#
# We quench a hot lattice to $T = 1.5$ and watch domains grow: `quench.gif`.

# %%
L = 64
atoms = spin_lattice((L, L), random_spins(L * L, rng=0))
atoms.calc = IsingCalculator()
print(f"energy per spin of random spins: {atoms.get_potential_energy() / len(atoms):+.4f}")

glauber = Glauber(atoms, temperature=1.5, rng=1, logfile="-", loginterval=50)
states, titles, energies = [], [], []


def look():
    states.append(spins_of(atoms).reshape(L, L))
    titles.append(f"t = {glauber.time:g}")
    energies.append(glauber.energy / len(atoms))


glauber.attach(look, interval=5)
glauber.run(100 if QUICK else 300)
animate_states(OUT / "quench.gif", states, titles)

# %% [markdown]
# The energy falls as walls disappear, towards Onsager's value. It does not get there soon: two
# large domains, or a stripe, can live for a long time.

# %%
figure, ax = panel("time (attempts a site)", "energy per spin")
ax.plot(5 * np.arange(len(energies)), energies)
ax.axhline(onsager_energy(1.5), color="0.5", ls="--")
figure.savefig(OUT / "1_quench.png", dpi=130)

# %% [markdown]
# ## 2. What is an error bar worth?
#
# Successive states resemble each other. A series of $n$ samples whose autocorrelation function
# $\rho(t)$ adds up to $\tau = \frac12 + \sum_{t \ge 1} \rho(t)$ holds $n / 2\tau$ independent ones,
# and the naive error $\sigma / \sqrt n$ is too small by $\sqrt{2 \tau}$. For arrays of replicas
# without ASE around them there is `SpinEnsemble`. At $T_c$, $L = 16$:

# %%
L, T = 16, CRITICAL_TEMPERATURE
model = Ising((L, L))
ensemble = SpinEnsemble(model, np.ones(L * L), T, rng=2)
ensemble.advance(2000)
n = 5000 if QUICK else 100_000
e = model.energy(ensemble.advance(ensemble.time[0] + np.arange(1, n + 1))[0]) / L**2
exact = exact_torus((L, L), T)
print(f"tau = {integrated_autocorrelation_time(e):.1f} sweeps")
beside("energy, naive error", e.mean(), e.std() / np.sqrt(n), exact.energy)
beside("energy, error that knows tau", e.mean(), standard_error(e), exact.energy)
beside("energy, error by blocking", e.mean(), blocking(e).error, exact.energy)
beside("specific heat", *specific_heat(e, L**2, T), exact.specific_heat)

# %% [markdown]
# Is an error bar right? Ask many runs: 68 % of them should have the truth within one error. The
# sum over $\rho$ has to stop somewhere, and where memory has a long tail, as here, it leaves some
# of it out: errors come out some 5 % too small, and 65 % have the truth.

# %%
replicas, n = 200, 1000 if QUICK else 5000
ensemble = SpinEnsemble(model, np.ones((replicas, L * L)), T, rng=3)
ensemble.advance(300)
series = model.energy(ensemble.advance(ensemble.time[0] + np.arange(1, n + 1))) / L**2
off = np.abs(series.mean(axis=1) - exact.energy)
naive = np.mean(off < series.std(axis=1) / np.sqrt(n))
honest = np.mean(off < standard_error(series.T))
print(f"truth within one error: naive {naive:.0%}, with tau {honest:.0%}, wanted 68 %")

rho = autocorrelation(series.T).mean(axis=1)
figure, ax = panel("lag (sweeps)", "autocorrelation of the energy")
ax.plot(rho[:150])
ax.axhline(0, color="0.8")
figure.savefig(OUT / "2_autocorrelation.png", dpi=130)

# %% [markdown]
# ## 3. Critical slowing down
#
# At $T_c$ the memory grows with the lattice, $\tau \sim L^z$. With single flips $z \approx 2.17$
# (M. P. Nightingale and H. W. J. Blöte, Phys. Rev. Lett. 76, 4548, 1996): doubling $L$ costs
# eighteen times the work for the same error, four for the sites and four and a half for the memory.
# Wolff's algorithm turns whole clusters and hardly slows down. `sweep` runs one table of sizes
# and temperatures with any algorithm; $\tau$ is that of $|m|$, in sweeps: for Wolff's as many whole
# clusters as turn about $n$ spins.

# %%
sizes = [4, 8, 16] if QUICK else [4, 8, 16, 32]
figure, ax = panel("L", r"$\tau$ of $|m|$ at $T_c$ (sweeps)")
slowing = {}
for algorithm, samples in (("glauber", 400_000), ("wolff", 10_000)):
    table = sweep(sizes, T, samples // (20 if QUICK else 1), algorithm=algorithm, seed=4)
    slowing[algorithm] = fit_power_law(table.size, table.tau, table.tau_error, x_min=8)
    ax.errorbar(table.size, table.tau, table.tau_error, fmt="o-", label=algorithm)
    for L, tau, error in zip(table.size, table.tau, table.tau_error):
        print(f"{algorithm:8s} L = {L:2d}: tau = {tau:7.2f} +- {error:.2f}")
ax.set(xscale="log", yscale="log")
ax.legend()
figure.savefig(OUT / "3_slowing_down.png", dpi=130)
beside("z of Glauber dynamics", slowing["glauber"].exponent, slowing["glauber"].error, 2.167)
print(f"z of Wolff's: {slowing['wolff'].exponent:.2f} +- {slowing['wolff'].error:.2f}")

# %% [markdown]
# **Exercise.** Does Metropolis' rule, min(1, exp(-dH / T)), have another $z$?
#
# *Solution.* No: $z$ is universal among local rules, and only the prefactor changes. Metropolis
# accepts more, so it forgets faster.

# %%
table = sweep(sizes, T, 20_000 if QUICK else 400_000, algorithm="metropolis", seed=5)
law = fit_power_law(table.size, table.tau, table.tau_error, x_min=8)
beside("z of Metropolis", law.exponent, law.error, 2.167)
print(f"Glauber's tau is {slowing['glauber'](16) / law(16):.2f} times as long at L = 16")

# %% [markdown]
# ## 4. A sweep over sizes and temperatures
#
# One call, with Wolff's algorithm: eight quantities a point, their errors, and the samples. The
# table can be saved (`table.save("sweep.npz")`), cut by size and range, and read back.

# %%
sizes = [6, 12, 24] if QUICK else [8, 12, 16, 24, 32]
temperatures = np.linspace(2.20, 2.34, 6 if QUICK else 8)
table = sweep(sizes, temperatures, samples=2500 if QUICK else 40_000, seed=0, workers=2)

# %% [markdown]
# Energy and specific heat have an exact answer for every size and temperature: B. Kaufman's
# four products. The mean squared distance in errors must be about 1. The independent points number
# some tens, so anything between .6 and 1.5 is ordinary.

# %%
for name, attribute in (("energy", "energy"), ("specific_heat", "specific_heat")):
    value, error = table.column(name)
    points = zip(table.size.tolist(), table.temperature.tolist())
    exact = np.array([getattr(exact_torus((L, L), T), attribute) for L, T in points])
    distance = np.mean(((value - exact) / error) ** 2)
    print(f"{name:14s}: mean squared distance from Kaufman {distance:.2f} of {len(table)} points")

plot_column(
    OUT / "4_specific_heat.png",
    table,
    "specific_heat",
    exact=lambda L, T: exact_torus((L, L), T).specific_heat,
)
plot_column(OUT / "4_susceptibility.png", table, "chi")
plot_column(OUT / "4_magnetisation.png", table, "m_abs")

# %% [markdown]
# The specific heat grows with $\ln L$, the susceptibility much faster.
#
# **Exercise.** C. N. Yang's spontaneous magnetisation, $(1 - \sinh^{-4} 2/T)^{1/8}$, is that of the
# infinite lattice. From which $L$ on is $\langle |m| \rangle$ at $T = 2.1$ the same?
#
# *Solution.* Corrections vanish as $e^{-L/\xi}$ away from $T_c$. There $\xi$ is about four lattice
# spacings, so 16 is enough for errors as large as these.

# %%
small = sweep([4, 8, 16, 32], 2.1, 2000 if QUICK else 20_000, seed=7)
for L, value, error in zip(small.size, *small.column("m_abs")):
    beside(f"<|m|> at T = 2.1, L = {L}", value, error, float(onsager_magnetisation(2.1)))

# %% [markdown]
# ## 5. Where is the transition? Binder's cumulant
#
# $U = 1 - \langle m^4 \rangle / 3 \langle m^2 \rangle^2$ is 2/3 with order and 0 without, and at
# $T_c$ nearly the same for every size, about .6107. The curves of two sizes cross near $T_c$, the
# closer the larger they are; `extrapolated_crossing` takes the rest of the way by the law that the
# module `analysis.binder` states. The p-value is that of the polynomials through both curves:
# below .01 they do not describe the points within their errors, as parabolas do not here; then
# raise `degree`, or cut the table with `between`.

# %%
degree = 2 if QUICK else 3
found = crossings(table, degree=degree)
for c in found:
    beside(f"crossing of L = {c.sizes}", c.temperature, c.temperature_error, CRITICAL_TEMPERATURE)
    print(f"{'':34s} U = {c.cumulant:.4f} +- {c.cumulant_error:.4f}, p = {c.p_value:.2f}")
plot_binder(OUT / "5_binder.png", table, found)
critical, critical_error = extrapolated_crossing(found)
beside("Tc, extrapolated", critical, critical_error, CRITICAL_TEMPERATURE)

# %% [markdown]
# ## 6. Critical exponents
#
# At $T_c$ there is no length but $L$:
#
# $$ \langle |m| \rangle \sim L^{-\beta/\nu}, \quad \chi' \sim L^{\gamma/\nu}, \quad
#    dU/dT \sim L^{1/\nu}, $$
#
# and in two dimensions $\beta/\nu = 1/8$, $\gamma/\nu = 7/4$, $1/\nu = 1$. `table.at(T)` reweights
# the nearest runs to $T$. Small lattices have corrections: see what happens when they are dropped.
# Hyperscaling asks for $2\beta/\nu + \gamma/\nu = d = 2$. The errors are those at a given $T_c$.

# %%
for fits in exponents_by_smallest_size(table, CRITICAL_TEMPERATURE)[:-1]:
    print(f"from L = {fits.order.x_min:g} on:")
    beside("  beta/nu", *fits.beta_over_nu, 1 / 8)
    beside("  gamma/nu", *fits.gamma_over_nu, 7 / 4)
    beside("  1/nu", *fits.one_over_nu, 1)
    beside("  2 beta/nu + gamma/nu", *fits.hyperscaling, 2)
exponents = exponents_by_smallest_size(table, CRITICAL_TEMPERATURE)[0]
plot_exponents(OUT / "6_exponents.png", table, exponents)

# %% [markdown]
# **Exercise.** We used the exact $T_c$. How much do the exponents change with the measured one?
#
# *Solution.* Take them one error to either side. For $\beta/\nu$ the uncertainty of $T_c$ is
# as important as that of $\langle |m| \rangle$: always quote it.

# %%
for T in (critical - critical_error, critical + critical_error):
    fits = exponents_by_smallest_size(table, T)[0]
    print(f"T_c = {T:.4f}: beta/nu = {fits.beta_over_nu[0]:.4f}, 1/nu = {fits.one_over_nu[0]:.3f}")

# %% [markdown]
# ## 7. All curves on one
#
# Close to $T_c$, $\langle |m| \rangle L^{\beta/\nu}$ depends on $(T - T_c) L^{1/\nu}$ alone.
# `fit_collapse` seeks the parameters with which all sizes fall on one polynomial. A quality
# ($\chi^2$ per degree of freedom) near 1 says that they do within their errors. It does not
# say that corrections to scaling are absent: a slightly wrong $1/\nu$ can hide them, and with
# lattices as small as these it does, by more than its error.

# %%
curves = Curves.of_table(table, "m_abs")
start = {"critical_temperature": critical, "one_over_nu": 1.1, "ratio": -0.1}
free = fit_collapse(curves, start, degree=4)
names = {"critical_temperature": CRITICAL_TEMPERATURE, "one_over_nu": 1.0, "ratio": -1 / 8}
for name, exact in names.items():
    beside(f"collapse: {name}", getattr(free, name), free.errors[name], exact)
print(f"quality {free.quality:.2f} with {free.n_free} degrees of freedom")
plot_collapse(OUT / "7_collapse.png", curves, free)

# %% [markdown]
# **Exercise.** Collapse $U$, whose ratio is exactly 0, and see that mean-field exponents
# ($1/\nu = 2$) fail.
#
# *Solution.* Give what you know: parameters in `given` are held. The quality is the verdict.

# %%
curves = Curves.of_table(table, "binder")
start = {"critical_temperature": critical, "one_over_nu": 1.1}
good = fit_collapse(curves, start, given={"ratio": 0.0}, degree=4)
wrong = fit_collapse(curves, start, given={"ratio": 0.0, "one_over_nu": 2.0}, degree=4)
beside("collapse of U: 1/nu", good.one_over_nu, good.errors["one_over_nu"], 1.0)
print(f"quality {good.quality:.2f}; with 1/nu = 2 it is {wrong.quality:.1f}")

# %% [markdown]
# ## 8. One run, many temperatures
#
# A run at $T$ has seen states that matter at $T'$ nearby; weights $e^{-(1/T' - 1/T) E}$ turn them
# into averages there. How far that goes is known: `temperature_reach` for the range, the overlap
# for the part of the samples that still counts.

# %%
L, T = 16, 2.30
run = sweep([L], T, 5000 if QUICK else 40_000, seed=8).run(0)
low, high = temperature_reach(run)
print(f"L = {L} at T = {T}: to be trusted from {low:.3f} to {high:.3f}")
targets = np.linspace(low, high, 9)
heat, column = [], QUANTITIES.index("specific_heat")
for target in targets:
    values, errors, part = reweighted_quantities(run, target)
    heat.append((values[column], errors[column]))
    label = f"c at T = {target:.3f} (overlap {part:.2f})"
    beside(label, *heat[-1], exact_torus((L, L), target).specific_heat)
figure, ax = panel("temperature", "specific heat per site")
ax.errorbar(targets, *np.transpose(heat), fmt="o", label=f"one run at T = {T}")
ax.plot(targets, [exact_torus((L, L), t).specific_heat for t in targets], label="Kaufman")
ax.legend()
figure.savefig(OUT / "8_reweighting.png", dpi=130)

# %% [markdown]
# The reweighted points are all from the same samples: they err together.
#
# ## 9. The length over which spins know of each other
#
# Above $T_c$ the correlation $G(r) = \langle s_0 s_r \rangle$ decays over the length
# $\xi = 1 / (\ln \coth(1/T) - 2/T)$, which diverges as $1/|T - T_c|$. `correlation_length` measures
# the second-moment length, which is almost the same near $T_c$, provided that $L \gg \xi$. Its
# error expects the successive states of each run one after another, as below. Neighbours give an
# exact check of $G$ itself: $G(1) = -e / 2$.

# %%
L, replicas, records = 32, 100 if QUICK else 400, 5 if QUICK else 50
figure, ax = panel("r", "G(r)")
for T in (2.5, 2.6, 2.8):
    ensemble = SpinEnsemble(Ising((L, L)), np.ones((replicas, L * L)), T, rng=9)
    ensemble.wolff(interval=300)
    states = []
    for _ in range(records):
        ensemble.wolff(interval=40)
        states.append(ensemble.spins.reshape(-1, L, L).copy())
    runs = np.stack(states, axis=1).reshape(-1, L, L)
    G, G_error = correlation_function(runs)
    beside(f"G(1) at T = {T}", G[1], G_error[1], -exact_torus((L, L), T).energy / 2)
    beside(f"xi at T = {T}", *correlation_length(runs), float(onsager_correlation_length(T)))
    ax.errorbar(np.arange(len(G)), G, G_error, fmt="o-", ms=3, label=f"T = {T}")
ax.set(yscale="log")
ax.legend()
figure.savefig(OUT / "9_correlations.png", dpi=130)

# %% [markdown]
# **Exercise.** Why is $\xi$ at $T = 2.3$, where it is 42, not measured on this lattice?
#
# *Solution.* $\xi$ exceeds $L$: the length found would be a property of the box. What it is good
# for, near $T_c$, is the crossing of the curves $\xi / L$, like Binder's.
#
# ## 10. A field that turns too fast: hysteresis
#
# Below $T_c$ a field that reverses leaves the spins behind. The area of the loop is the heat
# made in a cycle; it shrinks as the field moves more slowly, yet slowly: reversal waits for
# a droplet to be born.

# %%
loops = {}
for rate in (0.1, 0.01) if QUICK else (0.1, 0.02, 0.004):
    drive = glauber_drive(Ising((32, 32)), temperature=1.5, seed=10, replicas=4)
    loops[rate] = hysteresis_loop(drive, amplitude=2.0, rate=rate, steps=400, cycles=2)
    area, coercive = loops[rate].area[-1], loops[rate].coercive_field[-1]
    print(f"dh/dt = {rate:g}: area {area:.3f}, coercive field {coercive:.3f}")
plot_hysteresis(OUT / "10_hysteresis.png", loops[min(loops)])

# %% [markdown]
# **Exercise.** A chain has no transition. Show that its loop closes on the exact curve.
#
# *Solution.* At a slow rate the magnetisation follows the transfer matrix, up to a lag that is
# proportional to the rate and of opposite sign on the two branches: in their mean it cancels. The
# field must rise in steps shorter than the chain's memory of some eight units of time, or the spins
# catch up at every step.

# %%
n, T, replicas = 1000, 1.5, 10 if QUICK else 100
for rate in (0.02, 0.01) if QUICK else (0.02, 0.002):
    drive = glauber_drive(Ising((n,)), temperature=T, seed=11, replicas=replicas)
    chain = hysteresis_loop(drive, amplitude=1.0, rate=rate, steps=400)
    falling, rising = chain.magnetization[0]
    mean = (falling + rising[::-1]) / 2
    exact = np.array([exact_chain(n, T, 1.0, h).magnetisation for h in chain.field[0, 0]])
    distance = np.sqrt(np.mean((mean - exact) ** 2))
    noise = np.sqrt(np.exp(2 / T) / (n * replicas) / 2)
    print(f"dh/dt = {rate:g}: area {chain.area[0]:.3f}, mean of branches off by {distance:.4f}")
print(f"the noise of that mean at h = 0 is {noise:.4f}")
plot_hysteresis(OUT / "10_chain.png", chain)
