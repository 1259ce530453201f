"""Whether a process of this host is alive, on every system that we run on."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

# Microsoft's documents of OpenProcess and GetExitCodeProcess; the numbers are those of winerror.h and winnt.h.
_QUERY_LIMITED_INFORMATION: Final = 0x1000
_ACCESS_DENIED: Final = 5
_STILL_ACTIVE: Final = 259


def process_alive(pid: int) -> bool:
    """True where a process with this number runs; also where we may not ask (then it lives)."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def windows_says_alive(*, opened: bool, error: int, exit_code: int | None) -> bool:
    """What the answers of Windows mean: could the process be opened, else with which error; its exit code.

    Another account's process (the daemon as a service) cannot be opened, and lives.  Without an exit code
    nothing says that it ended.
    """
    if not opened:
        return error == _ACCESS_DENIED
    return exit_code is None or exit_code == _STILL_ACTIVE


def _alive_on_windows(pid: int) -> bool:
    # os.kill(pid, 0) would end the process there.
    import ctypes

    kernel = _kernel32()
    handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
    error = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]
    if not handle:
        return windows_says_alive(opened=False, error=error, exit_code=None)
    code = ctypes.c_ulong()
    try:
        known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    finally:
        kernel.CloseHandle(handle)
    return windows_says_alive(opened=True, error=0, exit_code=code.value if known else None)


def _kernel32() -> Any:
    """A copy of our own with the types said: a handle is as wide as a pointer, an int would cut it."""
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel.GetExitCodeProcess.restype = wintypes.BOOL
    kernel.GetExitCodeProcess.argtypes = (wintypes.HANDLE, wintypes.LPDWORD)
    kernel.CloseHandle.restype = wintypes.BOOL
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    return kernel
