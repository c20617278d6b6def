# %% [markdown]
# # Vacancies in the laboratory
#
# The share of vacant sites, exp(S/k - E/kT), for copper with the error of its formation energy:
# what turns a simulation's seconds into those of the laboratory.

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase import VacancyFraction

copper = VacancyFraction(1.17, 0.02, formation_entropy_kB=1.5)
temperatures = np.linspace(500, 1350, 50)
low, high = np.transpose([copper.interval(T) for T in temperatures])
plt.fill_between(1000 / temperatures, low, high, alpha=0.3, label="interval")
plt.semilogy(1000 / temperatures, [copper(T) for T in temperatures])
plt.xlabel("1000 / T (1/K)")
plt.ylabel("share of sites that is vacant")
plt.legend()
