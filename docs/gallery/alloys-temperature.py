# %% [markdown]
# # Order against temperature
#
# One crystal, cooled step by step: `temperature_K` may be set anew between runs.

# %%
import matplotlib.pyplot as plt

from macro_ase import SwapMC, build_crystal, short_range_order

atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), rng=0)
swaps = SwapMC(atoms, temperature_K=3000, rng=0)
temperatures, orders = range(3000, 500, -250), []
for temperature in temperatures:
    swaps.temperature_K = temperature
    swaps.run(200_000)
    orders.append(short_range_order(atoms, n_shells=1).alpha[0])
for i, j, pair in ((0, 1, "Mo-Nb"), (0, 2, "Mo-Ta"), (1, 2, "Nb-Ta")):
    plt.plot(temperatures, [order[i, j] for order in orders], "o-", label=pair)
plt.xlabel("temperature (K)")
plt.ylabel("alpha of first neighbours")
plt.legend()
