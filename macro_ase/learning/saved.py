"""The one format of models and encoders: a description (JSON) beside weights (safetensors).

``model.json`` holds format, kind, version, the sizes of the weights and their sha256, then what the
kind needs besides. Weights are written first, so that a description without its weights is
noticed. What earlier versions wrote is read. Nothing that is read is executed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import torch
from torch import Tensor, nn

from ..files import write_atomically
from ..reasons import reason

Member = TypeVar("Member", bound=nn.Module)
FORMAT, VERSION = "macro_ase model", 2
FILES = ("model.json", "weights.safetensors")
ENCODER = ("encoder.json", "encoder.safetensors", "macro_ase patch encoder 1")
EARLIER = {
    "macro-model": (*FILES, "macro_ase macro model 1"),
    "symmetric-model": (*FILES, "macro_ase symmetric model 1"),
    "drift": ("drift.json", "drift.safetensors", "macro_ase drift 1"),
    "patch-encoder": ENCODER,
    "field-encoder": ENCODER,
    "conditioned-encoder": ("", "encoder.safetensors", ""),
}
TRAINING = "training"


class Saved:
    """What is kept in a folder as data."""

    kind: ClassVar[str]

    def _parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What describes it, ready for JSON, and its weights."""
        raise NotImplementedError

    @classmethod
    def _of_parts(cls, data: dict[str, Any], weights: dict[str, Tensor], *given: Any) -> Self:
        """The same again."""
        raise NotImplementedError

    def content(self) -> dict[str, bytes]:
        """The files by name, in the order in which they are written."""
        data, weights = self._parts()
        content = weights_bytes(weights, {})
        sizes = {name: list(shape) for name, shape in shapes(weights).items()}
        sha256 = hashlib.sha256(content).hexdigest()
        told = {"format": FORMAT, "kind": self.kind, "version": VERSION, "sha256": sha256}
        text = json.dumps(told | {"sizes": sizes} | data, indent=1) + "\n"
        return {FILES[1]: content, FILES[0]: text.encode()}

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``weights.safetensors``; what a training left there goes."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in self.content().items():
            write_atomically(Path(folder) / name, content)
        shutil.rmtree(Path(folder) / TRAINING, ignore_errors=True)

    @classmethod
    def load(cls, folder: str | Path, *given: Any) -> Self:
        """Read what `save` wrote, or its like of an earlier version; nothing in it is executed."""
        with reading(folder, cls.kind.split("-")[-1]):
            return cls._of_parts(*_read(Path(folder), cls.kind), *given)


def _read(folder: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Description and weights."""
    text, file, form = EARLIER[kind]
    if (folder / FILES[0]).exists() or not (folder / file).exists():
        text, file = FILES
    data = json.loads((folder / text).read_text(encoding="utf-8")) if text else {"format": form}
    found = data.get("format") if isinstance(data, dict) else type(data).__name__
    if found not in (FORMAT, form):
        raise ValueError(f"its format is {found!r}, not {FORMAT!r}")
    if found == FORMAT and (data["kind"], data["version"]) != (kind, VERSION):
        raise ValueError(f"it is a {data['kind']!r} of version {data['version']}, not a {kind!r}")
    content = (folder / file).read_bytes()
    if found == FORMAT and hashlib.sha256(content).hexdigest() != data["sha256"]:
        raise ValueError(f"{file} is cut or changed: its sha256 is not that of {text}")
    weights = read_weights(folder / file)[0]
    wrong = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if wrong:
        raise ValueError(f"weights {wrong[0]} are not finite")
    return data, weights


def weights_bytes(weights: dict[str, Tensor], told: dict[str, str]) -> bytes:
    """A safetensors file, with metadata."""
    from safetensors.torch import save

    return save({name: value.contiguous() for name, value in weights.items()}, told or None)


def read_weights(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors of a safetensors file, each in memory of its own, and its metadata.

    Where they lie in the file's memory, sums are rounded in another order, so that a model that
    was read would differ in the last digits from the one that was written.
    """
    from safetensors import safe_open

    with safe_open(file, "pt") as content:
        return {k: content.get_tensor(k).clone() for k in content.keys()}, content.metadata() or {}


def cut_up(tree: Any, tensors: dict[str, Tensor] | None = None) -> tuple[Any, dict[str, Tensor]]:
    """Nested dictionaries and lists as what JSON holds, and the tensors in them."""
    kept: dict[str, Tensor] = {} if tensors is None else tensors
    if isinstance(tree, Tensor):
        name = str(len(kept))
        kept[name] = tree.detach().clone()
        return {"tensor": name}, kept
    if isinstance(tree, dict):
        return {"items": [[key, cut_up(value, kept)[0]] for key, value in tree.items()]}, kept
    if isinstance(tree, list | tuple):
        return [cut_up(value, kept)[0] for value in tree], kept
    return tree, kept


def put_together(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """What `cut_up` took apart; tuples become lists."""
    if isinstance(tree, dict):
        if "tensor" in tree:
            return tensors[tree["tensor"]]
        return {key: put_together(value, tensors) for key, value in tree["items"]}
    return [put_together(value, tensors) for value in tree] if isinstance(tree, list) else tree


def ensemble_weights(members: Sequence[nn.Module]) -> dict[str, Tensor]:
    """Weights of all members, by number and name."""
    named = ((k, member.state_dict().items()) for k, member in enumerate(members))
    return {f"{k}.{name}": value for k, items in named for name, value in items}


def filled_members(
    weights: dict[str, Tensor], number: int, make: Callable[[], Member]
) -> list[Member]:
    """New members with the weights of a file, which must hold theirs and no others."""
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
    """Whatever is wrong with files that the block reads becomes one line that names the folder."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{folder} holds no complete {what}: {reason(error)}") from error
