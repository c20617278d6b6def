# %% [markdown]
# # A vacancy brings order
#
# Rejection-free kinetic Monte Carlo of one vacancy in a random crystal, on its own exact clock:
# bonds between unlike first neighbours change by the second.

# %%
import matplotlib.pyplot as plt

from macro_ase import KRABarriers, VacancyKMC, build_crystal, short_range_order

atoms = build_crystal("bcc", "NbMoTa", size=(8, 8, 8), vacancies=1, rng=0)
kmc = VacancyKMC(atoms, KRABarriers.load(), temperature_K=2000, rng=0)
times, alpha = [], []
for _ in range(60):
    kmc.run(2000)
    times.append(1e9 * kmc.time)
    found = short_range_order(atoms, n_shells=1)
    alpha.append(found.alpha[0, found.species.index("Mo"), found.species.index("Ta")])
plt.plot(times, alpha, ".-")
plt.xlabel("time (ns)")
plt.ylabel("alpha of Mo-Ta")
