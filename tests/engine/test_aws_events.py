"""What the audit trail on AWS is asked for: which releases were rolled back."""

import pytest

from bluegreen.colors import Color
from bluegreen.traffic import TrafficSplit
from tests.engine.aws_driver import AwsDriver


@pytest.mark.soak
def test_a_release_that_was_rolled_back_is_not_switched_to_again_by_accident(aws: AwsDriver):
    aws.configure("green", {"release": "1.1", "replicas": 1})
    aws.configure("active_color", "green")
    assert aws.up().ok
    aws.configure("active_color", "blue")
    assert aws.up(BLUEGREEN_ROLLBACK="blue:outage").ok
    aws.configure("active_color", "green")

    refused = aws.preview()
    acknowledged = aws.up(BLUEGREEN_ACKNOWLEDGE="1.1:it was the database")

    assert refused.exit_code != 0
    assert "green 1.1 was rolled back at" in refused.text
    assert acknowledged.ok, acknowledged
    assert aws.live() == TrafficSplit.all_to(Color.GREEN)
