"""Prints the oldest packages that the light core allows, as constraints of pip."""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
for needed in project["dependencies"]:
    name, oldest = needed.split(">=")
    print(f"{name}=={oldest}")
