# %% [markdown]
# # Paths between two minima
#
# Forty Curie-Weiss spins below the transition turn over, all at once and rarely.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import CurieWeiss
from macro_ase.engines.spins.ensemble import curie_weiss_paths

times = np.linspace(0, 1500, 3000)
paths = curie_weiss_paths(CurieWeiss(40), np.full(3, 30), 0.8, times, rng=1)[..., 0] / 40
for k, path in enumerate(paths):
    plt.plot(times, path + 2.5 * k, lw=0.6)
plt.yticks([])
plt.xlabel("time (attempts a spin)")
plt.ylabel("mean spin of three runs")
