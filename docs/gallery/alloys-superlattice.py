# %% [markdown]
# # Peaks of an ordered alloy
#
# Structure factor of Mo in equimolar Mo-Ta, hot and cooled by swaps. Hot, it is
# nearly flat; cooled, it gathers where k is between .75 and 1, the place of B2.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import Crystal, Ramp, SwapMC, build_crystal, structure_factors

atoms = build_crystal("bcc", "MoTa", size=(16, 16, 16), rng=0)
for start, end in ((4000, 4000), (4000, 600)):
    SwapMC(atoms, temperature_K=Ramp(start, end, steps=400_000), rng=0).run(400_000)
    crystal = Crystal.from_atoms(atoms)
    found = structure_factors(crystal.occupation, crystal.grid, len(crystal.species))
    peaks = np.mean([axis.values[crystal.species.index("Mo")] for axis in found], axis=0)
    plt.semilogy(found[0].k[1:], peaks[1:], "o-", label=f"{end} K")
plt.xlabel("k along a cubic axis (2 pi / a)")
plt.ylabel("structure factor")
plt.legend()
