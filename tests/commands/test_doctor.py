"""The self test passes, and fails where a kernel is wrong or a package is broken."""

import math

import pytest

from macro_ase.cli import main
from macro_ase.commands import doctor, self_test
from macro_ase.extras import EXTRAS, GIVES


@pytest.mark.slow
def test_this_installation_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    tested = [line for line in out.splitlines() if line.startswith(("passed: ", "FAILED: "))]
    assert len(tested) >= 5 and not any(line.startswith("FAILED") for line in tested)
    assert "numpy " in out and "compiled kernels: kept in " in out and "processors: " in out


@pytest.mark.parametrize("extra", GIVES)
def test_what_is_missing_is_named_with_its_line(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "installed", lambda module: EXTRAS[module] != extra)
    lines = [line for line in doctor.installation() if "pip install" in line]
    assert len(lines) == 1 and lines[0].endswith(f"not installed: pip install 'macro-ase[{extra}]'")


def test_every_extra_says_what_it_is_for() -> None:
    assert GIVES.keys() == set(EXTRAS.values())


def test_a_wrong_rate_fails_the_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clock that is 4 % slow: five standard errors of 20,000 hops are 3.5 %."""
    monkeypatch.setattr(self_test, "ATTEMPT_RATE_PER_S", 1.04 * self_test.ATTEMPT_RATE_PER_S)
    monkeypatch.setattr(self_test, "ITEMS", {self_test.clock: "numpy", self_test.order: "numpy"})
    assert main(["doctor"]) == 1
    assert "FAILED: time of vacancy hops" in capsys.readouterr().out


def test_what_cannot_run_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def network() -> self_test.Tested:
        raise ImportError("libc10.so:\n no such file")

    monkeypatch.setattr(self_test, "ITEMS", {network: "numpy"})
    (tested,) = self_test.self_test()
    assert not tested.passed and "network: ImportError: libc10.so: no such file" in tested.what


def test_nan_never_passes() -> None:
    assert not self_test.Tested("x", math.nan, 1.0, math.inf).passed
