import pytest

from bench.notify_figures import NS, Sent, held, percentile, read_arrivals, waits

STATUS = """Name:\tpython
VmHWM:\t  2000 kB
VmRSS:\t  1000 kB
RssAnon:\t   700 kB
RssFile:\t   300 kB
Threads:\t3
"""


def seconds(at: float) -> int:
    return int(at * NS)


def test_an_alert_waits_from_when_it_was_sent() -> None:
    sent = {"a": Sent(seconds(1), seconds(1.5)), "b": Sent(seconds(2), seconds(2.25))}
    found = waits(sent, {"a": seconds(2), "b": seconds(4), "c": seconds(9)}, asked_ns=seconds(10))
    assert (found.count, found.missing) == (2, 0)
    assert (found.p50, found.worst, found.after_ack_p99) == (2.0, 2.0, 1.75)


def test_what_never_came_has_waited_until_it_was_asked_for() -> None:
    sent = {"a": Sent(seconds(1), seconds(1)), "b": Sent(seconds(2), seconds(2))}
    found = waits(sent, {"b": seconds(2.5)}, asked_ns=seconds(31))
    assert (found.missing, found.worst) == (1, 30.0)


def test_nothing_sent_is_an_error_and_not_a_good_figure() -> None:
    with pytest.raises(ValueError, match="nothing was sent"):
        waits({}, {}, asked_ns=0)


def test_a_percentile_is_one_of_the_values() -> None:
    ordered = [float(number) for number in range(200)]
    assert [percentile(ordered, share) for share in (0.5, 0.99, 1.0)] == [100.0, 198.0, 199.0]


def test_arrivals_are_read_as_the_receiver_writes_them() -> None:
    assert read_arrivals("msg_a 12\nmsg_b 7\n") == {"msg_a": 12, "msg_b": 7}


def test_the_memory_of_a_process_is_read_in_megabytes() -> None:
    found = held(STATUS)
    assert (found.resident, found.anonymous, found.of_files) == (1.024, 0.7168, 0.3072)
    assert found.peak == 2.048
