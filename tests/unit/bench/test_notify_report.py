from bench.notify_fanout import Fanout
from bench.notify_figures import Held, Waits
from bench.notify_latency import Latency, Phase
from bench.notify_pending import Pending, Start
from bench.notify_report import of_fanout, of_latency, of_pending, of_throughput
from bench.notify_throughput import Round, Run, Throughput
from bench.processes import Use

USE = Use(10.0, 5.0, 1.0)


def waits(p99: float, missing: int = 0) -> Waits:
    return Waits(2_000, missing, 0.01, 0.02, p99, 2 * p99, p99)


def phase(p99: float, missing: int = 0) -> Phase:
    return Phase(waits(p99, missing), USE, 0)


def started(ready_s: float, peak_mb: float, pending: int) -> Start:
    return Start(ready_s, 9.0, pending, Held(300.0, 200.0, 100.0, peak_mb), 250.0, 290.0)


def pending(*starts: Start, count: int = 1_000_000) -> Pending:
    return Pending(count, 10_000, starts[0], starts[1], waits(0.04), 3_000.0)


def fanout(peak_mb: float, *, arrived: int = 100_000, p99: float = 0.04) -> Fanout:
    return Fanout(100_000, arrived, 20.0, 60.0, 150.0, peak_mb, 80.0, waits(0.03), waits(p99), USE)


def met(goals: object) -> list[bool]:
    return [goal.is_met for goal in goals]  # type: ignore[attr-defined]


def test_deliveries_are_held_against_the_bare_client_of_the_same_round() -> None:
    rounds = [
        Round(
            Run(1_000, 1.0, 0.9, 0.1), Run(1_000, 0.25, 0.3, 0.1), Run(100, 1.0, 0.1, 0.1), 3_000
        ),
        Round(Run(1_000, 2.0, 0.9, 0.1), Run(1_000, 1.0, 0.3, 0.1), Run(100, 1.0, 0.1, 0.1), 3_000),
        Round(Run(1_000, 1.0, 0.9, 0.1), Run(1_000, 0.4, 0.3, 0.1), Run(100, 1.0, 0.1, 0.1), 3_000),
    ]
    found = of_throughput(Throughput(rounds))
    assert found.rows[0][:5] == ("notify, 200 endpoints", "1,000", "40%", "900", "3.0 x")
    assert found.rows[1][:5] == ("bare aiohttp and uvloop", "2,500", "100%", "300", "1.0 x")
    assert (found.goals[0].got, found.goals[0].is_met) == ("40% (1,000/s)", True)


def test_latency_beside_the_dead_is_a_ratio_of_rounds() -> None:
    found = of_latency(Latency([phase(0.02), phase(0.04)], [phase(0.04), phase(0.04)]))
    assert [goal.got for goal in found.goals] == ["30 ms", "1.50 x (40 ms)"]
    assert met(found.goals) == [True, True]
    assert [row[:2] for row in found.rows] == [
        ("1", "alone"),
        ("1", "beside the dead"),
        ("2", "alone"),
        ("2", "beside the dead"),
    ]


def test_a_missing_alert_is_no_success() -> None:
    assert met(of_latency(Latency([phase(0.02)], [phase(0.02, missing=1)])).goals) == [True, False]


def test_latency_alone_can_be_told_alone() -> None:
    found = of_latency(Latency([phase(0.06)], []))
    assert met(found.goals) == [False]
    assert len(found.rows) == 1


def test_memory_is_the_highest_and_all_must_be_held() -> None:
    good = started(50, 400, 1_000_000), started(5, 450, 1_000_000)
    assert met(of_pending(pending(*good)).goals) == [True, True, True]
    lost = started(50, 400, 1_000_000), started(5, 450, 999_999)
    assert met(of_pending(pending(*lost)).goals) == [False, True, True]
    fat_and_late = started(61, 501, 1_000_000), started(61, 450, 1_000_000)
    assert met(of_pending(pending(*fat_and_late)).goals) == [False, False, False]


def test_a_small_measurement_says_that_it_is_one() -> None:
    small = started(5, 400, 1_000), started(5, 400, 1_000)
    goals = of_pending(pending(*small, count=1_000)).goals
    assert goals[0].what == "memory of 1,000 pending (of 1,000,000)"


def test_a_fan_out_is_done_when_all_have_it() -> None:
    assert met(of_fanout(fanout(350.0)).goals) == [True, True]
    assert met(of_fanout(fanout(351.0, p99=0.051)).goals) == [False, False]
    assert met(of_fanout(fanout(200.0, arrived=99_999)).goals) == [False, True]
