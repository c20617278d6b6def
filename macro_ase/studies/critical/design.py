"""What a study of critical Ising models is: its settings, checked once, and what follows.

    small runs -> repeated, relaxed in windows -> patches evolved alone -> one model a size
    paths of the models -> <|m|>, chi', U -> exponents, beside Wolff clusters

z is m alone. Its memory is long, yet its drift given m, measured over snapshots in equilibrium at
that m and L, closes the stationary law (`analysis.stationary_law`), which is all that is asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kinetics.multispin import REPLICAS
from ...ratios import either, near_multiples
from ...systems.critical_chains import WHOLE, CriticalSampling, Way
from ..settings import require_numbers, require_steps

POSITIVE = ("sampling.dt", "prediction.step", "prediction.time")
LEAST = {
    0: "sampling.buffer sampling.small_time sampling.relax_sweeps learning.weight_decay",
    1: "sampling.gap sampling.snapshots sampling.words learning.width learning.depth "
    "learning.iterations learning.chains direct.interval",
    2: "learning.members prediction.paths checks.resamples",
    4: "sampling.patch",
    20: "checks.wolff_rounds checks.scan_rounds",
    100: "direct.samples",
}
TABLES = ("system", "sampling", "learning", "prediction", "direct", "checks")
FEWEST_BLOCKS = 5
SCAN_CHUNKS = 4
BURN_IN_SHARE, FEWEST_BURNED_IN = 0.1, 500


@dataclass(frozen=True)
class CriticalDesign:
    """Settings, under the names that they have in the preset, and what follows from them."""

    seed: int
    sizes: tuple[int, ...]
    beyond: tuple[int, ...]
    temperatures: tuple[float, ...]
    middle: float
    patch: int
    buffer: int
    dt: float
    small_time: float
    relax_sweeps: int
    gap: int
    snapshots: int
    beyond_share: float
    words: int
    width: int
    depth: int
    iterations: int
    weight_decay: float
    members: int
    chains: int
    paths: int
    time: float
    step: float
    samples: int
    interval: int
    wolff_rounds: int
    scan_size: int
    scan_times: tuple[float, ...]
    scan_buffers: tuple[int, ...]
    scan_rounds: int
    resamples: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> CriticalDesign:
        """From settings; ValueError names the one that makes no sense."""
        _check(config)
        found: dict[str, Any] = {"seed": config["seed"]}
        for table in TABLES:
            found |= {k: tuple(v) if isinstance(v, list) else v for k, v in config[table].items()}
        del found["model"]
        return cls(**found)

    @property
    def every_size(self) -> tuple[int, ...]:
        """With those beyond."""
        return (*self.sizes, *self.beyond)

    @property
    def way(self) -> Way:
        """Of training."""
        return self.dt, self.buffer

    @property
    def scan_ways(self) -> list[Way]:
        """Wholes first."""
        return [(dt, b) for dt in self.scan_times for b in (WHOLE, *self.scan_buffers)]

    @property
    def burn_in(self) -> int:
        """Samples of direct runs that are thrown away first."""
        return max(FEWEST_BURNED_IN, round(BURN_IN_SHARE * self.samples))

    def temperatures_of(self, size: int) -> tuple[float, ...]:
        """Where a size is studied."""
        return (self.middle,) if size in self.beyond else self.temperatures

    def growth(self, size: int) -> float:
        """Square of the side over that of a patch."""
        return float((size / self.patch) ** 2)

    def chain(self, size: int, temperature: float, rounds: int | None = None) -> CriticalSampling:
        """How snapshots are made; ``rounds`` other than those of training may be asked for."""
        share = self.beyond_share if size in self.beyond else 1.0
        wanted = share * self.snapshots * self.growth(size) / (REPLICAS * self.words)
        rounds = max(1, round(wanted)) if rounds is None else rounds
        times = self.small_time, self.relax_sweeps, self.gap
        return CriticalSampling(temperature, size, self.patch, *times, rounds)

    def events(self) -> dict[str, dict[str, float]]:
        """Attempted flips of the learned route, spins turned by direct runs, roughly; by stage."""
        learned, turned = Counter[str](), 0.0
        for size in self.every_size:
            points = len(self.temperatures_of(size))
            for stage, number in self.chain(size, self.middle).attempts(self.way).items():
                learned[stage] += round(points * self.words * number)
            turned += points * size**2 * self.interval * (self.samples + self.burn_in)
        return {"learned": dict(learned), "direct": {"direct": turned}}


def _check(config: dict[str, Any]) -> None:
    least = {key: limit for limit, keys in LEAST.items() for key in keys.split()}
    require_numbers(config, least, POSITIVE)
    require_steps(config, {"prediction.step": "prediction.time"})
    system, sampling, checks = (config[table] for table in ("system", "sampling", "checks"))
    sizes, temperatures = [*system["sizes"], *system["beyond"]], system["temperatures"]
    patch, words, chains = sampling["patch"], sampling["words"], config["learning"]["chains"]
    share, times, buffers = sampling["beyond_share"], checks["scan_times"], checks["scan_buffers"]
    middle, scanned, basic = system["middle"], checks["scan_size"], system["sizes"]
    wrong = next((size for size in sizes if size < patch or size % patch), None)
    enough = REPLICAS % chains == 0 and words * REPLICAS // chains >= FEWEST_BLOCKS
    ascend = len(set(basic)) >= 2 and sizes == sorted(set(sizes))
    warm = len(temperatures) >= 2 and bool(np.all(np.diff(temperatures, prepend=0) > 0))
    rules = {
        f"sampling.beyond_share must lie in 0..1, not {share:g}": 0 <= share <= 1,
        f"system.sizes and system.beyond must be multiples of sampling.patch = {patch}, not "
        f"{wrong}: the nearest is {either(near_multiples(wrong or 0, patch))}": wrong is None,
        f"system.sizes must be two or more and ascend, with system.beyond, not {sizes}": ascend,
        f"system.temperatures must be two or more above 0 and ascend, not {temperatures}": warm,
        f"system.middle must be one of system.temperatures, not {middle:g}": middle in temperatures,
        f"learning.chains must divide {REPLICAS} and leave {FEWEST_BLOCKS} blocks or more of "
        f"sampling.words = {words} words of {REPLICAS} chains, not {chains}": enough,
        f"checks.scan_size must be one of system.sizes, not {scanned}": scanned in basic,
        f"checks.scan_times must be above 0, not {times}": min(times, default=0) > 0,
        f"checks.scan_buffers must not be negative, not {buffers}": min(buffers, default=-1) >= 0,
    }
    for message, kept in rules.items():
        if not kept:
            raise ValueError(message)
