"""Completion of the command line by bash and zsh, written from the parser itself.

Commands, options, their choices, names of studies, and keys of settings after ``--set``; file names
where nothing else fits. Nothing of the package is loaded while a line is completed.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator

from ..config import flatten, list_studies, load_config

SHELLS = ("bash", "zsh")
OF_STUDIES = ("run", "work")
ZSH = "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n"
SCRIPT = """\
# Completion of macro-ase; made by: macro-ase completion {shell}
{start}_macro_ase() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W {commands} -- "$cur"))
    return
  fi
  case "${{COMP_WORDS[1]}} $prev" in
{values}
  *) case "${{COMP_WORDS[1]}}" in
{options}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -o bashdefault -F _macro_ase macro-ase
"""


def completion_script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script that a shell reads to complete the command.

    Parameters
    ----------
    shell : {"bash", "zsh"}
    parser : ArgumentParser
        Of the command, with its sub-commands.

    Raises
    ------
    ValueError
        If there is no such shell.
    """
    if shell not in SHELLS:
        raise ValueError(f"completion is for {' or '.join(SHELLS)}, not {shell}")
    commands = _commands(parser)
    options = {name: _words(_options(name, sub)) for name, sub in commands.items()}
    return SCRIPT.format(
        shell=shell,
        start=ZSH if shell == "zsh" else "",
        commands=_words(commands),
        values="\n".join(_values(commands)),
        options="\n".join(f"    {name}) words={words} ;;" for name, words in options.items()),
    )


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(next(actions).choices)


def _options(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    """Options of a command, choices of its arguments, and names of studies where it takes one."""
    for action in command._actions:
        yield from action.option_strings or action.choices or ()
    if name in OF_STUDIES:
        yield from (study for study, _ in list_studies())


def _values(commands: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    """A line for every option that takes one of some words."""
    keys = {key for study, _ in list_studies() for key in flatten(load_config(study))} - {"study"}
    for name, command in commands.items():
        for action in command._actions:
            words = sorted(keys) if "--set" in action.option_strings else action.choices
            if action.option_strings and words:
                cases = "|".join(f'"{name} {option}"' for option in action.option_strings)
                yield f"  {cases}) words={_words(words)} ;;"


def _words(words: Iterable[str]) -> str:
    """Words in quotes of the shell."""
    return shlex.quote(" ".join(map(str, words)))
