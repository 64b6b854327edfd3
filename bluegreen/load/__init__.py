"""A paced HTTP client that knows which color answered, for tests and demos on loopback.

It is an open loop: requests leave on schedule whether or not earlier ones are answered, and latency
counts from the intended send time, so that a stall is seen by every request it held up. It never
repeats a request.
"""

from bluegreen.load.background import BackgroundLoad
from bluegreen.load.client import run
from bluegreen.load.plan import LoadPlan
from bluegreen.load.recording import Bucket, Outcome, Recording, Request, nearest_rank
from bluegreen.load.report import LoadReport, Switch, count_stale, summarize

__all__ = [
    "BackgroundLoad",
    "Bucket",
    "LoadPlan",
    "LoadReport",
    "Outcome",
    "Recording",
    "Request",
    "Switch",
    "count_stale",
    "nearest_rank",
    "run",
    "summarize",
]
