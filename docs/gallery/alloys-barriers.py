# %% [markdown]
# # What a vacancy has to climb
#
# Barriers of all eight hops of a vacancy at many sites of a random crystal, by the species that
# hops: the model that ships was fitted to barriers from density functional theory.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import KRABarriers, build_crystal

barriers, found = KRABarriers.load(), {"Nb": [], "Mo": [], "Ta": []}
for seed in range(150):
    atoms = build_crystal("bcc", "NbMoTa", size=(6, 6, 6), vacancies=1, rng=seed)
    neighbours, values = barriers.hop_barriers(atoms, atoms.symbols.search("X")[0])
    for neighbour, value in zip(neighbours, values):
        found[atoms[neighbour].symbol].append(value)
for symbol, values in found.items():
    plt.hist(values, bins=np.arange(0, 2.6, 0.1), alpha=0.6, label=symbol)
plt.xlabel("barrier (eV)")
plt.ylabel("hops")
plt.legend()
