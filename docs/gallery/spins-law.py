# %% [markdown]
# # A law with two peaks
#
# Mean spin of 200 Curie-Weiss spins: simulated at the end of many runs, and exact.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import CurieWeiss
from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss
from macro_ase.engines.spins.ensemble import curie_weiss_paths

for temperature, times in ((1.1, [30.0]), (0.95, [100.0])):
    law = ExactCurieWeiss(200, temperature)
    ends = curie_weiss_paths(CurieWeiss(200), np.zeros(5000, int), temperature, times, rng=0)
    plt.hist(ends[:, 0, 0] / 200, bins=np.arange(-1.01, 1.02, 0.02), density=True, alpha=0.4)
    plt.plot(law.magnetisation, law.stationary() * 100, label=f"T = {temperature}")
plt.xlabel("mean spin")
plt.ylabel("density")
plt.legend()
