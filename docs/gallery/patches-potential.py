# %% [markdown]
# # What is in an embedded-atom file
#
# Pair functions of the potential of NbMoTa that ships, as `EAMTable` reads them from the file.

# %%
import matplotlib.pyplot as plt

from macro_ase import EAMTable
from macro_ase.potentials import path

table = EAMTable.read(path("NbMoTa.eam.alloy"))
near = table.r_A > 2.0
for i, symbol in enumerate(table.species):
    for j in range(i, len(table.species)):
        plt.plot(table.r_A[near], table.pair[i, j][near], label=f"{symbol}-{table.species[j]}")
plt.ylim(-0.6, 1.5)
plt.xlabel("distance (A)")
plt.ylabel("pair energy (eV)")
plt.legend()
