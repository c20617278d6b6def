"""The page on testing samplers runs as it stands, and every check has an example."""

import re
from pathlib import Path
from pkgutil import iter_modules

import pytest

from macro_ase import testing

PAGE = Path(__file__).parents[2] / "docs" / "testing_samplers.md"
MODULES = [f"macro_ase.testing.{found.name}" for found in iter_modules(testing.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_checks_have_examples(name: str) -> None:
    public = [n for n in testing.__all__ if getattr(testing, n).__module__ == name]
    shown = [n for n in public if not n.startswith("assert_") and n.islower()]
    assert all(">>>" in (getattr(testing, n).__doc__ or "") for n in shown)


@pytest.mark.slow
def test_the_page() -> None:
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(code, str(PAGE), "exec"), names)
    text = PAGE.read_text()
    assert all(n in text for n in testing.__all__ if n.startswith("check_"))
