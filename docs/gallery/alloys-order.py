# %% [markdown]
# # Short-range order of an alloy
#
# Warren-Cowley parameters of NbMoTa at 1500 K, shell by shell, from Monte Carlo swaps on a pair
# energy fitted to density functional theory. Below 0 pairs seek each other, above 0 they avoid.

# %%
import matplotlib.pyplot as plt

from macro_ase import SwapMC, build_crystal, short_range_order

atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), rng=0)
SwapMC(atoms, temperature_K=1500, rng=0).run(200_000)
order = short_range_order(atoms, n_shells=5)
for i, j in ((0, 1), (1, 2), (0, 2)):
    plt.plot(
        range(1, 6), order.alpha[:, i, j], "o-", label=f"{order.species[i]}-{order.species[j]}"
    )
plt.axhline(0, color="0.7")
plt.xlabel("shell of neighbours")
plt.ylabel("Warren-Cowley alpha")
plt.legend()
