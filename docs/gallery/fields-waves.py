# %% [markdown]
# # Predators after their prey
#
# Predator and prey on a line, with noise: place to the right, time upwards.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import PredatorPrey

line = PredatorPrey(200, noise=0.01)
fields = line.run(line.wave(0.5, 0.1), np.linspace(0, 15, 150), dt=0.02, rng=0)[0]
_, panels = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for panel, name, values in zip(panels, ("prey u", "predator v"), fields.swapaxes(0, 1)):
    image = panel.imshow(values, origin="lower", extent=(0, 200, 0, 15), aspect="auto")
    panel.set(title=name, xlabel="place", ylabel="time")
    plt.colorbar(image)
