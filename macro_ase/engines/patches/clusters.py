"""Energies of the atoms that a move changes, of many moves in one batch.

In a network of L layers the energy of an atom depends on the species of those it reaches by at
most L bonds shorter than the cutoff. A move at the sites M therefore changes the energies of the
atoms

    C = {a : d(a, M) <= L},        dE = sum_{a in C} (E_a after - E_a before),

d counted in bonds, and these are exact in the cluster of all atoms with d <= 2 L, of whose bonds
only those into atoms with d < 2 L matter. It lies within 2 x L x cutoff of M, and holds fewer atoms
than that sphere: 369 instead of 1,459 around a site of bcc with bonds to two shells.

Layer k = 1 ... L is asked for atoms with d <= 2 L - k alone, on which the rest depends. Where the
features of a state's atoms are remembered, a move changes those after layer k of atoms with d <= k:
only these are computed anew, from a cluster of d <= L + 1.
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
    rows : tuple of int arrays
        Of each layer, the atoms whose features after it are needed and not remembered.
    """

    sites: Indices
    sender: Indices
    receiver: Indices
    vector_A: Array
    centre: Indices
    rows: tuple[Indices, ...]


class AtomMemory:
    """Features of the atoms of one state, for who computes energies layer by layer.

    Parameters
    ----------
    n_sites : int

    Attributes
    ----------
    features : list of tensors, shape (n_sites, f)
        After each layer but the last; none where nobody remembers.
    shown : list of (sites, rows, values)
        What was computed last, of rows of the sites of a cluster, for each of the features.
    """

    def __init__(self, n_sites: int) -> None:
        self.n_sites = n_sites
        self.features: list[Any] = []
        self.shown: list[tuple[Any, Any, Any]] = []

    def keep(self) -> None:
        """Remember what was computed last: the state is so now."""
        for at, (sites, rows, values) in enumerate(self.shown):
            if at == len(self.features):
                self.features.append(values.new_zeros(self.n_sites, values.shape[1]))
            self.features[at][sites[rows]] = values


class Cluster(NamedTuple):
    """Atoms and bonds on which the energies of some of the atoms depend.

    Attributes
    ----------
    numbers : int array, shape (n,)
        Atomic numbers.
    shape : ClusterShape
        One that clusters share is prepared once by who computes them.
    sites : int array, shape (n,)
        Where its atoms are in their state.
    memory : AtomMemory, optional
        That of the state. If it has features, those of atoms that are no rows of the shape are
        taken from it.
    """

    numbers: Indices
    shape: ClusterShape
    sites: Indices
    memory: AtomMemory | None = None


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

    def whole(self, numbers: Indices, memory: AtomMemory | None = None) -> Cluster:
        """All atoms, of which all are asked for; numbers as for `around`."""
        real = np.flatnonzero(numbers)
        held, bonds = [real] * (self.layers + 1), np.arange(len(self._sender))
        return self._cluster(numbers, held, bonds)._replace(memory=memory)

    def around(
        self,
        sites: Sequence[int] | Indices,
        numbers: Indices,
        memory: AtomMemory | None = None,
    ) -> tuple[Indices, Cluster]:
        """Sites whose energies depend on what some sites hold, and the cluster of their atoms.

        Parameters
        ----------
        sites : sequence of int
        numbers : int array, shape (n_sites,)
            Atomic numbers; vacancies ``X``, 0, are left out of the cluster.
        memory : AtomMemory, optional
            Of the state but for what these sites hold.
        """
        reached, layers = [np.array(sites, dtype=np.int64)], self.layers
        remembered = memory is not None and len(memory.features) > 0
        for _ in range(layers + 1 if remembered else 2 * layers):
            reached.append(surroundings(self._near, reached[-1], self._row))
        inner = reached[-2]
        first, last = self._near.starts[inner], self._near.starts[inner + 1]
        ends = np.cumsum(last - first)
        bonds = np.arange(ends[-1]) + np.repeat(last - ends, last - first)
        needed = reached[1 : layers + 1] if remembered else reached[-2 : layers - 1 : -1]
        real = [held[numbers[held] != 0] for held in (reached[-1], *needed)]
        return reached[layers], self._cluster(numbers, real, bonds)._replace(memory=memory)

    def _cluster(self, numbers: Indices, held: Sequence[Indices], bonds: Indices) -> Cluster:
        """Of atoms on the first of sites held, the next being those that layers compute."""
        (nodes, *rows), row = held, self._row
        row[nodes] = np.arange(len(nodes))
        sender, receiver = row[self._sender[bonds]], row[self._receiver[bonds]]
        real = (sender >= 0) & (receiver >= 0)
        computed = tuple(row[own].astype(np.int64) for own in rows)
        shape = ClusterShape(
            nodes,
            sender[real].astype(np.int64),
            receiver[real].astype(np.int64),
            self._vector_A[bonds[real]],
            computed[-1],
            computed,
        )
        row[nodes] = -1
        return Cluster(numbers[nodes], shape, nodes)


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
