# %% [markdown]
# # A heat treatment in words
#
# What `macro-ase anneal --schedule` reads, and `Schedule.parse` in Python.

# %%
import matplotlib.pyplot as plt

from macro_ase import Schedule

words = "1200 K, hold 1 h, 5 K/min to 800 K, 3 x (quench to 600 K, hold 30 min, to 900 K in 20 min)"
schedule = Schedule.parse(words)
plt.plot(schedule.times / 3600, schedule.temperatures)
plt.xlabel("time (h)")
plt.ylabel("temperature (K)")
