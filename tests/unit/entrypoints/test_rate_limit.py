"""How often a client may ask, whatever the moments it asks at."""

import subprocess
import sys
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.entrypoints.api.rate_limit import Pace, RateLimits

SECOND = 1_000_000_000
START = 3_600 * SECOND
rates = st.one_of(st.integers(1, 30), st.integers(1, 1_000_000))
pauses = st.lists(st.one_of(st.just(0), st.integers(0, 5 * SECOND)), min_size=1, max_size=40)


def passed(limits: RateLimits, waits: list[int]) -> list[int]:
    """The moments of the requests that pass, of those after these pauses."""
    moments, now = [], START
    for wait in waits:
        now += wait
        if limits.take(0, now).passes:
            moments.append(now)
    return moments


@settings(deadline=None)
@given(rates, pauses)
def test_no_span_of_time_has_more_than_burst_and_rate_allow(rate: int, waits: list[int]) -> None:
    burst = max(1, rate // 6)
    moments = passed(RateLimits([rate]), waits)
    for first, began in enumerate(moments):
        for last in range(first, len(moments)):
            span = moments[last] - began
            assert last - first + 1 <= burst + rate * span / (60 * SECOND)


@settings(deadline=None)
@given(rates, pauses)
def test_a_request_is_only_refused_when_the_allowance_is_used_up(
    rate: int, waits: list[int]
) -> None:
    pace, limits, now = Pace(rate), RateLimits([rate]), START
    moments: list[int] = []
    for wait in waits:
        now += wait
        if limits.take(0, now).passes:
            moments.append(now)
            continue
        fullest = max(
            len(moments) - first - (now - began) / pace.interval
            for first, began in enumerate(moments)
        )
        assert fullest + 1 > pace.burst


@settings(deadline=None)
@given(rates, pauses)
def test_what_is_left_and_how_long_to_wait_are_right(rate: int, waits: list[int]) -> None:
    now, limits = START, RateLimits([rate])
    for wait in waits:
        now += wait
        taken = limits.take(0, now)
        assert (taken.left == 0) == (taken.wait > 0)
    for _ in range(taken.left):
        taken = limits.take(0, now)
        assert taken.passes
    assert taken.left == 0
    refused = limits.take(0, now)
    assert not refused.passes
    assert refused.wait >= 1
    if refused.wait > 1:
        assert not limits.take(0, now + (refused.wait - 1) * SECOND).passes
    assert limits.take(0, now + refused.wait * SECOND).passes


def test_after_a_pause_a_burst_passes_and_then_the_rate() -> None:
    limits = RateLimits([60])
    moments = passed(limits, [0] * 30 + [SECOND // 2] * 40)
    assert moments[:10] == [START] * 10
    assert len(moments) == 30
    assert bisect_right(moments, START) == 10


def test_each_client_has_an_allowance_of_its_own() -> None:
    limits = RateLimits([6, 6, 12])
    assert [limits.take(place, START).passes for place in (0, 0, 1, 2, 2, 2)] == [
        True, False, True, True, True, False
    ]  # fmt: skip


@given(rates)
def test_an_interval_is_never_too_short(rate: int) -> None:
    interval = Pace(rate).interval
    assert interval * rate >= 60 * SECOND > (interval - 1) * rate


def test_no_pace_at_all_needs_nothing() -> None:
    assert RateLimits([]).paces == []


FORKED = """
import os, sys, signal
from ree.entrypoints.api.rate_limit import RateLimits
limits = RateLimits([600, 600])
"""
COUNTS = (
    FORKED
    + """
children = []
for _ in range(4):
    read, write = os.pipe()
    if os.fork() == 0:
        passed = sum(limits.take(1, 10**12).passes for _ in range(2_000))
        os.write(write, str(passed).encode())
        os._exit(0)
    children.append(read)
print(sum(int(os.read(read, 9)) for read in children))
"""
)
HOLDS = (
    FORKED
    + """
import fcntl
limits.lock(0)
if os.fork() == 0:
    for place in (0, 1):
        try:
            fcntl.lockf(limits._file, fcntl.LOCK_SH | fcntl.LOCK_NB, 8, 8 * place)
            print("free", end=" ", flush=True)
        except BlockingIOError:
            print("held", end=" ", flush=True)
    os._exit(0)
os.wait()
"""
)
DIES = (
    FORKED
    + """
read, write = os.pipe()
child = os.fork()
if child == 0:
    limits.lock(0)
    os.write(write, b"x")
    signal.pause()
os.read(read, 1)
signal.alarm(20)
limits.take(1, 10**12)
os.kill(child, signal.SIGKILL)
print(limits.take(0, 10**12).passes)
"""
)


@pytest.mark.parametrize(
    ("program", "printed"), [(COUNTS, "100"), (HOLDS, "held free"), (DIES, "True")]
)
def test_processes_share_it_and_a_dead_one_holds_nothing(program: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == printed
