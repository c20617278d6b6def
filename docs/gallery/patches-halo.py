# %% [markdown]
# # How deep must the halo be?
#
# The largest error of an energy change by a swap, against the depth of the frozen surroundings:
# none from twice the cutoff on.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import Patch, TableEAM, build_crystal
from macro_ase.engines.patches.local_energy import halo_error
from macro_ase.engines.patches.receptive_field import reach
from macro_ase.potentials import path

atoms, eam = build_crystal("bcc", "NbMoTa", (10, 10, 10), rng=0), TableEAM(path("NbMoTa.eam.alloy"))
region = Patch.sphere(atoms.cell.sum(axis=0) / 2, radius_A=5.0, buffer_A=2.0).select(atoms)
depths = np.append(np.arange(3, 12), reach(eam))
plt.semilogy(depths, [halo_error(atoms, region, eam, depth, rng=1) for depth in depths], "o-")
plt.axvline(reach(eam), ls="--", color="0.6")
plt.xlabel("depth of the halo (A)")
plt.ylabel("largest error (eV)")
