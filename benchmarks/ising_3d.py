"""The transition of the simple cubic Ising model, measured with what a user has.

    python benchmarks/ising_3d.py [--quick] [--repetitions 16] [--samples 200000]

Wolff runs of L = 8, 12, 16 near the transition; Binder crossings of K = J / T by reweighting, and
nu from the slopes of the cumulants there. Every number comes from independent repetitions, whose
spread gives its error. Sizes so small are not yet asymptotic, so pairs are also extrapolated with
the leading correction to scaling, L^-omega with omega = .83 (M. Hasenbusch, Phys. Rev. B 82,
174433, 2010). That takes three sizes for as many unknowns: what one size errs by is multiplied, and
higher corrections are in no error. References: A. M. Ferrenberg, J. Xu and D. P. Landau, Phys. Rev.
E 97, 043301 (2018).
"""

from __future__ import annotations

import argparse
import math
import time
from itertools import combinations

import numpy as np
from tqdm import tqdm

from macro_ase.analysis.binder import crossing_by_reweighting, extrapolated_crossing
from macro_ase.analysis.sweep import sweep
from macro_ase.analysis.sweep_table import SweepTable

SIZES = (8, 12, 16)
PAIRS = tuple(combinations(range(len(SIZES)), 2))
RUNS_AT = 0.2217
REACH_T = 0.06
CRITICAL_COUPLING, NU, CUMULANT = 0.221654626, 0.629912, 0.46548
OMEGA = 0.83


def exponent(slopes: dict[int, float], first: int, second: int) -> float:
    """1/nu as two slopes say it."""
    return math.log(slopes[second] / slopes[first]) / math.log(second / first)


def extrapolated_exponent(slopes: dict[int, float]) -> float:
    """1/nu without the correction L^-omega: slope = a L^(1/nu) (1 + c L^-omega), c small."""
    L = np.array(SIZES, dtype=float)
    design = np.stack([np.log(L), np.ones(len(L)), L**-OMEGA], axis=1)
    return float(np.linalg.solve(design, np.log([slopes[size] for size in SIZES]))[0])


def measured(table: SweepTable) -> dict[str, float]:
    """All figures of one repetition."""
    found = {p: crossing_by_reweighting(table.run(p[0]), table.run(p[1]), REACH_T) for p in PAIRS}
    neighbours = [found[pair] for pair in zip(range(len(SIZES)), range(1, len(SIZES)))]
    critical, _ = extrapolated_crossing(neighbours, one_over_nu=1 / NU, omega=OMEGA)
    steep = np.abs(table.at(1 / CRITICAL_COUPLING).column("dbinder_dT")[0])
    slopes = dict(zip(SIZES, steep.tolist()))
    figures = {f"K where L = {f.sizes} cross": 1 / f.temperature for f in found.values()}
    figures["K_c, extrapolated"] = 1 / critical
    figures |= {f"U where L = {f.sizes} cross": f.cumulant for f in found.values()}
    for i, j in PAIRS:
        pair = SIZES[i], SIZES[j]
        figures[f"nu from the slopes of L = {pair}"] = 1 / exponent(slopes, *pair)
    figures["nu, extrapolated"] = 1 / extrapolated_exponent(slopes)
    return figures


def reference(name: str) -> float:
    """What the literature says of the limit of large sizes."""
    return {"K": CRITICAL_COUPLING, "n": NU, "U": CUMULANT}[name[0]]


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="4 repetitions of 2,000 samples")
    parser.add_argument("--repetitions", type=int, default=16, help="independent, 2 or more")
    parser.add_argument("--samples", type=int, default=200_000, help="sweeps a size and repetition")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    n, samples = (4, 2000) if args.quick else (args.repetitions, args.samples)
    if n < 2:
        parser.error(f"--repetitions must be 2 or more, not {n}")
    start = time.perf_counter()
    rows = []
    for seed in tqdm(range(args.seed, args.seed + n), desc="repetitions", disable=None):
        table = sweep(SIZES, 1 / RUNS_AT, samples, dimension=3, seed=seed)
        rows.append(measured(table))
    print(f"{n} repetitions of {samples:,} sweeps a size, {time.perf_counter() - start:.0f} s\n")
    print("| quantity | measured | error | reference | off by, in errors |")
    print("|---|---|---|---|---|")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        mean, error = values.mean(), values.std(ddof=1) / math.sqrt(n)
        truth = reference(name)
        print(
            f"| {name} | {mean:.6f} | {error:.6f} | {truth:.6f} | {(mean - truth) / error:+.1f} |"
        )


if __name__ == "__main__":
    main()
