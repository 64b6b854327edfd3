"""A cloud as a whole: two colors of real instances behind a listener."""

from tests.aws_cloud.shop import Shop


def test_a_listener_sends_to_the_instances_of_the_group_that_has_the_weight(shop: Shop) -> None:
    shop.add_fleet("blue")
    shop.add_fleet("green", 1)
    shop.wait_states("blue", "healthy", "healthy")
    shop.wait_states("green", "healthy")

    assert shop.color() == "blue"
    shop.switch("green")
    assert shop.color() == "green"
