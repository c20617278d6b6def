"""Commands around the work: export of runs, a sound installation, completion."""

from __future__ import annotations

import argparse
from pathlib import Path

from .cli_arguments import arg, command, folder, parser, whole


@command(
    "export",
    arg("folder", type=folder, metavar="RUN", help="the folder of a run"),
    arg("--to", choices=("extxyz", "traj", "npz", "csv"), required=True,
        help="snapshots of an alloy as structures; all arrays; or all as tables"),
    arg("--out", type=Path, metavar="DIR", help="folder to write into (default: RUN/export)"),
    arg("--only", default="*", metavar="PATTERN",
        help="chunks whose name fits, such as 'small/2000.0/*' (default: all)"),
    arg("--every", type=whole(1), default=1, metavar="N",
        help="one of so many snapshots (default: all)"),
)  # fmt: skip
def export(args: argparse.Namespace) -> None:
    """Write what a run keeps for other programs.

    extxyz and traj: the snapshots of an alloy's small runs, one file a run, vacancies as X, with
    their time and temperature. npz: every chunk of the store. csv: the same as tables, with the
    tables and metrics of the report. docs/formats.md has xarray, pymatgen and ase.db.

    Examples:
      macro-ase export runs/nbmota --to extxyz --only 'small/2000.0/*' --every 10
      macro-ase export runs/ising --to csv --out tables
    """
    from macro_ase.commands.export_run import RunExport

    print(RunExport(args.folder, args.to, args.out, args.only, args.every).run())


@command("doctor")
def doctor(_: argparse.Namespace) -> int:
    """Say what is installed, what each extra would give, and test the kernels.

    Packages with versions, extras with the line that installs them, where compiled kernels are
    kept, processors and threads; then a self test of about ten seconds (a minute where nothing is
    compiled yet) against exact results. Exit status 1 if an item of it fails.

    Examples:
      macro-ase doctor
    """
    from macro_ase.commands.doctor import installation, outcome
    from macro_ase.commands.self_test import self_test

    for line in installation():
        print(line, flush=True)
    passed = True
    for tested in self_test():
        print(outcome(tested), flush=True)
        passed = passed and tested.passed
    return 0 if passed else 1


@command(
    "completion",
    arg("shell", choices=("bash", "zsh"), help="bash or zsh"),
)
def completion(args: argparse.Namespace) -> None:
    """Print the script that lets a shell complete this command.

    Commands, options, names of studies, and keys of settings after --set. Evaluate it in each
    shell, as below, or put it where your shell looks for completions.

    Examples:
      echo 'eval "$(macro-ase completion bash)"' >> ~/.bashrc
      echo 'eval "$(macro-ase completion zsh)"' >> ~/.zshrc
      macro-ase completion bash > ~/.local/share/bash-completion/completions/macro-ase
    """
    from macro_ase.commands.completion import completion_script

    print(completion_script(args.shell, parser()), end="")
