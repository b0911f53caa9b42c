"""Closing a listener without losing who is just connecting to it, on Linux.

Between the last accept and the close a connection can still come in, which the close resets. So
the kernel is told to drop what begins one: the client tries again a second later, and is refused.
"""

import ctypes
from contextlib import suppress
from socket import SOL_SOCKET
from struct import pack
from typing import Any

_ATTACH_FILTER, _DETACH_FILTER = 26, 27
# Classic BPF over the TCP header: of the flags, SYN without ACK is dropped, all else is kept.
_STEPS = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (6, 0, 0, 0), (6, 0, 0, 0xFFFF))
_PROGRAM = b"".join(pack("HBBI", *step) for step in _STEPS)


def keep_out(listener: Any) -> None:
    """Let nobody begin a connection, as far as the kernel can do that."""
    program = ctypes.create_string_buffer(_PROGRAM)
    with suppress(OSError):
        pointer = pack("HP", len(_STEPS), ctypes.addressof(program))
        listener.setsockopt(SOL_SOCKET, _ATTACH_FILTER, pointer)


def let_in(listener: Any) -> None:
    """Again, after another process that had the listener, too, has closed it."""
    with suppress(OSError):  # there was nothing to take away
        listener.setsockopt(SOL_SOCKET, _DETACH_FILTER, 0)
