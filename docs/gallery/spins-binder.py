# %% [markdown]
# # Where is the transition?
#
# Binder's cumulants of three sizes cross at the critical temperature.

# %%
import matplotlib.pyplot as plt

from macro_ase import crossings, sweep
from macro_ase.analysis.exact_ising import CRITICAL_TEMPERATURE

table = sweep([8, 16, 24], [2.2, 2.25, 2.3, 2.35], samples=3000, seed=0)
for size in table.sizes:
    rows = table.of_size(size)
    u, error = rows.column("binder")
    plt.errorbar(rows.temperature, u, error, fmt="o-", label=f"L = {size}")
for c in crossings(table):
    plt.plot(c.temperature, c.cumulant, "k+", ms=12)
plt.axvline(CRITICAL_TEMPERATURE, color="0.6", ls="--")
plt.xlabel("temperature")
plt.ylabel("Binder's cumulant")
plt.legend()
