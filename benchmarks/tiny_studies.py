"""One study of each kind, small enough for seconds, and what no engine may change of a run."""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from macro_ase.folder_lock import PROC

STUDIES: dict[str, tuple[str, ...]] = {
    "nbmota": (
        "system.small_size=[4,4,4]",
        "system.large_size=[8,8,8]",
        "system.sites_per_vacancy=128",
        "conditions.temperatures_K=[2000.0, 3000.0]",
        "small.runs=4",
        "small.events=20000",
        "sampling.copies=1",
        "sampling.dt_events=[500, 1000]",
        "learning.members=2",
        "learning.epochs=20",
        "direct.runs=4",
        "direct.relaxation_times=10.0",
        "predict.paths=8",
    ),
    "ising": (
        "system.side=32",
        "sampling.patches=[16]",
        "sampling.starts=512",
        "learning.epochs=20",
        "learning.members=2",
        "direct.runs=20",
        "direct.few_runs=4",
        "direct.steps=20",
    ),
    "predator-prey": (
        "system.n_cells=80",
        "sampling.patch=20",
        "sampling.small=40",
        "sampling.half_waves=8.0",
        "sampling.starts=16",
        "sampling.interval=2.0",
        "sampling.last_age=8.0",
        "sampling.early_interval=0.5",
        "sampling.relax_time=0.4",
        "learning.epochs=10",
        "learning.repeats=2",
        "closure.kind=encoder",
        "closure.steps=40",
        "direct.runs=4",
        "direct.end=3.0",
    ),
    "ising-critical": (
        "sampling.snapshots=1000",
        "learning.iterations=60",
        "learning.members=2",
        "prediction.paths=16",
        "prediction.time=400.0",
        "direct.samples=1000",
        "checks.wolff_rounds=20",
        "checks.scan_rounds=20",
        "checks.resamples=4",
    ),
    "predator-prey-forces": (
        "data.training_runs=12",
        "data.test_runs=4",
        "data.chunk=5",
        "data.interval=1.0",
        "data.dt=0.05",
        "forces.equivalents=[20, 40]",
        "encoder.states=200",
        "encoder.width=6",
        "encoder.hidden=[6]",
        "encoder.steps=400",
        "learning.steps=200",
        "learning.polish=5",
        "learning.width=6",
    ),
    "lennard-jones-forces": (
        "data.training_runs=4",
        "data.test_runs=2",
        "encoder.states=40",
        "encoder.width=4",
        "encoder.variables=2",
        "encoder.steps=20",
        "encoder.batch_size=20",
        "forces.equivalents=[5, 10]",
        "learning.steps=10",
        "learning.polish=3",
    ),
}
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def command(verb: str, *arguments: object) -> list[str]:
    """A command of this package."""
    return [sys.executable, "-m", "macro_ase", verb, *map(str, arguments)]


def settings(study: str) -> list[str]:
    """Arguments that make a study tiny."""
    return [study, "--quick", *(part for s in STUDIES[study] for part in ("--set", s))]


def kept(folder: Path) -> dict[str, str]:
    """Digests of all files of the store and of the models."""
    files = [p for name in ("data.zarr", "model") for p in (folder / name).rglob("*")]
    return {
        str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest()
        for p in sorted(files)
        if p.is_file()
    }


def metrics(folder: Path) -> dict[str, Any]:
    """The numbers of a finished run."""
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def differences(folder: Path, reference: Path) -> list[str]:
    """What is not as in another run: files by name, then metrics."""
    one, two = kept(folder), kept(reference)
    found = [name for name in one | two if one.get(name) != two.get(name)]
    return found + (["metrics"] if metrics(folder) != metrics(reference) else [])


def finished_twice(folder: Path) -> int:
    """Chunks that were computed again although they had been finished."""
    lines = (folder / "costs.jsonl").read_text().splitlines()
    keys = [json.loads(line)["key"] for line in lines if line.endswith("}")]
    return len(keys) - len(set(keys))


def children(pid: int) -> list[int]:
    """Worker processes of a run."""
    found = []
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            line = (stat.parent / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        if parent == pid and "spawn_main" in line:
            found.append(int(stat.parent.name))
    return found
