"""A potential of the fitted form is found again from frames that it labelled; wrong scales lose."""

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.potentials import eam_fit
from macro_ase.potentials.dft_frames import Frame
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_cells import gather, rest_of_frames, rest_of_table, scaled
from macro_ase.potentials.eam_fit import CrossFit, Parameters, build_table, fit, splines
from macro_ase.potentials.zhou import ZHOU, zhou_table

STRETCH = 1.01
OFFSET_EV = {"Nb": -2.0, "Mo": -4.0, "Ta": -3.0}
TRUE = Parameters(
    np.array([1.0, *eam_fit.START_SCALES]),
    np.array([-0.9, 0.2, -0.5]),
    0.1 * np.sin(np.arange(3 * len(splines()))).reshape(3, -1),
)
OWN = rest_of_table(zhou_table())


def labelled(atoms: Atoms, structure: str) -> Frame:
    """A frame of a solid that is the potential's, stretched, with another zero of energy."""
    energy = TABLE.get_potential_energy(atoms) + sum(OFFSET_EV[s] for s in atoms.symbols)
    return Frame(
        scaled(atoms, STRETCH), energy, TABLE.get_forces(atoms) / STRETCH, structure, structure
    )


def crystal(names: tuple[str, str], n_second: int, rng: np.random.Generator) -> Atoms:
    constant = np.mean([OWN.lattice_constant_A[name] for name in names])
    atoms = bulk(names[0], "bcc", a=constant, cubic=True) * (2, 2, 2)
    atoms.symbols[rng.permutation(16)[:n_second]] = names[1]
    atoms.rattle(0.1, rng=rng)
    return atoms


TABLE = TableEAM(build_table(TRUE))


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    rng = np.random.default_rng(0)
    pure = [
        labelled(bulk(name, "bcc", a=a, cubic=True), name)
        for name, a in OWN.lattice_constant_A.items()
    ]
    return pure + [
        labelled(crystal(names, n, rng), f"{'-'.join(names)}/{n}")
        for names in itertools.combinations(ZHOU, 2)
        for n in (2, 5, 8, 11, 14)
        for _ in range(3)
    ]


def problem(frames: list[Frame]) -> CrossFit:
    alloys = [frame for frame in frames if "/" in frame.structure]
    cells = gather(alloys, zhou_table(), rest_of_frames(frames), OWN)
    return CrossFit(cells, np.arange(len(alloys)) % eam_fit.N_FOLDS)


def test_the_third_order_term_leaves_the_elements_at_rest() -> None:
    rest = rest_of_table(build_table(TRUE))
    for name in ZHOU:
        assert rest.lattice_constant_A[name] == pytest.approx(
            OWN.lattice_constant_A[name], abs=1e-4
        )
        assert rest.energy_eV[name] == pytest.approx(OWN.energy_eV[name], abs=1e-5)


def test_energies_and_forces_are_linear_in_the_parameters(frames: list[Frame]) -> None:
    linear = problem(frames).at(np.log(TRUE.density_scales[1:]))
    energy_rows, force_rows = linear._rows
    truth = np.concatenate([TRUE.pair_eV.ravel(), TRUE.cubic_eV])
    np.testing.assert_allclose(energy_rows @ truth, linear._wanted[0], atol=5e-6)
    np.testing.assert_allclose(force_rows @ truth, linear._wanted[1], atol=1e-5)


def test_the_truth_is_found_and_wrong_scales_lose(frames: list[Frame]) -> None:
    cross = problem(frames)
    at = {shift: cross.at(np.log(TRUE.density_scales[1:]) + shift) for shift in (0.0, 0.2)}
    energy, force = at[0.0].held_out(1e-6)
    assert np.sqrt(np.mean(energy**2)) < 5e-4 and np.sqrt(np.mean(force**2)) < 0.02
    assert at[0.2].loss(1e-6) > 10 * at[0.0].loss(1e-6)


def test_the_loss_is_that_of_the_held_out_errors(frames: list[Frame]) -> None:
    linear = problem(frames).at(np.log([1.5, 1.0]))
    energy, force = linear.held_out(10.0)
    squares = np.sum((energy / eam_fit.ENERGY_ERROR_EV) ** 2)
    squares += np.sum((force / eam_fit.FORCE_ERROR_EV_A) ** 2) / (3 * 16)
    assert linear.loss(10.0) == pytest.approx(squares, rel=1e-8)


def test_a_fit_from_beginning_to_end(frames: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eam_fit, "N_EVALUATIONS", 4)
    monkeypatch.setattr(eam_fit, "THINNING", 2)
    monkeypatch.setattr(eam_fit, "SMOOTHNESS", (1e-4, 1e3))
    result = fit(frames, seed=1)
    assert result.smoothness == 1e-4
    assert list(result.errors) == ["Mo-Nb", "Mo-Ta", "Nb-Ta", "all"]
    assert result.errors["all"].frames == 45 and result.errors["Mo-Ta"].frames == 15
    assert result.errors["all"].energy_meV < 3 and result.errors["all"].force_meV_A < 100
    pure = bulk("Ta", "bcc", a=3.2, cubic=True)
    exact = TableEAM(zhou_table()).get_potential_energy(pure)
    assert TableEAM(result.table).get_potential_energy(pure) == pytest.approx(exact, abs=0.05)


def test_refusals(frames: list[Frame]) -> None:
    with pytest.raises(ValueError, match="no pure frame of Ta"):
        fit(frames[:2] + frames[3:], seed=0)
    with pytest.raises(ValueError, match="structures make"):
        fit(frames[:6], seed=0)


def test_frames_without_alloys_are_refused() -> None:
    pure = [labelled(bulk(name, "bcc", 3.24, cubic=True), name) for name in ("Nb", "Mo", "Ta")]
    with pytest.raises(ValueError, match="no frame holds two elements or more"):
        fit(pure, 0)
