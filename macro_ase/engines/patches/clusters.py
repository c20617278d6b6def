"""Energies of the atoms that a move changes, of many moves in one batch.

In a network of L layers the energy of an atom depends on the species of those it reaches by at
most L bonds shorter than the cutoff. A move at the sites M therefore changes the energies of the
atoms

    C = {a : d(a, M) <= L},        dE = sum_{a in C} (E_a after - E_a before),

d counted in bonds, and these are exact in the cluster of all atoms with d <= 2 L, of whose bonds
only those into atoms with d < 2 L matter. It lies within 2 x L x cutoff of M, and holds fewer atoms
than that sphere: 369 instead of 1,459 around a site of bcc with bonds to two shells.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from ase import Atoms

from ...arrays import Array
from ...kinetics.site_moves import Neighbourhood, surroundings
from ...neighbour_pairs import neighbour_pairs
from ...patches import Indices

Result = TypeVar("Result")
Asking = Generator["Cluster", Array, Result]
"""What yields clusters, and is sent the energies of their centres."""


@dataclass(frozen=True, eq=False)
class ClusterShape:
    """Where the atoms of clusters are that differ in species alone; it is the same as itself only.

    Attributes
    ----------
    sites : int array, shape (n,)
        Of the graph that it was taken from.
    sender, receiver : int arrays, shape (n_bonds,)
        Every bond that is needed, in the direction in which it acts.
    vector_A : array, shape (n_bonds, 3)
        From sender to receiver.
    centre : int array, shape (n_centre,)
        The atoms whose energies are asked for.
    """

    sites: Indices
    sender: Indices
    receiver: Indices
    vector_A: Array
    centre: Indices


class Cluster(NamedTuple):
    """Atoms and bonds on which the energies of some of the atoms depend.

    Attributes
    ----------
    numbers : int array, shape (n,)
        Atomic numbers.
    shape : ClusterShape
        One that clusters share is prepared once by who computes them.
    """

    numbers: Indices
    shape: ClusterShape


class BatchedEnergies(Protocol):
    """A potential of which the energies of atoms of many clusters are computed in one batch.

    A calculator that has one as its attribute ``batched_energies`` is used by `PatchMC` and by the
    study ``swap`` in this way; MACE calculators need none.

    Attributes
    ----------
    cutoff_A : float
        Longest bond.
    layers : int
        Over how many bonds the energy of an atom depends on others.
    """

    @property
    def cutoff_A(self) -> float: ...

    @property
    def layers(self) -> int: ...

    def __call__(self, clusters: Sequence[Cluster]) -> list[Array]:
        """Energies of the centres of each cluster, eV, shape (n_centre,), double precision."""


class SiteGraph:
    """Bonds between the sites of some atoms, from which the clusters of moves are taken.

    Parameters
    ----------
    atoms : ase.Atoms
        On all sites; what they are is said for each cluster.
    cutoff_A : float
    layers : int
    """

    def __init__(self, atoms: Atoms, cutoff_A: float, layers: int) -> None:
        self.layers = layers
        self._receiver, self._sender, _, away = neighbour_pairs(atoms, cutoff_A)
        self._vector_A = -away
        starts = np.searchsorted(self._receiver, np.arange(len(atoms) + 1)).astype(np.int64)
        none, alike = np.zeros(len(atoms), dtype=np.int32), np.zeros(len(self._sender), np.uint32)
        sender = self._sender.astype(np.uint32)
        self._near = Neighbourhood(starts, sender, none, starts[:-1].copy(), alike)
        self._row = np.full(len(atoms), -1, dtype=np.int32)

    def whole(self, numbers: Indices) -> Cluster:
        """All atoms, of which all are asked for; numbers as for `around`."""
        real = np.flatnonzero(numbers)
        return self._cluster(numbers, real, np.arange(len(self._sender)), real)

    def around(self, sites: Sequence[int] | Indices, numbers: Indices) -> tuple[Indices, Cluster]:
        """Sites whose energies depend on what some sites hold, and the cluster of their atoms.

        Parameters
        ----------
        sites : sequence of int
        numbers : int array, shape (n_sites,)
            Atomic numbers; vacancies ``X``, 0, are left out of the cluster.
        """
        reached = [np.array(sites, dtype=np.int64)]
        for _ in range(2 * self.layers):
            reached.append(surroundings(self._near, reached[-1], self._row))
        changed, inner, nodes = reached[self.layers], reached[-2], reached[-1]
        first, last = self._near.starts[inner], self._near.starts[inner + 1]
        ends = np.cumsum(last - first)
        bonds = np.arange(ends[-1]) + np.repeat(last - ends, last - first)
        real, centre = (held[numbers[held] != 0] for held in (nodes, changed))
        return changed, self._cluster(numbers, real, bonds, centre)

    def _cluster(
        self, numbers: Indices, nodes: Indices, bonds: Indices, centre: Indices
    ) -> Cluster:
        row = self._row
        row[nodes] = np.arange(len(nodes))
        sender, receiver = row[self._sender[bonds]], row[self._receiver[bonds]]
        real = (sender >= 0) & (receiver >= 0)
        shape = ClusterShape(
            nodes,
            sender[real].astype(np.int64),
            receiver[real].astype(np.int64),
            self._vector_A[bonds[real]],
            row[centre].astype(np.int64),
        )
        row[nodes] = -1
        return Cluster(numbers[nodes], shape)


def answer(asking: Sequence[Asking[Result]], energies: BatchedEnergies) -> list[Result]:
    """Let all go on in lockstep, what they ask for at a time in one batch; what each returns."""
    results: dict[int, Result] = {}
    answers: dict[int, Any] = dict.fromkeys(range(len(asking)))
    while answers:
        asked: dict[int, Cluster] = {}
        for n, sent in answers.items():
            try:
                asked[n] = asking[n].send(sent)
            except StopIteration as end:
                results[n] = end.value
        answers = dict(zip(asked, energies(list(asked.values())))) if asked else {}
    return [results[n] for n in range(len(asking))]
