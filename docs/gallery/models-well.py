# %% [markdown]
# # A potential from increments
#
# A double well, learned from where steps began and how far they went.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import MacroModel

rng, dt = np.random.default_rng(0), 0.05
x0 = rng.uniform(-1.5, 1.5, 40_000)
dx = (x0 - x0**3) * dt + np.sqrt(0.3 * dt) * rng.normal(size=len(x0))
model = MacroModel.fit(x0, dx, dt, drift="network", width=16, members=1, epochs=6, batch_size=1024)
x = np.linspace(-1.5, 1.5, 100)
for values, label in ((model.potential(x), "learned"), ((x**4 / 4 - x**2 / 2) / 0.15, "true")):
    plt.plot(x, values - values.min(), label=label)
plt.xlabel("x")
plt.ylabel("-ln of the stationary density")
plt.legend()
