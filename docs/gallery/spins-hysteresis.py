# %% [markdown]
# # Hysteresis
#
# The Curie-Weiss model below its transition, driven by a field at three rates. The slower, the
# closer to the spinodal.

# %%
import matplotlib.pyplot as plt

from macro_ase import CurieWeiss, hysteresis_loop
from macro_ase.analysis.hysteresis import glauber_drive

for rate in (0.05, 0.01, 0.002):
    drive = glauber_drive(CurieWeiss(5000), temperature=0.6, seed=0)
    loop = hysteresis_loop(drive, amplitude=0.5, rate=rate, steps=200)
    plt.plot(loop.field[0].ravel(), loop.magnetization[0].ravel(), label=f"dh/dt = {rate}")
plt.xlabel("field")
plt.ylabel("mean spin")
plt.legend()
