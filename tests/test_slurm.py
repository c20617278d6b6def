"""What Slurm says, and times as it writes them."""

import pytest

from macro_ase.slurm import seconds_of, slurm_task, slurm_workers


def test_times() -> None:
    assert [seconds_of(t) for t in ("90", "1:30", "2:30:00", "1-00:00:10")] == [90, 90, 9000, 86410]
    for text in ("", "1h", "-5", "1:2:3:4", "1-", "x-1"):
        with pytest.raises(ValueError, match="a time is HH:MM:SS"):
            seconds_of(text)


def test_what_slurm_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert slurm_workers() is None and slurm_task() == (0, 1)
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "8")
    assert slurm_workers() == 12 and slurm_task() == (3, 8)
