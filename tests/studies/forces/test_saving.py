"""Designs of both studies of the Lennard-Jones fluid: starts, and settings refused."""

import copy

import pytest

pytest.importorskip("torch")

from macro_ase.config import load_config
from macro_ase.studies.forces.design import ForcesDesign
from macro_ase.studies.forces.saving_design import SavingDesign


def test_pairs_of_free_runs_share_temperatures_alone() -> None:
    study = SavingDesign.of(load_config("lennard-jones-saving", quick=True))
    one, two = study.starts("free-one/400"), study.starts("free-two/400")
    assert [s.temperature for s in one] == [s.temperature for s in two]
    assert all(a.position_seed != b.position_seed for a, b in zip(one, two))
    family = study.starts("family/400")
    assert {(s.position_seed, s.velocity_seed) for s in family} == {(1, 2)}
    assert len({s.temperature for s in family}) == len(family)


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("saving", "data.training_runs", [5], "data.training_runs must be 2 or more for each"),
        ("saving", "data.block_atoms", 0, "data.block_atoms must be at least 1, not 0"),
        ("saving", "forces.error", 0.0, "forces.error must be above 0"),
        ("saving", "forces.configurations", [3], "forces.configurations must be 6 or more each"),
        ("saving", "data.block_atoms", 30, "data.block_atoms must divide 800 atoms, not be 30"),
        ("saving", "data.block_atoms", 8, "gives 24 forces, and 25 rows need as many"),
        ("saving", "data.position_seed", 0, "data.position_seed must be at least 1, not 0"),
        ("saving", "encoder.rates", 4, "encoder.rates must be at most encoder.components"),
        ("saving", "encoder.basis", {"number": 8, "first": 2, "last": 2, "cutoff": 3}, "basis"),
        ("saving", "learning.drift", "spline", "learning.drift must be one of"),
        ("saving", "data.n_atoms", [50, 100, 150, 200], "n_atoms must be 100 or more"),
        ("forces", "data.temperatures", [1.5, 0.5], "data.temperatures must be two, ascending"),
        ("forces", "forces.error", 0.0, "forces.error must be above 0"),
        ("forces", "data.every", 1000, "data.every must leave two frames or more"),
        ("forces", "system.n_atoms", 50, "n_atoms must be 100 or more"),
    ],
)
def test_settings_that_make_no_sense(name: str, key: str, value: object, told: str) -> None:
    config = copy.deepcopy(load_config(f"lennard-jones-{name}"))
    table, last = key.split(".")
    config[table][last] = value
    design = {"saving": SavingDesign, "forces": ForcesDesign}[name]
    with pytest.raises(ValueError, match=told):
        design.of(config)
