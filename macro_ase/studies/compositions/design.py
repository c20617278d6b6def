"""The settings of a study of an alloy's compositions, typed and checked once.

Each composition is a study of an alloy (`studies.alloys.design`) with random streams of its own;
what is learned is one model of all of them, whose state is the `deviation` of unlike pairs from
where small crystals rest (`small_order`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...arrays import Array
from ...barriers.kra import COMPOSITION_MARGIN, KRABarriers
from ...build import parse_composition
from ...rng import stream
from ...systems.alloy import Alloy
from ...systems.alloy_order import BondOrder
from ..alloys.design import Design

MODEL = "vacancy-alloy-compositions"
OF_ONE = "vacancy-alloy"
MOST_SEED = 2**62
ROUNDING = 0.002


@dataclass(frozen=True)
class CompositionDesign:
    """Designs of one composition each: those to learn from, and those held out, with direct runs.

    ``label`` of each names its composition.
    """

    training: tuple[Design, ...]
    held_out: tuple[Design, ...]
    seed: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> CompositionDesign:
        """From settings, which are checked."""
        told, kept = config["conditions"], config["held_out"]
        names = [_named(text) for text in (*told["compositions"], *kept["compositions"])]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                "conditions.compositions and held_out.compositions must differ, and name "
                f"{', '.join(sorted(twice))} twice"
            )
        own = len(told["compositions"])
        learned = {"direct": {"runs": 0, "relaxation_times": 1.0}}
        there = {"direct": {k: kept[k] for k in ("runs", "relaxation_times")}}
        there |= {"conditions": {"temperatures_K": kept["temperatures_K"]}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one line for all compositions: `remarks`
            training = tuple(_design(config | learned, name) for name in names[:own])
            held_out = tuple(_design(config | there, name) for name in names[own:])
        _check_training(training)
        design = cls(training, held_out, config["seed"])
        for remark in design.remarks:
            warnings.warn(remark, stacklevel=2)
        return design

    @property
    def system(self) -> Alloy:
        """That of the first composition to learn from, for what all have in common."""
        system = self.training[0].system
        assert isinstance(system, Alloy)
        return system

    @property
    def learning(self) -> Any:
        """Options of training."""
        return self.training[0].learning

    @cached_property
    def conditions(self) -> list[tuple[Design, float]]:
        """Compositions and temperatures to learn from."""
        return [(d, t) for d in self.training for t in d.temperatures]

    @cached_property
    def truths(self) -> list[tuple[Design, float]]:
        """Held-out compositions and temperatures."""
        return [(d, t) for d in self.held_out for t in d.temperatures]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the model's state."""
        return tuple(f"deviation {name}" for name in self.system.names)

    @property
    def remarks(self) -> list[str]:
        """What cannot be trusted in the barriers, each once."""
        return barrier_remarks(self.system, self.fractions, "compositions that are learned from")

    @property
    def fractions(self) -> Array:
        """Fractions among the atoms of what is learned from, shape (n, S - 1)."""
        return np.array([atom_fractions(d.system.order) for d in self.training])

    def nearest(self, d: Design, temperature: float) -> int:
        """Number of the learned condition next to another: in composition, then temperature."""
        own = atom_fractions(d.system.order)
        far = [
            (np.abs(atom_fractions(other.system.order) - own).max(), abs(1 / t - 1 / temperature))
            for other, t in self.conditions
        ]
        return min(range(len(far)), key=far.__getitem__)


def barrier_remarks(system: Alloy, fractions: Array, what: str) -> list[str]:
    """Warnings of a fit of barriers, and how many of some compositions are far from it.

    ``fractions`` of atoms have shape (n, S - 1).
    """
    remarks = list(system.barriers.fit_remarks)
    if isinstance(system.barriers, KRABarriers):
        apart = system.barriers.distances(fractions).min(axis=-1)
        far = int(np.sum(apart > COMPOSITION_MARGIN + 1e-9))
        if far:
            remarks.append(
                f"barriers are extrapolated at {far} of {len(apart)} {what}: up to "
                f"{apart.max():.2f} in a fraction from what they were fitted to, where "
                f"{COMPOSITION_MARGIN} is trusted"
            )
    return remarks


def atom_fractions(order: BondOrder) -> Array:
    """Fractions among the atoms, shape (S - 1,)."""
    atoms = order.counts[:-1]
    return np.asarray(atoms / atoms.sum())


def _named(text: str) -> str:
    """A composition as all of them are written."""
    return "".join(f"{s}{f:.4g}" for s, f in parse_composition(text).items() if f > 0)


def _design(config: dict[str, Any], name: str) -> Design:
    """Of one composition."""
    fixed = {"model": OF_ONE, "structure": "", "structure_species": [], "composition": name}
    own = int(stream(config["seed"], "composition", *name.encode()).generate_state(1, np.uint64)[0])
    system = {"system": config["system"] | fixed, "seed": own % MOST_SEED}
    return replace(Design.of(config | system), label=f"{name}/")


def _check_training(training: Sequence[Design]) -> None:
    """Raise ValueError unless there are compositions to learn from, with the same species."""
    if not training:
        raise ValueError("conditions.compositions must not be empty")
    species = training[0].system.order
    number = len(species.present)
    lacking = [d.label[:-1] for d in training if d.system.order.pairs != species.pairs]
    if lacking:
        raise ValueError(
            f"conditions.compositions must all hold the same species, and {', '.join(lacking)} "
            f"and {training[0].label[:-1]} do not: list edges in held_out.compositions"
        )
    rows = np.array([atom_fractions(d.system.order) for d in training])
    rank = np.linalg.matrix_rank(rows[1:] - rows[0], tol=1e-3)
    if rank < number - 1:
        raise ValueError(
            f"conditions.compositions must be {number} or more that do not lie on a line, for "
            f"{number} species"
        )


def on_triangle(parts: int) -> Array:
    """Fractions of three species on a grid of so many parts, shape (n, 3), corners among them."""
    rows = [
        (i, j, parts - i - j) for i, j in itertools.product(range(parts + 1), repeat=2)
        if i + j <= parts
    ]  # fmt: skip
    return np.array(rows, dtype=float) / parts


def inside(known: Array, asked: Array) -> Array:
    """Which compositions are mixtures of known ones, up to rounding; shapes (n, S) and (m, S).

    By linear programming: weights w >= 0 of sum 1 with w known = asked.
    """
    from scipy.optimize import linprog

    limits, one = np.concatenate([known.T, -known.T]), np.ones((1, len(known)))
    found = [
        linprog(
            np.zeros(len(known)),
            limits,
            np.concatenate([row + ROUNDING, ROUNDING - row]),
            one,
            np.ones(1),
        )
        for row in asked
    ]
    return np.array([own.status == 0 for own in found])
