"""Where frames keep their energies and forces: under ASE's names, MACE's, or a name that is given.

``energy`` and ``forces`` are what ASE's readers make a calculator of; MACE recommends
``REF_energy`` in ``info`` and ``REF_forces`` in ``arrays``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

ENERGY_KEYS = ("energy", "REF_energy")
FORCES_KEYS = ("forces", "REF_forces")


def label_key(
    images: Sequence[Atoms], given: str | None, usual: Sequence[str], option: str, where: str
) -> str:
    """The key under which all images keep a label.

    Parameters
    ----------
    images : sequence of ase.Atoms
    given : str, optional
        Default: the usual one that is there.
    usual : sequence of str
    option : str
        What the key is given by, for messages.
    where : str
        Name of the file.

    Raises
    ------
    ValueError
        If an image lacks it, or two usual ones are there and differ.
    """
    keys = [given] if given is not None else list(usual)
    for number, image in enumerate(images):
        found = [key for key in keys if label(image, key) is not None]
        if not found:
            raise ValueError(
                f"frame {number} of {where} lacks {' or '.join(keys)}; it has "
                f"{', '.join(names_of(image)) or 'no labels'}: give {option}"
            )
        values = [label(image, key) for key in found]
        if any(not np.array_equal(values[0], value, equal_nan=True) for value in values[1:]):
            raise ValueError(
                f"frame {number} of {where} has {' and '.join(found)}, which differ: give {option}"
            )
        keys = found
    return keys[0]


def label(image: Atoms, key: str) -> Any:
    """A result of the calculator, an entry of ``info`` or an array; None if there is none."""
    results = {} if image.calc is None else getattr(image.calc, "results", {})
    for source in (results, image.info, image.arrays):
        if source.get(key) is not None:
            return np.asarray(source[key])
    return None


def names_of(image: Atoms) -> list[str]:
    """What an image holds that could be a label."""
    results = {} if image.calc is None else getattr(image.calc, "results", {})
    arrays = set(image.arrays) - {"numbers", "positions"}
    return sorted({*map(str, results), *map(str, image.info), *arrays})
