# %% [markdown]
# # Monte Carlo and molecular dynamics of a patch
#
# A patch is a small part of a large crystal that evolves while everything around it stays where it
# is. Its **core** is what we look at. The **buffer** around it moves as well, so that the core
# does not feel a wall. Beyond lies the **halo**: frozen atoms that the moving ones feel.
# What is done with a patch costs what the patch costs, not what the crystal costs.
#
# `python tutorials/05_patch_mc_md.py` takes less than a minute, with `--quick` a few seconds.

# %%
import sys
import time

import numpy as np
from ase import units

from macro_ase import (
    Displacement,
    HybridMCMD,
    Patch,
    PatchMC,
    PatchMD,
    Ramp,
    Swap,
    TableEAM,
    build_crystal,
    short_range_order,
)
from macro_ase.engines.patches.local_energy import halo_error
from macro_ase.engines.patches.receptive_field import reach
from macro_ase.patches import cut_out
from macro_ase.potentials import path

QUICK = "--quick" in sys.argv
TEMPERATURE_K = 600.0

# %% [markdown]
# ## A crystal, a potential, a patch
#
# A random NbMoTa solid solution, and the embedded-atom potential that ships. Any ASE calculator
# would do in its place: MACE, `LAMMPSlib`, EMT.

# %%
atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), rng=0)
calculator = TableEAM(path("NbMoTa.eam.alloy"))
patch = Patch.sphere(atoms.cell.sum(axis=0) / 2, radius_A=5.0, buffer_A=2.0)
region = patch.select(atoms)
print(f"{len(atoms)} atoms, of which {len(region.core)} core and {len(region.buffer)} buffer")

# %% [markdown]
# ## How thick must the halo be?
#
# An atom's EAM energy depends on its neighbours up to the cutoff. A swap changes the energies of
# atoms up to one cutoff away, and these depend on atoms up to two cutoffs away: that far the
# halo must reach, and by default it does. `halo_error` measures what a thinner one costs: the
# largest error in the energy of some trial swaps.

# %%
print(f"energy changes reach {reach(calculator):.2f} A")
print("   halo/A    atoms   error/eV")
for halo_A in (3.0, 4.5, 6.0, 8.0, reach(calculator)):
    n = len(cut_out(atoms, region, halo_A).atoms)
    error_eV = halo_error(atoms, region, calculator, halo_A, rng=1)
    print(f"{halo_A:9.2f} {n:8d} {error_eV:10.1e}")

# %% [markdown]
# ## Swaps in the patch
#
# `PatchMC` tries to exchange two atoms of core and buffer and accepts by Metropolis' rule. With an
# embedded-atom table and fixed positions a compiled kernel does so in a microsecond. The crystal
# in `atoms` follows.

# %%
before = atoms.copy()
mc = PatchMC(atoms, patch, calculator, temperature_K=TEMPERATURE_K, rng=2)
mc.run(20_000 if QUICK else 200_000)
print(f"accepted {mc.acceptance[0]:.1%}, energy change {mc.energy_change_eV:.6f} eV")

# %% [markdown]
# The patch knows only its surroundings, yet its energy change is that of the whole crystal:

# %%
change_eV = calculator.get_potential_energy(atoms) - calculator.get_potential_energy(before)
print(f"the same from two energies of all atoms: {change_eV:.6f} eV")
assert abs(change_eV - mc.energy_change_eV) < 1e-6

# %% [markdown]
# ## What the swaps have ordered
#
# Warren and Cowley's alpha of the core: 0 for a random alloy, below 0 for pairs that seek each
# other. Neighbours are counted across the border of the core, for the surroundings are real.


# %%
def core_order(crystal):
    """alpha of unlike first neighbours of core atoms, by pair."""
    found = short_range_order(crystal, n_shells=1, indices=region.core)
    code = found.species.index
    pairs = (("Mo", "Nb"), ("Mo", "Ta"), ("Nb", "Ta"))
    return {(a, b): found.alpha[0, code(a), code(b)] for a, b in pairs}


first = core_order(before)
samples = []
for _ in range(3 if QUICK else 20):
    mc.run(2000)
    samples.append(core_order(atoms))
for pair in first:
    mean = np.mean([sample[pair] for sample in samples])
    print(f"alpha {'-'.join(pair)}: {first[pair]:+.2f} at random, {mean:+.2f} after swaps")

# %% [markdown]
# So few atoms fluctuate: the sample at random is one draw, and the patch keeps the composition that
# it happened to have. The study `swap` takes many patches of a crystal of yours, with any
# calculator, on ideal or relaxed sites, and predicts the whole from them
# (`tutorials/08_your_alloy.py`):
#
#     macro-ase run swap --structure alloy.xyz --calculator eam:NbMoTa.eam.alloy
#
# ## Positions too
#
# Displacements among the swaps let the lattice relax and vibrate. The kernel does them as well: an
# attempt evaluates what the atoms that it moves feel, in some 20 microseconds.

# %%
moved = PatchMC(
    atoms.copy(),
    patch,
    calculator,
    moves=[Swap(), Displacement(weight=4, width_A=0.15)],
    temperature_K=TEMPERATURE_K,
    rng=2,
)
moved.run(5_000 if QUICK else 50_000)
rms_A = np.sqrt(((moved.atoms.positions - atoms.positions)[region.core] ** 2).sum(1).mean())
print(f"atoms are {rms_A:.2f} A from their sites, energy change {moved.energy_change_eV:+.2f} eV")

# %% [markdown]
# ## Cooling
#
# Any driver's temperature may be a number, a function of the step, or a `Ramp`, from the start or
# set between runs: annealing needs no driver of its own.

# %%
steps = 5_000 if QUICK else 100_000
cooled = PatchMC(atoms.copy(), patch, calculator, temperature_K=Ramp(2000, 300, steps), rng=2)
for _ in range(5):
    at_K = cooled.temperature_K
    cooled.run(steps // 5)
    print(f"{at_K:5.0f} to {cooled.temperature_K:5.0f} K: {cooled.energy_change_eV:+.2f} eV")

# %% [markdown]
# ## Dynamics of the patch
#
# `PatchMD` lets core and buffer move by Newton's law (`ensemble="nve"`) or with a thermostat
# (`"langevin"`, `"nose-hoover"`). Without a thermostat the energy must stay: halving the time step
# cuts its fluctuation to a quarter.

# %%
steps = 20 if QUICK else 80


def dynamics(timestep_fs):
    """A driver after its run, and its energies, eV."""
    md = PatchMD(
        atoms.copy(),
        patch,
        calculator,
        timestep=timestep_fs * units.fs,
        temperature_K=TEMPERATURE_K,
        rng=3,
    )
    energies = []
    md.attach(lambda: energies.append(md.get_conserved_energy()))
    md.run(round(steps * 2 / timestep_fs))
    return md, energies


for timestep_fs in (4.0, 2.0):
    md, energies_eV = dynamics(timestep_fs)
    print(f"{timestep_fs:g} fs: energy fluctuates by {1e3 * np.std(energies_eV):.3f} meV")

# %% [markdown]
# `md.active` is an `Atoms` object of the moving atoms alone; ask it for energy, forces and
# temperature. Everything else is where it was, bit for bit.

# %%
frozen = np.delete(np.arange(len(atoms)), md.region.active)
assert np.array_equal(md.atoms.positions[frozen], atoms.positions[frozen])
print(f"{len(md.active)} atoms at {md.active.get_temperature():.0f} K, {len(frozen)} frozen")

# %% [markdown]
# ## Both by turns
#
# Swaps carry atoms where dynamics would need years of diffusion; dynamics lets the lattice vibrate
# and relax around them. `HybridMCMD` alternates blocks of both. In a swap an atom takes along
# what belongs to it: momentum, mass, tag, charge, your own arrays. The momenta are drawn at the
# temperature of the thermostat; the sites start cold, so heat flows into the lattice at first.

# %%
md = PatchMD(
    atoms,
    patch,
    calculator,
    timestep=2 * units.fs,
    temperature_K=TEMPERATURE_K,
    ensemble="langevin",
    friction=0.02 / units.fs,
    rng=4,
)
mc = PatchMC(atoms, patch, calculator, temperature_K=TEMPERATURE_K, rng=5)
run = HybridMCMD(md, mc, md_steps=10 if QUICK else 25, mc_attempts=1000, logfile="-")
temperatures_K = []
md.attach(lambda: temperatures_K.append(md.active.get_temperature()))
run.run(2 if QUICK else 6)
print(f"mean temperature {np.mean(temperatures_K):.0f} K, swaps accepted {mc.acceptance[0]:.1%}")

# %% [markdown]
# ## The same patch in a larger crystal
#
# A step of the patch takes as long in 2,000 atoms as in 16,000 (or in millions).

# %%
for cells in (10, 14 if QUICK else 20):
    crystal = build_crystal("bcc", "NbMoTa", size=(cells, cells, cells), rng=0)
    centred = Patch.sphere(crystal.cell.sum(axis=0) / 2, radius_A=5.0, buffer_A=2.0)
    md = PatchMD(
        crystal, centred, calculator, timestep=2 * units.fs, temperature_K=TEMPERATURE_K, rng=6
    )
    md.run(1)
    start = time.perf_counter()
    md.run(5)
    print(f"{len(crystal):7d} atoms: {200 * (time.perf_counter() - start):.1f} ms a step")
