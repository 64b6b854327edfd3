"""Becomes another program, which the kernel kills when the process that started it ends.

    python dying_with_parent.py PARENT PROGRAM

The provider has no such option, and a forked process with threads should not run Python code.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, program = int(sys.argv[1]), sys.argv[2]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have ended before the kernel was told.
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(program, [program])
