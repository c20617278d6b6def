"""Weights and description of an ensemble as files of a folder; damage is said in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..files import write_atomically
from ..reasons import reason

Member = TypeVar("Member", bound=nn.Module)


def write_ensemble(
    folder: str | Path, names: tuple[str, str], data: dict[str, Any], members: Sequence[nn.Module]
) -> None:
    """Write weights and then what describes them.

    Parameters
    ----------
    folder : path
    names : (str, str)
        Of the description (JSON) and of the weights (safetensors).
    data : dict
    members : sequence of Module
    """
    from safetensors.torch import save

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{k}.{name}": value.contiguous()
        for k, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
    write_atomically(folder / names[1], save(tensors))
    write_atomically(folder / names[0], json.dumps(data, indent=1) + "\n")


def read_tensors(file: str | Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, each in memory of its own.

    Where they lie in the file's memory, sums are rounded in another order, so that a model that
    was read would differ in the last digits from the one that was written.
    """
    from safetensors.torch import load_file

    return {name: tensor.clone() for name, tensor in load_file(file).items()}


def read_ensemble(
    folder: str | Path, names: tuple[str, str], form: str
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `write_ensemble` wrote; nothing in it is executed.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If the description is of another format, or a weight is not finite.
    """
    weights = read_tensors(Path(folder) / names[1])
    data = json.loads((Path(folder) / names[0]).read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("format") != form:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"its format is {found!r}, not {form!r}")
    wrong = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if wrong:
        raise ValueError(f"weights {wrong[0]} are not finite")
    return data, weights


def filled_members(
    weights: dict[str, Tensor], number: int, make: Callable[[], Member]
) -> list[Member]:
    """New members with the weights of a file, which must hold theirs and no others.

    Raises
    ------
    ValueError
        If it does not.
    """
    members = []
    for k in range(number):
        with torch.device("meta"):
            member = make()
        own = {name.split(".", 1)[1]: w for name, w in weights.items() if _owner(name) == k}
        if shapes(own) != shapes(member.state_dict()):
            raise ValueError(f"the weights of member {k} are not those of its options")
        member.load_state_dict(own, assign=True)
        members.append(member.eval())
    if any(not 0 <= _owner(name) < number for name in weights):
        raise ValueError(f"there are weights of more than {number} members")
    return members


def shapes(weights: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shape of each weight by name."""
    return {name: tuple(value.shape) for name, value in weights.items()}


def _owner(name: str) -> int:
    return int(name.split(".", 1)[0])


@contextmanager
def reading(folder: str | Path, what: str) -> Iterator[None]:
    """Whatever is wrong with files that the block reads becomes one line that names the folder.

    Raises
    ------
    ValueError
        If the block fails otherwise than for want of a file.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{folder} holds no complete {what}: {reason(error)}") from error
