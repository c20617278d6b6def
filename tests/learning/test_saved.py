"""The one saved format: what it holds, its damage, and what earlier versions wrote."""

import hashlib
import json
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase.learning.encoders.conditioned_encoder import ConditionedEncoder  # noqa: E402
from macro_ase.learning.encoders.field_encoder import FieldEncoder  # noqa: E402
from macro_ase.learning.encoders.patch_encoder import PatchEncoder  # noqa: E402
from macro_ase.learning.models.drift_model import DriftModel  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.learning.models.symmetric_model import SymmetricModel  # noqa: E402
from macro_ase.learning.saved import EARLIER, cut_up, put_together  # noqa: E402
from macro_ase.observables.differentiable import LinearObservables  # noqa: E402

pytestmark = pytest.mark.learn
HERE = Path(__file__).parent / "earlier"
KINDS: dict[str, Any] = {
    "macro-model": MacroModel,
    "drift": DriftModel,
    "symmetric-model": SymmetricModel,
    "patch-encoder": PatchEncoder,
    "field-encoder": FieldEncoder,
    "conditioned-encoder": ConditionedEncoder,
}


def read(kind: str, folder: Path) -> Any:
    given = (LinearObservables(np.full((1, 4), 0.25)),) if kind == "conditioned-encoder" else ()
    return KINDS[kind].load(folder, *given)


def said(kind: str, model: Any) -> Any:
    """What a model of `earlier` says of one state."""
    z, spins = np.array([[0.3]]), np.where(np.arange(25) % 3 > 0, 1, -1).astype(np.int8)[None]
    return {
        "macro-model": lambda: model.step_moments(z, np.array([0.5]))[0],
        "drift": lambda: model(z),
        "symmetric-model": lambda: np.array(model.network.moments(z[0], 430.5)),
        "patch-encoder": lambda: model.encode(spins),
        "field-encoder": lambda: model.encode(np.linspace(0, 1, 12).reshape(1, 2, 6)),
        "conditioned-encoder": lambda: model.encode(np.arange(4.0)[None]),
    }[kind]()


@pytest.mark.parametrize("kind", EARLIER)
def test_what_earlier_versions_wrote_is_read_and_written_anew(kind: str, tmp_path: Path) -> None:
    model = read(kind, HERE / kind)
    known = json.loads((HERE / "said.json").read_text())[kind]
    np.testing.assert_allclose(said(kind, model).ravel(), known, rtol=1e-6)
    model.save(tmp_path / "new")
    assert sorted(f.name for f in (tmp_path / "new").iterdir()) == [
        "model.json",
        "weights.safetensors",
    ]
    np.testing.assert_array_equal(said(kind, read(kind, tmp_path / "new")), said(kind, model))
    data = json.loads((tmp_path / "new" / "model.json").read_text())
    content = (tmp_path / "new" / "weights.safetensors").read_bytes()
    assert data["sha256"] == hashlib.sha256(content).hexdigest()
    assert (data["format"], data["kind"], data["version"]) == ("macro_ase model", kind, 2)


@pytest.mark.parametrize("kind", EARLIER)
def test_damage_is_one_line(kind: str, tmp_path: Path) -> None:
    """A bit of the weights, another kind, a version to come, an earlier format of another kind."""
    folder, wrong = tmp_path / "new", f"^{tmp_path}.* holds no complete {kind.split('-')[-1]}: "
    read(kind, HERE / kind).save(folder)
    text, weights = folder / "model.json", folder / "weights.safetensors"
    content, data = weights.read_bytes(), json.loads(text.read_text())
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=wrong + "weights.safetensors is cut or changed"):
        read(kind, folder)
    weights.write_bytes(content)
    for change, message in (
        ({"kind": "spline"}, "it is a 'spline' of version 2"),
        ({"version": 3}, "of version 3"),
        ({"format": "macro_ase spline 1"}, "its format is 'macro_ase spline 1'"),
    ):
        text.write_text(json.dumps(data | change))
        with pytest.raises(ValueError, match=wrong + ".*" + message):
            read(kind, folder)
    text.unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.json"):
        read(kind, folder)
    copytree(HERE / kind, tmp_path / "old")
    for file in (tmp_path / "old").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=rf"^{tmp_path / 'old'} holds no complete [^\n]*$"):
        read(kind, tmp_path / "old")


def test_nested_values_with_tensors_are_put_together_again() -> None:
    tree = {"a": [None, 1.5, torch.arange(3)], 7: {"b": np.inf, "c": torch.tensor(2.0)}}
    described, tensors = cut_up(tree)
    again = put_together(json.loads(json.dumps(described)), tensors)
    assert str(again) == str(tree) and again["a"][2] is not tree["a"][2]
