"""Which element an atom type of LAMMPS is: as the file says, as its mass says, or as given.

A type that no label names, and whose mass is that of no element or of several, is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

MASS_TOLERANCE = 0.05
REDUCED_MASS = 1.0
"""The usual mass in reduced units, which is not taken for hydrogen's."""


def element_of_mass(mass: float) -> str | None:
    """The element of a mass in amu, if exactly one is within 0.05 amu of it."""
    if np.isclose(mass, REDUCED_MASS, rtol=1e-6):
        return None
    near = np.flatnonzero(np.abs(atomic_masses[1:] - mass) < MASS_TOLERANCE) + 1
    return chemical_symbols[near[0]] if len(near) == 1 else None


def given_species(species: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Elements of the types as a tuple; a text of words is one too."""
    if species is None:
        return None
    return tuple(species.split() if isinstance(species, str) else species)


def elements_of_types(
    n_types: int,
    labels: Mapping[int, str],
    masses: Mapping[int, float],
    species: Sequence[str] | str | None = None,
) -> tuple[str, ...]:
    """Elements of the types 1, 2, ..., n_types.

    Parameters
    ----------
    n_types : int
    labels : mapping from type to str
        What the file calls them; names that are no elements do not count.
    masses : mapping from type to float
        In amu.
    species : sequence of str, optional
        Elements of the types, or more.

    Raises
    ------
    ValueError
        If an element is not known, or what is said of a type disagrees.
    """
    said = {n: name for n, name in labels.items() if name in atomic_numbers}
    given = given_species(species)
    if given is not None:
        if len(given) < n_types:
            raise ValueError(f"it has {n_types} types, species names {len(given)}")
        unknown = [name for name in given[:n_types] if name not in atomic_numbers]
        if unknown:
            raise ValueError(f"species must be symbols of elements, not {', '.join(unknown)}")
        for n, name in sorted(said.items()):
            if given[n - 1] != name:
                raise ValueError(f"it names type {n} {name}, species names it {given[n - 1]}")
        return given
    by_mass = {n: element_of_mass(mass) for n, mass in masses.items()}
    for n, name in sorted(said.items()):
        other = by_mass.get(n)
        if other not in (None, name) and abs(atomic_masses[atomic_numbers[name]] - masses[n]) > 1:
            raise ValueError(f"type {n} is called {name} and has the mass of {other}: give species")
    found = [said.get(n) or by_mass.get(n) for n in range(1, n_types + 1)]
    unknown = [str(n) for n, name in enumerate(found, 1) if name is None]
    if unknown:
        raise ValueError(
            f"it does not name the element of type {', '.join(unknown)}: "
            "give species, the element of each type in order"
        )
    return tuple(str(name) for name in found)
