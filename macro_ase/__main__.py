"""`python -m macro_ase` is the command `macro-ase`."""

import sys


def entry() -> int:
    """The command; Ctrl-C while its modules are being imported ends it without a traceback."""
    try:
        if sys.argv[1:2] in (["run"], ["work"], ["compute-barriers"]):
            from macro_ase.executors import one_thread_each

            one_thread_each()
        from macro_ase.cli import main

        return main()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(entry())
