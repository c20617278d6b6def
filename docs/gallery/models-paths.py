# %% [markdown]
# # Paths with bands
#
# A learned model runs on from any start: mean and spread of its paths, beside the truth.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import MacroModel

rng, dt = np.random.default_rng(0), 0.1
x0 = rng.uniform(0, 4, 50_000)
dx = (1 - x0) * dt + 0.3 * np.sqrt(x0 * dt) * rng.normal(size=len(x0))
model = MacroModel.fit(x0, dx, dt, members=1, epochs=4, batch_size=1024)
paths = model.simulate([3.5], n_steps=60, paths=200).z[..., 0]
times = dt * np.arange(paths.shape[-1])
low, middle, high = np.quantile(paths.reshape(-1, len(times)), (0.16, 0.5, 0.84), axis=0)
plt.fill_between(times, low, high, alpha=0.3, label="68 % of learned paths")
plt.plot(times, middle)
plt.plot(times, 1 + 2.5 * np.exp(-times), "k--", label="true mean")
plt.xlabel("time")
plt.legend()
