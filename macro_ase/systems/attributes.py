"""Classes whose attributes are settings, which the constructor changes by name."""

from __future__ import annotations

import copy
import inspect
from functools import cached_property
from typing import Any, Self

FIXED = (property, cached_property, classmethod, staticmethod)
NAMES = {"fields", "names", "closures"}


class Attributes:
    """A base of classes whose plain attributes may be given to the constructor.

    Raises
    ------
    ValueError
        If there is no such attribute.
    """

    def __init__(self, **values: Any) -> None:
        self._set(values)

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in sorted(self._attributes())}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in values.items())})"

    def _attributes(self) -> set[str]:
        """Names of what may be changed."""
        names = {name for kind in type(self).__mro__ for name in vars(kind)}
        return set(filter(self._may_be_changed, names))

    def _may_be_changed(self, name: str) -> bool:
        """Whether this is a name of the class that holds data, but no names of things."""
        own = type(self)
        return (
            hasattr(own, name)
            and name not in NAMES
            and not name.startswith("_")
            and not callable(getattr(own, name))
            and not isinstance(inspect.getattr_static(own, name), FIXED)
        )

    def _set(self, values: dict[str, Any]) -> None:
        wrong = sorted(name for name in values if not self._may_be_changed(name))
        if wrong:
            listed = ", ".join(sorted(self._attributes()))
            raise ValueError(f"{type(self).__name__} has no {wrong[0]!r}, only {listed}")
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""

    def arguments(self) -> dict[str, Any]:
        """What this system changes of its class's attributes, by name."""
        return {k: v for k, v in vars(self).items() if not k.startswith("_")}

    def changed(self, **values: Any) -> Self:
        """The same with other attributes.

        Raises
        ------
        ValueError
            If there is no such attribute, or a number makes no sense.
        """
        other = copy.copy(self)
        other._set(values)
        return other
