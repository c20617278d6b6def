# %% [markdown]
# # Diffusion of tracers
#
# Diffusion coefficients of each species by a vacancy in NbMoTa, with errors that know how often
# atoms jump back. Runs this short say themselves that their errors are wide.

# %%
import warnings

import matplotlib.pyplot as plt

from macro_ase import KRABarriers, build_crystal, diffusion

warnings.simplefilter("ignore")
atoms = build_crystal("bcc", "NbMoTa", size=(6, 6, 6), vacancies=1, rng=0)
table = diffusion(atoms, KRABarriers.load(), [1600, 2000, 2500, 3000], hops=200_000, rng=0)
D, errors = table.coefficients_m2_s
for s, name in enumerate(table.species):
    plt.errorbar(1e4 / table.temperatures_K, D[:, s], errors[:, s], fmt="o-", label=name)
plt.yscale("log")
plt.xlabel("10,000 / T (1/K)")
plt.ylabel("D in the simulation (m^2/s)")
plt.legend()
