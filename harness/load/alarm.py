"""Waking at a moment: the kernel's timer, where the event loop's are late by up to a millisecond; Linux."""

from __future__ import annotations

import ctypes
import os
import time

from gevent import socket

_LIBC = ctypes.CDLL(None, use_errno=True)
_ABSOLUTE = 1


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Moment), ("first", _Moment))


class Alarm:
    """One sleeper's timer; only for Locust's process, where sleeping lets the others run.

    `gevent.sleep(0)` would not do for the last millisecond: it lets other greenlets run, and nobody's answers in.
    """

    def __init__(self) -> None:
        """Take a timer of the kernel's, on the clock that `time.perf_counter` reads."""
        self._fd = _LIBC.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "timerfd_create")

    def sleep_until(self, moment: float) -> None:
        """Sleep until a moment of `time.perf_counter`; not at all where it has passed."""
        if moment <= time.perf_counter():
            return
        seconds, part = divmod(moment, 1)
        setting = _Setting(first=_Moment(seconds=int(seconds), nanoseconds=int(part * 1e9)))
        if _LIBC.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(setting), None):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "timerfd_settime")
        socket.wait_read(self._fd)
        os.read(self._fd, 8)

    def close(self) -> None:
        """Give the timer back."""
        os.close(self._fd)
