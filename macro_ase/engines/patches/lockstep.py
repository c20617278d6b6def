"""Many patches that evolve at the same time, and ask for their energies in one batch.

Every patch draws from its own random stream and decides by its own energies, so it makes the moves
that it would make alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from ase import units

from ...counts import require_count
from .cluster_sites import ClusterSites
from .clusters import Asking, answer
from .mc import PatchMC


def run_in_lockstep(engines: Sequence[PatchMC], attempts: int | Sequence[int]) -> None:
    """Let patches make attempts, with the outcome of ``engine.run(attempts)`` for each.

    Energies come in batches where the calculator gives those of many clusters at a time (MACE, or
    one with the attribute ``batched_energies``) and no move displaces atoms. All other engines run
    one after another.

    Parameters
    ----------
    engines : sequence of PatchMC
        Each with atoms of its own; those with one calculator (the very object) share a batch.
    attempts : int or sequence of int
        Of all, or of each.

    Raises
    ------
    ValueError
        If two have the same atoms, or the numbers do not fit.

    Examples
    --------
    >>> from macro_ase import Patch, TableEAM, build_crystal
    >>> from macro_ase.potentials import path
    >>> eam, patch = TableEAM(path("NbMoTa.eam.alloy")), Patch.sphere(100, radius_A=5, buffer_A=2)
    >>> many = [build_crystal("bcc", "NbMoTa", size=(6, 6, 6), rng=k) for k in range(3)]
    >>> engines = [PatchMC(atoms, patch, eam, temperature_K=900, rng=0) for atoms in many]
    >>> run_in_lockstep(engines, 100)
    >>> [engine.nsteps for engine in engines]
    [100, 100, 100]
    """
    numbers = list(attempts) if isinstance(attempts, Sequence) else [attempts] * len(engines)
    if len(numbers) != len(engines):
        raise ValueError(f"attempts of {len(engines)} engines are needed, not of {len(numbers)}")
    numbers = [require_count(number, "attempts") for number in numbers]
    if len({id(engine.atoms) for engine in engines}) < len(engines):
        raise ValueError("every engine needs atoms of its own: give copies")
    batches: dict[int, list[tuple[PatchMC, int]]] = {}
    for engine, number in zip(engines, numbers):
        if isinstance(engine._sites, ClusterSites):
            batches.setdefault(id(engine.calculator), []).append((engine, number))
        else:
            engine.run(number)
    for batch in batches.values():
        sites = batch[0][0]._sites
        assert isinstance(sites, ClusterSites)
        answer([_run(engine, number) for engine, number in batch], sites.energies)


def _run(engine: PatchMC, attempts: int) -> Asking[None]:
    """The run of an engine, yielding a cluster for each of its moves."""
    engine._open_run()
    engine.max_steps = engine.nsteps + attempts
    while engine.nsteps < engine.max_steps:
        wanted = engine._open_stretch()
        sites, schedule = engine._sites, engine._schedule
        assert isinstance(sites, ClusterSites) and schedule is not None
        betas = 1 / (units.kB * schedule.over(engine.nsteps, wanted))
        change = yield from sites.attempts(betas, wanted, engine.rng_state, engine.tally)
        engine.energy_change_eV += change
        engine._close_stretch(wanted)
