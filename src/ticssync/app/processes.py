"""Whether a process of this host is alive, on every system that we run on."""

from __future__ import annotations

import os
import sys


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


def _alive_on_windows(pid: int) -> bool:
    # os.kill(pid, 0) would end the process there.  PROCESS_QUERY_LIMITED_INFORMATION, STILL_ACTIVE (Microsoft's
    # documents of OpenProcess and GetExitCodeProcess).
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(0x1000, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == 259
