"""Imports every module of the installed package; one may say that it needs an extra."""

import sys
from importlib import import_module
from pkgutil import walk_packages

import macro_ase
from macro_ase.extras import EXTRAS

failed, count = 0, 0
for module in walk_packages(macro_ase.__path__, "macro_ase.", onerror=lambda name: None):
    try:
        import_module(module.name)
        count += 1
    except Exception as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name in EXTRAS):
            print(f"{module.name}: {error!r}", file=sys.stderr)
            failed += 1
print(f"{count} modules can be imported")
sys.exit(failed > 0)
