# %% [markdown]
# # An alloy of your own
#
# You have a crystal and a potential, and ask how the alloy orders: which neighbours its atoms seek,
# how soon, and what a crystal does that is too large to simulate. The study `swap` takes both as
# they are, on any lattice. Here they are fcc Cu3Au and the effective medium theory of ASE (EMT),
# cheap enough for direct runs to stand beside every prediction.
#
# `python tutorials/08_your_alloy.py` takes about a minute, with `--quick` some seconds. The report
# goes to `runs/`, or to the folder that `--out FOLDER` names.

# %%
import argparse
import json
from pathlib import Path

from ase.build import bulk

from macro_ase import (
    PatchMC,
    Ramp,
    TableEAM,
    build_crystal,
    load_config,
    run_study,
    short_range_order,
)
from macro_ase.potentials.emt_table import emt_table

parser = argparse.ArgumentParser()
parser.add_argument("--quick", action="store_true", help="few samples, to see that it runs")
parser.add_argument("--out", type=Path, default=Path("runs"), help="folder for the run")
options, _ = parser.parse_known_args()

# %% [markdown]
# ## Your crystal
#
# Any file that ASE reads, or LAMMPS writes, hot or relaxed: atoms are put on the sites of its
# lattice. This one is random.

# %%
options.out.mkdir(parents=True, exist_ok=True)
crystal = options.out / "alloy.xyz"
alloy = build_crystal("fcc", "Cu3Au", size=(8, 8, 8) if options.quick else (16, 16, 8), rng=0)
alloy.write(crystal)
print(f"{len(alloy)} sites: {alloy.symbols.formula.count()}")

# %% [markdown]
# ## What it could become
#
# In L1_2 gold has the corners of the cubes; in D0_22 every second layer of cubes is shifted by half
# a diagonal of its face. Warren and Cowley's alpha of unlike atoms, by shell, is 0 at random and
# below 0 where they seek each other. Energies are less that of the random crystal.

# %%
emt = TableEAM(emt_table(("Cu", "Au")))  # the energies of ASE's EMT, in compiled swaps
cube = bulk("Cu", "fcc", a=alloy.cell[2, 2] / 8, cubic=True)
cube.symbols[0] = "Au"
shifted = cube.repeat((1, 1, 2))
shifted.positions[4:] += (cube.cell[0] + cube.cell[1]) / 2


def order(crystal):
    """alpha of Cu and Au in the first three shells."""
    found = short_range_order(crystal, n_shells=3)
    return found.alpha[:, found.species.index("Cu"), found.species.index("Au")]


def show(name, crystal):
    """Order by shell, and energy."""
    energy, random = (1e3 * emt.get_potential_energy(x) / len(x) for x in (crystal, alloy))
    shells = "".join(f"{x:+8.3f}" for x in order(crystal))
    print(f"{name:16s}{shells}{energy - random:+8.1f} meV/atom")


show("random", alloy)
show("L1_2", cube.repeat(4))
show("D0_22", shifted.repeat((4, 4, 2)))

# %% [markdown]
# The first shell is the same in both: it says that atoms order, the others say into what.
#
# ## From patches to the whole
#
# Small crystals cut from yours evolve by swaps of neighbours. Patches of them, alone in their true
# surroundings, teach a model how order drifts and fluctuates, and the model predicts your crystal
# from its own first state. From the shell,
#
#     macro-ase run swap --structure alloy.xyz --calculator emt
#
# with `eam:FILE`, `mace:FILE` or your `lammps:` lines instead of `emt`; `--list-settings` says what
# else can be set. Where direct runs cannot be afforded, `direct.runs = 0` leaves them out.

# %%
changes = {"system": {"calculator": "emt"}, "conditions": {"temperatures_K": [800.0, 1200.0]}}
if options.quick:
    changes |= {"small": {"runs": 4, "events": 60.0}, "learning": {"epochs": 6}}
else:
    changes |= {"small": {"runs": 8, "events": 300.0}, "direct": {"relaxation_times": 60.0}}
    changes |= {"learning": {"members": 6, "epochs": 10}}
config = load_config("swap", options.quick, structure=crystal, changes=changes)
folder = run_study(config, options.out / "alloy", overwrite=True, quick=options.quick)
results = json.loads((folder / "results.json").read_text())


def print_table(table):
    """A table of the report."""
    for first, *row in (table["columns"], *table["rows"]):
        print(f"{first:46s}" + "".join(f"{cell or '':17s}" for cell in row))


tables = {t["caption"]: t for section in results["sections"] for t in section["tables"]}
print_table(tables["alpha"])

# %% [markdown]
# ## Was it worth it?
#
# Errors of delta, which is alpha times $-12 c_B$, beside those of simpler ways: the average of the
# small crystals, the same less what their size does at random, a direct run of equal cost. Then
# what either route took, and whether the assumptions held; in few samples most are undecided.

# %%
print_table(results["baselines"])
print(results["cost"]["sentence"])
for check in results["checks"]:
    print(f"{check['verdict']:12s} {check['name']}: {check['value']}")

# %% [markdown]
# Here direct runs are the cheaper way: a compiled swap takes a microsecond or less. They cost more
# in a larger crystal, patches do not; the sentence says from where on these pay. The small
# crystals' average is as good in the mean, or better. It says nothing of how fast a large crystal
# relaxes or how much it fluctuates, which the report does.
#
# ## Towards order
#
# Swaps of any two atoms have the same equilibrium: one state of each temperature, by shell, then a
# small crystal that is slowly cooled.

# %%
for T in (1200, 800):
    hot = alloy.copy()
    PatchMC(hot, calculator=emt, temperature_K=T, rng=1).run(100 * len(hot))
    show(f"{T} K", hot)
cold = build_crystal("fcc", "Cu3Au", size=(4, 4, 4), rng=0)
cooling = Ramp(800, 100, 1_000_000)
PatchMC(cold, calculator=emt, temperature_K=cooling, rng=1).run(1_000_000)
show("cooled to 100 K", cold)

# %% [markdown]
# Below 0 in the first shell and above 0 in the second, the hot alloy leans towards order. Cooled,
# it has the first shell of L1_2 and not the others, for L1_2 and D0_22 differ by less than a meV
# per atom. That is the answer of this potential, which hardly looks beyond nearest neighbours:
# `macro-ase compare-potentials` asks several.
