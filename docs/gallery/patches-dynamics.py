# %% [markdown]
# # Dynamics of a patch
#
# Atoms of a patch take up heat from Langevin's thermostat at 900 K; the crystal around them stands
# still.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ase import units

from macro_ase import Patch, PatchMD, TableEAM, build_crystal
from macro_ase.potentials import path

atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), rng=0)
patch, eam = Patch.sphere(1000, radius_A=5.0, buffer_A=2.0), TableEAM(path("NbMoTa.eam.alloy"))
region, heat = patch.select(atoms), {"ensemble": "langevin", "temperature_K": 900}
moving, temperatures = np.append(region.core, region.buffer), []
md = PatchMD(atoms, patch, eam, timestep=2 * units.fs, rng=0, **heat)
md.attach(lambda: temperatures.append(atoms[moving].get_temperature()), interval=2)
md.run(200)
plt.plot(0.004 * np.arange(len(temperatures)), temperatures)
plt.gca().set(xlabel="time (ps)", ylabel="temperature of what moves (K)")
