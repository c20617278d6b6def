"""Commands around the work: whether the installation is sound, completion of the command line."""

from __future__ import annotations

import argparse

from .cli_arguments import arg, command, parser


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
