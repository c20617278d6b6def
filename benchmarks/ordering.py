"""Does the shipped energy order? Order of the equimolar alloy on cooling by swap Monte Carlo.

    python benchmarks/ordering.py [--cells 12] [--sweeps 1000]

At each temperature: the largest structure factor along the cubic axes over that of a random
alloy, where it lies (k = 1 is B2), the B2 order parameter, and the energy. Long-range order
shows as a structure factor that grows with the crystal.
"""

from __future__ import annotations

import argparse

import numpy as np

from macro_ase import SwapMC, build_crystal
from macro_ase.observables import b2_order, structure_factors

SAMPLES = 40


def main() -> None:
    """Cool a random crystal and print a line a temperature."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=12, help="edge of the crystal")
    parser.add_argument("--sweeps", type=int, default=1000, help="attempts per site and step")
    parser.add_argument("--from-K", type=float, default=1200.0)
    parser.add_argument("--to-K", type=float, default=300.0)
    parser.add_argument("--step-K", type=float, default=75.0)
    args = parser.parse_args()
    size = (args.cells,) * 3
    atoms = build_crystal("bcc", "NbMoTa", size, rng=0)
    dynamics = SwapMC(atoms, args.from_K, rng=0)
    species, n = dynamics.crystal.species, len(atoms)
    print(f"{'T/K':>6} {'species':>8} {'S/random':>9} {'k':>5} {'B2':>6} {'E/meV':>8}")
    for temperature in np.arange(args.from_K, args.to_K - 1, -args.step_K):
        dynamics.temperature_K = float(temperature)
        dynamics.run(args.sweeps * n // 2)
        factors, orders, energies = [], [], []
        for _ in range(SAMPLES):
            dynamics.run(args.sweeps * n // (2 * SAMPLES))
            along = structure_factors(dynamics.occupation, dynamics.crystal.grid, len(species))
            factors.append([f.values[:-1] / f.random[:-1, None] for f in along])
            orders.append(
                b2_order(dynamics.occupation, dynamics.crystal.grid, len(species)).magnitude[:-1]
            )
            energies.append(1e3 * dynamics.energy_eV / n)
        mean = np.mean(factors, axis=0)
        _, who, where = np.unravel_index(mean.argmax(), mean.shape)
        print(
            f"{temperature:6g} {species[who]:>8} {mean.max():9.1f} {along[0].k[where]:5.2f} "
            f"{np.mean(orders, axis=0).max():6.3f} {np.mean(energies):8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
