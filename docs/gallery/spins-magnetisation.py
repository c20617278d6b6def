# %% [markdown]
# # Magnetisation beside Onsager's
#
# Wolff runs of two sizes with error bars, and the exact law of the infinite lattice.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import sweep
from macro_ase.analysis.exact_ising import onsager_magnetisation

table = sweep([8, 24], np.arange(1.8, 2.9, 0.1), samples=1000, seed=0)
for size in table.sizes:
    rows = table.of_size(size)
    m, error = rows.column("m_abs")
    plt.errorbar(rows.temperature, m, error, fmt="o", label=f"L = {size}")
T = np.linspace(1.8, 2.8, 400)
plt.plot(T, onsager_magnetisation(T), "k", lw=1, label="infinite, exact")
plt.xlabel("temperature")
plt.ylabel("<|m|>")
plt.legend()
