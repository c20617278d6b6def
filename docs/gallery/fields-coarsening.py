# %% [markdown]
# # Allen-Cahn: phases that coarsen
#
# Two phases of equal energy, from noise: walls move by their curvature.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import AllenCahn

square = AllenCahn(128, width=0.02, boundary="periodic")
start = square.initial(1, (128, 128), {}, np.random.default_rng(3))
times = [0.0, 0.0002, 0.001]
frames = square.run(start, times, dt=square.usual_step)[0]
_, panels = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for panel, time, frame in zip(panels, times, frames):
    panel.imshow(frame[0], cmap="RdBu", vmin=-1, vmax=1)
    panel.set(title=f"t = {time:g}", xticks=[], yticks=[])
