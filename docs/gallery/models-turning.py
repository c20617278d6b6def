# %% [markdown]
# # Drift and noise of a process that turns
#
# Learned from a hundred short time series, with nothing given but the numbers; `plot` draws what
# was learned.

# %%
import numpy as np

from macro_ase import MacroModel

rng, dt = np.random.default_rng(0), 0.1
A = np.array([[-1.0, 2.0], [-1.0, -0.8]])
z = np.zeros((400, 100, 2))
for t in range(1, len(z)):
    z[t] = z[t - 1] + z[t - 1] @ A.T * dt + 0.3 * np.sqrt(dt) * rng.normal(size=z[t].shape)
model = MacroModel.fit_series([*z[100:].swapaxes(0, 1)], dt, names=("x", "y"), members=1, epochs=3)
model.plot("law.png")
