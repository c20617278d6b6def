"""Prints the oldest packages that the light core allows, as constraints of pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
for needed in project["dependencies"]:
    name, version = re.fullmatch(r"([\w.-]+)>=([\d.]+)", needed).groups()
    print(f"{name}=={version}.*" if version.count(".") < 2 else f"{name}=={version}")
