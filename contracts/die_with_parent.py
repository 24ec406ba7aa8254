"""Become another program that the kernel kills when our parent ends, however it ends.

Run as `python -IS die_with_parent.py PARENT_PID PROGRAM ARGUMENT...` (Linux). A wrapper rather than
`preexec_fn`, because Python code between fork and exec may deadlock in a program with threads;
the wish survives `exec`.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel, make sure the parent was not gone before that, and change over."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main()
