"""Every study in a form still briefer than its quick one: all stages, as little of each as may be.

    python tests/studies/brief_forms.py FOLDER

runs them one after another in FOLDER. `numbers.json` holds the metrics that they gave;

    python tests/studies/brief_forms.py FOLDER --keep

writes those of FOLDER there, when they have changed for a reason.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from PIL import Image

from macro_ase.config import flatten, load_config
from macro_ase.run_folder import versions
from macro_ase.workflow import run_study

NUMBERS = Path(__file__).with_name("numbers.json")
PARTS = ("value", "error", "truth", "floor")
FIELDS = ("sampling.starts=10", "learning.epochs=3", "learning.width=8", "direct.runs=4",
          "prediction.lambdas=[4.0, 16.0]", "scan.starts=10")  # fmt: skip
SPINS = ("system.side=32", "learning.epochs=3", "learning.width=8", "direct.runs=8",
         "direct.steps=20", "direct.few_runs=4", "scan.states=128")  # fmt: skip
FORCES = ("encoder.states=200", "encoder.steps=30", "encoder.hidden=[6]", "learning.width=6",
          "learning.steps=20", "learning.polish=10")  # fmt: skip
LIQUID = ("learning.steps=10", "learning.polish=3")
ALLOY = ("system.large_size=[8,8,8]", "learning.members=2", "learning.epochs=3",
         "learning.width=8", "predict.paths=8")  # fmt: skip
CORNERS = ["Nb0.3334Mo0.3333Ta0.3333", "Nb0.6Mo0.2Ta0.2", "Nb0.2Mo0.6Ta0.2", "Nb0.2Mo0.2Ta0.6"]
BRIEF = {
    "allen-cahn": (*FIELDS, "sampling.last_age=20.0", "direct.end=5.0"),
    "predator-prey": (*FIELDS, "sampling.last_age=12.0", "direct.end=3.0"),
    "curie-weiss": (*SPINS, "sampling.starts=128"),
    "ising": (*SPINS, "sampling.starts=40", "sampling.times=[0.0, 4.0, 16.0, 64.0]",
              "closure.runs=10", "closure.steps=60"),
    "ising-critical": ("sampling.snapshots=500", "learning.iterations=40", "learning.members=2",
                       "prediction.paths=16", "prediction.time=200.0", "direct.samples=500",
                       "checks.wolff_rounds=20", "checks.scan_rounds=20", "checks.resamples=4"),
    "allen-cahn-forces": (*FORCES, "system.n_side=20", "data.training_runs=12", "data.test_runs=3",
                          "data.frames=50", "data.time=0.02", "data.dt=0.05",
                          "forces.equivalents=[20]"),
    "predator-prey-forces": (*FORCES, "data.training_runs=24", "data.test_runs=3",
                             "data.interval=1.0", "forces.equivalents=[60]", "encoder.width=6"),
    "lennard-jones-forces": (*LIQUID, "data.training_runs=4", "data.test_runs=2",
                             "encoder.states=40", "encoder.width=4", "encoder.steps=20",
                             "forces.equivalents=[10]"),
    "lennard-jones-saving": (*LIQUID, "data.n_atoms=[200]", "data.training_runs=[3]",
                             "data.every=50", "forces.configurations=[]", "free.training_runs=3",
                             "free.test=[200]", "free.test_runs=1"),
    "nbmota-composition": (*ALLOY, "system.small_size=[4,4,4]", "system.sites_per_vacancy=128",
                           "small.runs=1", "small.events=20000", "sampling.dt_events=[250, 500]",
                           "held_out.relaxation_times=5.0", f"conditions.compositions={CORNERS}"),
    "nbmota-swap": (*ALLOY, "system.small_size=[4,4,4]", "conditions.temperatures_K=[1200, 2000]",
                    "small.runs=2", "small.events=16.0", "sampling.repeats=2",
                    "sampling.dt_events=[0.5, 1.0]", "direct.runs=2",
                    "direct.relaxation_times=5.0"),
    "swap": (*ALLOY, "small.runs=2", "small.events=16.0", "sampling.dt_events=[0.5, 1.0]",
             "direct.relaxation_times=5.0"),
}  # fmt: skip
"""Settings by study; `nbmota` is run in its quick form, which other tests look at too."""


def quick_settings(study: str) -> dict[str, Any]:
    """What the quick form has where the brief form has something else."""
    flat = flatten(load_config(study, True))
    return {key: flat[key] for key in (change.partition("=")[0] for change in BRIEF[study])}


def made_with() -> dict[str, str]:
    """What the last digits depend on."""
    cpu = torch.backends.cpu.get_cpu_capability()
    own = versions() | {"cpu": cpu, "machine": platform.machine(), "processor": _processor()}
    names = ("numpy", "scipy", "numba", "torch", "cpu", "machine", "processor")
    return {name: own[name] for name in names}


def _processor() -> str:
    """Its model, which chooses the kernels of linear algebra."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


def metrics(folder: Path) -> dict[str, dict[str, Any]]:
    """Metrics of a finished run."""
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def keep(folder: Path) -> None:
    """Write the numbers of all brief forms; those of nbmota's quick form stay."""
    kept = json.loads(NUMBERS.read_text())["metrics"]
    for study in BRIEF:
        kept[study] = {
            name: [metric[part] for part in PARTS]
            for name, metric in metrics(folder / study).items()
        }
    tables = {
        study: "{\n   "
        + ",\n   ".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        + "\n  }"
        for study, rows in sorted(kept.items())
    }
    settings = ",\n  ".join(f'"{study}": {json.dumps(quick_settings(study))}' for study in BRIEF)
    text = ",\n  ".join(f"{json.dumps(study)}: {table}" for study, table in tables.items())
    head = f'{{\n "made_with": {json.dumps(made_with())},\n "quick_settings": {{\n  {settings}\n }}'
    NUMBERS.write_text(f'{head},\n "metrics": {{\n  {text}\n }}\n}}\n')


def leave_empty(_: Any, path: Path) -> None:
    """In the place of a figure: tests of every study draw those of a form of its own."""
    Image.new("1", (1, 1)).save(path)


def run(folder: Path) -> None:
    """Run all brief forms."""
    with patch("macro_ase.report.figures.save_figure", leave_empty):
        for study, changes in BRIEF.items():
            run_study(load_config(study, True, changes, workers=1), folder / study, quick=True)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    keep(place) if "--keep" in sys.argv else run(place)
