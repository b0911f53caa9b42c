"""Reading versions and forking at once, as a service does that loads before it forks."""

import os
from threading import Event, Thread
from warnings import catch_warnings, simplefilter

from ree.adapters import version_objects


def test_a_forked_process_can_read_whatever_threads_read_before() -> None:
    stopped = Event()

    def read() -> None:
        while not stopped.is_set():
            with version_objects._READING:
                sum(range(2_000))

    reader = Thread(target=read)
    reader.start()
    try:
        for _ in range(30):
            with catch_warnings():
                simplefilter("ignore", DeprecationWarning)  # of forks beside threads
                child = os.fork()
            if not child:
                os._exit(not version_objects._READING.acquire(blocking=False))
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stopped.set()
        reader.join()
