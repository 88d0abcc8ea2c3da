# SPDX-License-Identifier: BSD-3-Clause
"""What a program of Debian's prometheus is to a test: there, or the reason to be skipped."""
import os
import sys


def fetched(path):
    """What metrics_fetch has brought, from where the test's program is; without it the test is skipped."""
    if not os.path.exists(path):
        print(f"no {path}: metrics_fetch said why")
        sys.exit(77)
    return os.path.abspath(path)
