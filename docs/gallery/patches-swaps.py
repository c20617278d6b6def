# %% [markdown]
# # Swaps in a patch
#
# Metropolis swaps of unlike atoms in a patch of a random crystal, at two temperatures; energies
# of the embedded-atom potential that ships.

# %%
import matplotlib.pyplot as plt

from macro_ase import Patch, PatchMC, TableEAM, build_crystal
from macro_ase.potentials import path

patch, eam = Patch.sphere(1000, radius_A=8.0, buffer_A=3.0), TableEAM(path("NbMoTa.eam.alloy"))
for temperature in (500, 2000):
    atoms, energies = build_crystal("bcc", "NbMoTa", size=(12, 12, 12), rng=0), [0.0]
    mc = PatchMC(atoms, patch, eam, temperature_K=temperature, rng=0)
    for _ in range(50):
        mc.run(200)
        energies.append(mc.energy_change_eV)
    plt.plot(range(0, 10_001, 200), energies, label=f"{temperature} K")
plt.gca().set(xlabel="attempts", ylabel="energy change (eV)")
plt.legend()
