"""The order of the tests: files with slow ones go out first, so that all workers end together."""

import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def pytest_collection() -> None:
    """What is imported stays: nobody looks for garbage in it."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file only: tests of a file stay in their order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def another_interpreter() -> Iterator[ProcessPoolExecutor]:
    """A process that shares no memory with this one, to show that it makes the same bytes."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not laid out and drawn: another run, of the same numbers, has them."""

    def leave_empty(figure: Any, path: Path) -> None:
        assert figure.axes
        Image.new("1", (1, 1)).save(path)

    monkeypatch.setattr("macro_ase.report.figures.save_figure", leave_empty)
