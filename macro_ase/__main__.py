"""`python -m macro_ase` is the command `macro-ase`."""

import sys

from macro_ase.cli import main

sys.exit(main())
