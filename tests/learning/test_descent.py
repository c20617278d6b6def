"""A training that is stopped goes on to the same bytes; others' states are left aside."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from macro_ase.learning import descent  # noqa: E402
from macro_ase.learning.encoders.conditioned_autoencoder import train_autoencoder  # noqa: E402
from macro_ase.learning.encoders.field_encoder import train_field_encoder  # noqa: E402
from macro_ase.learning.encoders.patch_encoder import train_encoder  # noqa: E402
from macro_ase.learning.force_losses import QuadraticLoss  # noqa: E402
from macro_ase.learning.models.clock import Clock  # noqa: E402
from macro_ase.learning.models.drift_model import train_drift  # noqa: E402
from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402
from macro_ase.learning.models.symmetric_model import fit_symmetric  # noqa: E402
from macro_ase.learning.models.training import Trained, train  # noqa: E402
from macro_ase.learning.options import (  # noqa: E402
    AutoencoderOptions,
    DriftOptions,
    EncoderOptions,
    FitOptions,
    TrainingOptions,
)
from macro_ase.learning.pairs import PairBatch  # noqa: E402
from macro_ase.observables.differentiable import LinearObservables  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.fixture(autouse=True)
def one_thread_and_a_state_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(descent, "BLOCK_S", 0.0)


def macro(folder: Path | None, seed: int = 0, rate: float = 0.1) -> MacroModel:
    rng = np.random.default_rng(0)
    z0 = rng.normal(size=(300, 2))
    dz = -rate * z0 + rng.normal(size=(300, 2))
    pairs = PairBatch(z0, dz, 0.5, np.arange(300) // 10)
    options = TrainingOptions(width=4, depth=1, members=2, epochs=4, batch_size=60)
    trained = train(pairs, options, seed, checkpoint=folder)
    return MacroModel(trained, options, ("a", "b"), 1.0, 1.0, Clock(np.ones(1), np.zeros(1)))


def drift(folder: Path | None, seed: int = 0) -> Any:
    """Eight steps, then four blocks of L-BFGS that its tolerances may end."""
    z = np.random.default_rng(0).normal(size=(80, 2))
    loss = QuadraticLoss.of_rates(-z - 0.3 * z**3, np.ones(2))
    options = DriftOptions("network", 4, 1, 2, 8, 20, polish=180)
    return train_drift(z, np.zeros((80, 0)), loss, options, seed, checkpoint=folder)


def symmetric(folder: Path | None, seed: int = 0) -> Any:
    rng = np.random.default_rng(0)
    m, square = rng.uniform(0, 0.8, 60), 1e-3 * rng.uniform(0.9, 1.1, 60)
    rows = np.column_stack([np.ones(60), m, rng.choice([430.0, 440.0], 60), -1e-3 * m, square])
    return fit_symmetric(rows[:40], rows[40:], FitOptions(4, 1, 100), seed, folder)


def spins(folder: Path | None, seed: int = 0) -> Any:
    tiles = np.random.default_rng(0).choice(np.array([1, -1], np.int8), (200, 64))
    tiles[::2, :32] = 1
    options = EncoderOptions(1, 2, 9, 40)
    return train_encoder(tiles, tiles[:, :3].astype(float), options, seed, folder)[0]


def fields(folder: Path | None, seed: int = 0) -> Any:
    tiles = np.random.default_rng(0).normal(size=(200, 2, 9)).cumsum(axis=2)
    return train_field_encoder(tiles, EncoderOptions(1, 2, 9, 40), seed, folder)[0]


def autoencoder(folder: Path | None, seed: int = 0) -> Any:
    states = np.random.default_rng(0).normal(size=(90, 6)).cumsum(axis=1)
    options = AutoencoderOptions(3, 1.0, 1, (4,), 1e-4, 9, 30)
    given = LinearObservables(np.full((1, 6), 1 / 6))
    return train_autoencoder(states, given, options, seed, checkpoint=folder)[0]


KINDS = (macro, drift, symmetric, spins, fields, autoencoder)


def saved(model: Any, folder: Path) -> dict[str, bytes]:
    model.save(folder)
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*.*"))}


class Stopped(Exception):
    """As if the process had ended."""


def stopping(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Every training stops when it has advanced so many times."""
    real, left = descent._Descent.advance, iter(range(after))

    def advance(self: Any) -> None:
        if next(left, None) is None:
            raise Stopped
        real(self)

    monkeypatch.setattr(descent._Descent, "advance", advance)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_stopped_it_goes_on_to_the_same_bytes(
    kind: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped again and again, every third epoch: each time what was done is not done again."""
    whole, advanced = saved(kind(None), tmp_path / "whole"), 0
    for _ in range(40):
        with monkeypatch.context() as context:
            stopping(context, 3)
            try:
                model = kind(tmp_path / "model")
                break
            except Stopped:
                advanced += 3
                assert (tmp_path / "model" / "training").exists()
    assert advanced >= 6
    assert saved(model, tmp_path / "model") == whole
    assert not (tmp_path / "model" / "training").exists()


@pytest.mark.slow
def test_states_of_other_seeds_data_options_and_forms_are_left_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is damaged; the same one, as the control, is taken up."""
    real, advanced = descent._Descent.advance, []

    def watched(self: Any) -> None:
        advanced.append(self.epoch)
        real(self)

    monkeypatch.setattr(descent._Descent, "advance", watched)
    expected = saved(macro(None), tmp_path / "expected")
    for other in ({"seed": 1}, {"rate": 0.2}, {"form": 1}, {}):
        with monkeypatch.context() as context, pytest.raises(Stopped):
            stopping(context, 3)
            given: dict[str, Any] = dict(other)
            context.setattr(descent, "FORM", given.pop("form", descent.FORM))
            macro(tmp_path / "model", **given)
        advanced.clear()
        model = macro(tmp_path / "model")
        assert advanced[0] == (0 if other else 3)
        assert saved(model, tmp_path / "model") == expected
    (tmp_path / "model" / "training").mkdir()
    (tmp_path / "model" / "training" / "member 0.safetensors").write_bytes(b"nothing")
    assert saved(macro(tmp_path / "model"), tmp_path / "model") == expected


@pytest.mark.slow
def test_a_finished_member_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after training and before saving, nothing is lost."""
    expected = saved(macro(None), tmp_path / "expected")
    macro(tmp_path / "model")
    stopping(monkeypatch, 0)
    assert saved(macro(tmp_path / "model"), tmp_path / "model") == expected


def test_a_state_is_written_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[str] = []
    monkeypatch.setattr(descent, "BLOCK_S", 1e9)
    monkeypatch.setattr(descent, "write_atomically", lambda file, _: files.append(file.name))
    macro(tmp_path)
    assert files == ["member 0.safetensors", "member 1.safetensors"]


@pytest.mark.slow
def test_killed_it_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the files as they lie after the fourth step: nothing writes once a process is killed."""
    real, left = descent._Descent.advance, tmp_path / "left"

    def watched(self: Any) -> None:
        if len(self.history) == 4:
            shutil.copytree(tmp_path / "model", left)
        real(self)

    with monkeypatch.context() as context:
        context.setattr(descent._Descent, "advance", watched)
        whole = saved(spins(tmp_path / "model"), tmp_path / "model")
    assert [f.name for f in left.rglob("*.*")] == ["the encoder.safetensors"]
    stopping(monkeypatch, 5)
    assert saved(spins(left), left) == whole
    with pytest.raises(Stopped):
        spins(None)


def noisy(patience: int, polish: int = 0, folder: Path | None = None) -> Trained:
    """Few data and a large network, which soon learns them by heart."""
    rng = np.random.default_rng(0)
    z0 = rng.normal(size=(120, 2))
    batch = PairBatch(z0, -0.1 * z0 + rng.normal(size=(120, 2)), 0.5, np.arange(120) // 10)
    options = TrainingOptions(
        "network", width=16, members=2, epochs=20, batch_size=48, learning_rate=0.03, polish=polish,
        patience=patience,
    )  # fmt: skip
    return train(batch, options, 0, checkpoint=folder)


def weights_of(trained: Trained) -> list[np.ndarray]:
    return [np.asarray(w) for m in trained.members for w in m.state_dict().values()]


@pytest.mark.slow
def test_with_patience_a_member_ends_after_its_best_epoch() -> None:
    """Until then it goes as one without, to the same bytes; much patience changes nothing."""
    full, stopped, patient = noisy(0), noisy(5), noisy(20)
    for exact, found in zip(weights_of(full), weights_of(patient)):
        np.testing.assert_array_equal(exact, found)
    lengths = []
    for whole, own in zip(full.history, stopped.history):
        length = int(np.isfinite(own[:, 0]).sum())
        lengths.append(length)
        np.testing.assert_array_equal(own[:length], whole[:length])
        best = int(np.argmin(whole[:length, -1]))
        assert length == best + 1 + 5 < 20
        assert all(np.argmin(whole[:k, -1]) > k - 6 for k in range(1, length))
    assert stopped.history.shape == (2, max(lengths), 2)


@pytest.mark.slow
def test_patience_ends_adam_and_not_the_polish_and_a_stopped_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    polished = noisy(5, polish=20)
    assert len(polished.history[0]) == len(noisy(5).history[0]) + 2
    with monkeypatch.context() as context, pytest.raises(Stopped):
        stopping(context, 8)
        noisy(5, 20, tmp_path)
    for exact, found in zip(weights_of(polished), weights_of(noisy(5, 20, tmp_path))):
        np.testing.assert_array_equal(exact, found)
