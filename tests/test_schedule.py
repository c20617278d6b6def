"""Schedules of temperature: what is written is what is meant, and all else is refused."""

from pathlib import Path

import numpy as np
import pytest

from macro_ase import Schedule


def test_ramps_holds_and_quenches_in_words() -> None:
    s = Schedule.parse("2400 K, 1e6 K/s to 1000 K, hold 10 s, quench to 600 K, 50 K/min to 900 K")
    np.testing.assert_allclose(s.times, [0, 1.4e-3, 10.0014, 10.0014, 370.0014])
    np.testing.assert_array_equal(s.temperatures, [2400, 1000, 1000, 600, 900])
    assert s.duration == pytest.approx(370.0014)
    t = np.array([-1, 0, 0.7e-3, 1.4e-3, 5.0, 10.0014, 190.0014, 1e9])
    np.testing.assert_allclose(
        s.temperature_at(t), [2400, 2400, 1700, 1000, 1000, 600, 750, 900], rtol=1e-12
    )
    assert s.temperature_at(5.0).shape == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("min", 60), ("h", 3600)],
)
def test_units_of_time(text: str, seconds: float) -> None:
    assert Schedule.parse(f"300 K, hold 3 {text}").duration == pytest.approx(3 * seconds)
    assert Schedule.parse(f"300 K, 2 K/{text} to 306 K").duration == pytest.approx(3 * seconds)
    assert Schedule.parse(f"300K,to 306K in 3{text}").duration == pytest.approx(3 * seconds)


def test_cycles_repeat_what_is_in_them_and_may_lie_in_one_another() -> None:
    s = Schedule.parse("300 K, 2 x (to 400 K in 1 s, 3 x (hold 1 s), quench to 300 K)")
    assert s.duration == pytest.approx(8)
    np.testing.assert_array_equal(
        s.temperatures, [300, 400, 400, 400, 400, 300, 400, 400, 400, 400, 300]
    )
    assert [row[1] - row[0] for row in s.pieces()] == pytest.approx([1] * 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot start with ''"),
        ("hold 3 s", "cannot start with 'hold 3 s'"),
        ("2400 K, 0 K/s to 300 K", "the rate in '0 K/s to 300 K' must be above 0"),
        ("2400 K, -5 K/s to 300 K", "the rate in '-5 K/s to 300 K' must be above 0"),
        ("2400 K, hold 0 s", "the time in 'hold 0 s' must be above 0"),
        ("2400 K, 5 K/s to 0 K", "above 0 K, not 0 K"),
        ("2400 K, quench to -3 K", "above 0 K, not -3 K"),
        ("2400 K, hold 1 day", "cannot read 'hold 1 day'"),
        ("2400 K, 5 K/s", "cannot read '5 K/s'"),
        ("2400 K,, hold 1 s", "cannot read ''"),
        ("2400 C", "cannot start with '2400 C'"),
        ("2400 K, 2 x (hold 1 s", "brackets do not match"),
        ("2400 K, hold 1 s)", "brackets do not match"),
        ("2400 K, 0 x (hold 1 s)", "at least once"),
        ("2400 K, 1000000 x (hold 1 s)", "more than 100000 pieces"),
        ("2400 K, 100000 x (10 x (hold 1 s))", "more than 100000 pieces"),
        ("2400 K, hold 1e9 h, hold 1 ns", "too short to be told apart after 3.6e.12 s"),
        ("2400 K, hold 1e999 s", "must be above 0"),
    ],
)
def test_what_cannot_be_read_is_quoted_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as found:
        Schedule.parse(text)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("times", "temperatures", "message"),
    [
        ([], [], "empty"),
        ([0, 2, 1], [3, 3, 3], "time goes back in the schedule: 1 s after 2 s"),
        ([1, 2], [3, 3], "must start at 0 s, not 1 s"),
        ([0, 1], [3, 0], "above 0 K, not 0 K"),
        ([0, 1], [3], "must have shape"),
        ([0, np.nan], [3, 3], "not finite"),
    ],
)
def test_points_are_checked(times: list[float], temperatures: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Schedule(np.array(times, float), np.array(temperatures, float))


@pytest.mark.parametrize(
    "text",
    [
        "time_s,temperature_K\n5,300\n6,400\n6,350\n",
        "5;300\n6;400\n\n# a quench\n6;350\n",
        "\ufefftime temperature\r\n5 300\r\n6\t400\r\n6 350",
    ],
)
def test_tables_are_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "furnace.csv"
    file.write_text(text, encoding="utf-8")
    s = Schedule.read(file)
    np.testing.assert_array_equal(s.times, [0, 1, 1])
    np.testing.assert_array_equal(s.temperatures, [300, 400, 350])
    assert s.temperature_at(0.25) == 325 and s.temperature_at(1.0) == 350


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no times"),
        ("time,temperature\n", "holds no times"),
        ("0,300\n1,hot\n", "line 2: expected a time in s and a temperature in K, not '1,hot'"),
        ("a,b\nc,d\n", "line 2: expected"),
        ("0,300,7\n1,400,7\n2,3,4", "line 2: expected"),
        ("0,300\n2,300\n1,300", "time goes back in the schedule: 1 s after 2 s"),
        ("0,300\n2,-1", "above 0 K"),
        ("0,300\n2,nan", "not finite"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "furnace.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"{file}.*{message}"):
        Schedule.read(file)
