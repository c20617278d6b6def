# %% [markdown]
# # Core, buffer, halo
#
# A slice of a crystal with a patch: the core is looked at, the buffer moves too, the halo stands
# still and is as deep as the potential reaches. The rest, pale, is not needed.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import Patch, build_crystal

atoms = build_crystal("bcc", "NbMoTa", size=(20, 20, 20), rng=0)
region = Patch.sphere(atoms.cell.sum(axis=0) / 2, radius_A=8.0, buffer_A=5.0).select(atoms)
x, y, z = (atoms.positions - atoms.cell.sum(axis=0) / 2).T
colours = np.where(np.hypot(np.hypot(x, y), z) < 13 + 11, "C0", "#dddddd").astype(object)
colours[region.buffer], colours[region.core] = "C1", "C3"
slice_ = np.abs(z) < 1.7
plt.figure(figsize=(5, 5))
plt.scatter(x[slice_], y[slice_], c=list(colours[slice_]), s=25)
plt.axis("equal")
plt.axis("off")
