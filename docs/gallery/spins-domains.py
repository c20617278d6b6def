# %% [markdown]
# # Domains after a quench
#
# 256 x 256 Ising spins after a jump from infinite temperature to 1.5: domains grow as the square
# root of time.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import Ising, SpinEnsemble

_, panels = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
spins = np.random.default_rng(0).choice([-1, 1], 256 * 256)
ensemble = SpinEnsemble(Ising((256, 256)), spins, temperature=1.5, rng=0)
for panel, time in zip(panels, (2, 14, 84)):
    ensemble.advance(time)
    panel.imshow(ensemble.spins.reshape(256, 256), cmap="gray")
    panel.set_axis_off()
