"""The order of the tests: files with slow ones go out first, so that all workers end together."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file only: tests of a file stay in their order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
