"""Python imports this at its start from PYTHONPATH: a test's way into every process of an update.

Only the tests of kills put this folder there; nothing of it is in the library.
"""

import os

if "BLUEGREEN_KILL_TRACE" in os.environ:
    import kill_points

    kill_points.install()
