"""`python -m macro_ase` is the command `macro-ase`."""

import sys


def entry() -> int:
    """The command; Ctrl-C while its modules are being imported ends it without a traceback."""
    try:
        from macro_ase.cli import main

        return main()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(entry())
