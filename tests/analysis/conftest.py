"""Small Ising models by enumeration: exact averages, and independent samples."""

from dataclasses import dataclass

import numpy as np
import pytest

from macro_ase.analysis.response import CanonicalRun


@dataclass(frozen=True)
class EnumeratedIsing:
    """All states of a periodic L x L model: spins, bond energy and m, per site."""

    spins: np.ndarray
    energy: np.ndarray
    magnetization: np.ndarray

    @classmethod
    def of_size(cls, length: int) -> "EnumeratedIsing":
        sites = length**2
        bits = (np.arange(2**sites)[:, None] >> np.arange(sites)) & 1
        spins = (2 * bits - 1).astype(np.int8).reshape(-1, length, length)
        bonds = spins * (np.roll(spins, 1, axis=1) + np.roll(spins, 1, axis=2))
        return cls(spins, -bonds.mean(axis=(1, 2)), spins.mean(axis=(1, 2)))

    @property
    def length(self) -> int:
        return self.spins.shape[1]

    def probabilities(self, temperature: float, field: float = 0.0) -> np.ndarray:
        exponent = -(self.length**2) * (self.energy - field * self.magnetization) / temperature
        weights = np.exp(exponent - exponent.max())
        return weights / weights.sum()

    def draw(
        self, temperature: float, samples: int, seed: int, field: float = 0.0
    ) -> tuple[np.ndarray, CanonicalRun]:
        """Numbers of independent states, and the run that they make."""
        p = self.probabilities(temperature, field)
        states = np.random.default_rng(seed).choice(len(p), size=samples, p=p)
        m = self.magnetization[states]
        return states, CanonicalRun(self.length, temperature, self.energy[states] - field * m, m)

    def quantities(self, temperature: float) -> np.ndarray:
        """Exact `response.QUANTITIES`."""
        step = 1e-4
        slope = (self.cumulant(temperature + step) - self.cumulant(temperature - step)) / 2 / step
        p, m, e = self.probabilities(temperature), self.magnetization, self.energy
        m_abs, m2, m4 = p @ np.abs(m), p @ m**2, p @ m**4
        n = self.length**2
        chi = n / temperature * (m2 - m_abs**2)
        heat = n / temperature**2 * (p @ e**2 - (p @ e) ** 2)
        cumulant = self.cumulant(temperature)
        return np.array([m_abs, m2, m4, chi, cumulant, slope, p @ e, heat])

    def cumulant(self, temperature: float) -> float:
        p = self.probabilities(temperature)
        return float(1 - p @ self.magnetization**4 / 3 / (p @ self.magnetization**2) ** 2)


@pytest.fixture(scope="session")
def ising() -> EnumeratedIsing:
    """The 4 x 4 model, 65,536 states."""
    return EnumeratedIsing.of_size(4)


@pytest.fixture(scope="session")
def tiny_ising() -> EnumeratedIsing:
    """The 3 x 3 model, 512 states."""
    return EnumeratedIsing.of_size(3)
