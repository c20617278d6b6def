# %% [markdown]
# # The way of a vacancy
#
# 3,000 hops, seen along a cubic axis. It comes back often: an exchange that costs little one way
# is soon undone.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ase.geometry import find_mic

from macro_ase import KRABarriers, VacancyKMC, build_crystal

atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), vacancies=1, rng=3)
places = []
kmc = VacancyKMC(atoms, KRABarriers.load(), temperature_K=1200, rng=0)
kmc.attach(lambda: places.append(atoms.positions[atoms.symbols == "X"][0].copy()), interval=1)
kmc.run(3000)
steps, _ = find_mic(np.diff(places, axis=0), atoms.cell)
x, y, _ = np.cumsum(steps, axis=0).T
plt.scatter(x, y, c=np.arange(len(x)), s=8, cmap="viridis")
plt.plot(x, y, color="0.6", lw=0.4, zorder=0)
plt.axis("equal")
plt.xlabel("x (A), with y (A) upwards")
