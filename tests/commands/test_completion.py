"""What a shell offers after a part of a command."""

import shutil
import subprocess

import pytest

from macro_ase.cli import COMMANDS, main
from macro_ase.cli_arguments import parser
from macro_ase.commands.completion import completion_script

BASH = shutil.which("bash") or ""
ASK = """
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_macro_ase; echo "${{COMPREPLY[@]}}"
"""


def offered(*words: str) -> set[str]:
    """What bash offers for the last of some words."""
    script = completion_script("bash", parser())
    asked = script + ASK.format(words=" ".join(f"'{word}'" for word in words))
    done = subprocess.run([BASH, "-c", asked], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(not BASH, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("macro-ase", ""), set(COMMANDS)),
        (("macro-ase", "pre"), {"predict"}),
        (("macro-ase", "run", "nbmota-"), {"nbmota-composition", "nbmota-swap"}),
        (("macro-ase", "run", "nbmota", "--list"), {"--list-settings"}),
        (
            ("macro-ase", "run", "nbmota", "--set", "small."),
            {"small.events", "small.runs", "small.treated"},
        ),
        (("macro-ase", "build", "b"), {"bcc"}),
        (("macro-ase", "build", "bcc", "--ordered", "L"), {"L1_0", "L1_2"}),
        (("macro-ase", "sro", "--weights", "t"), {"time"}),
        (("macro-ase", "report", "r"), set()),
    ],
)
def test_bash_offers_what_fits(words: tuple[str, ...], found: set[str]) -> None:
    assert offered(*words) == found


def test_zsh_takes_the_same_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    zsh = capsys.readouterr().out
    function = completion_script("bash", parser()).partition("_macro_ase() {")[2]
    assert zsh.endswith(function) and "bashcompinit" in zsh


def test_other_shells_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    with pytest.raises(ValueError, match="bash or zsh, not tcsh"):
        completion_script("tcsh", parser())
    assert "invalid choice" in capsys.readouterr().err
