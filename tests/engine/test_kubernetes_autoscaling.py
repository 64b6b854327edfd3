"""Who owns the number of members, on a real API server with the real autoscaling controller.

The pods are pretended, and there are no metrics: of the autoscaler this shows that it writes, and
keeps to its bounds. Every number that a Deployment is ever told is looked at.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.kubernetes_replicas import Shop, shop_on, watched_replicas
from tools.cluster.cluster import Cluster
from tools.cluster.processes import wait_until

UNGUARDED = Path(__file__).parent / "programs" / "unguarded_fleet"
CONTROLLER = "kube-controller-manager scale"
KEEPER = "bluegreen-replicas"


@pytest.fixture
def shop(cluster: Cluster, namespace: str) -> Iterator[Shop]:
    with shop_on(cluster, namespace) as shop:
        yield shop


def never_falls(numbers: list[int]) -> bool:
    return all(before <= after for before, after in pairwise(numbers))


def up(shop: Shop, **environment: str) -> list[str]:
    """What an update that goes through has done."""
    result = shop.stack.up(**environment)
    assert result.ok, result
    return result.done


def refused(shop: Shop) -> str:
    """What an update says that does not go through."""
    result = shop.stack.up()
    assert not result.ok, result
    return result.text


def test_a_live_color_never_has_fewer_members_while_they_change_their_owner_and_back(
    shop: Shop,
) -> None:
    up(shop)
    with watched_replicas(shop.api, shop.namespace, "blue") as watched:
        shop.autoscale()
        assert up(shop) == ["shop-blue-members", "shop-blue-autoscaler"]
        assert shop.owners("blue") == {KEEPER}

        shop.autoscaler_says("blue", 9)
        assert shop.owners("blue") == {CONTROLLER}

        shop.stop_autoscaling()
        shop.stack.configure("blue.replicas", 9)
        assert up(shop) == ["shop-blue-members", "shop-blue-autoscaler"]
        assert shop.autoscalers() == {}

        shop.stack.configure("blue.replicas", 10)
        assert up(shop) == ["shop-blue-members"]

        assert watched.until(10) == [4, 9, 10]


def test_without_the_hand_over_the_same_change_passes_through_one_member(
    cluster: Cluster, namespace: str
) -> None:
    with shop_on(cluster, namespace, main=UNGUARDED) as shop:
        up(shop)
        with watched_replicas(shop.api, namespace, "blue") as watched:
            shop.autoscale()
            up(shop)

            assert watched.until(2) == [4, 1, 2]


def test_a_new_color_has_its_fewest_members_and_its_autoscaler_before_it_gets_traffic(
    shop: Shop,
) -> None:
    shop.autoscale(min_replicas=3)
    with watched_replicas(shop.api, shop.namespace, "blue") as watched:
        done = up(shop)

        # One is what the API server makes of a Deployment that does not say; nobody is sent there.
        assert watched.until(3) == [1, 3]
    assert done.index("shop-blue-members") < done.index("shop-blue-autoscaler")
    assert done.index("shop-blue-autoscaler") < done.index("shop-route")
    assert shop.autoscalers() == {"shop-blue": (3, 20)}


def test_an_update_without_changes_stays_so_when_the_autoscaler_has_been_at_work(
    shop: Shop,
) -> None:
    shop.autoscale()
    up(shop)
    shop.autoscaler_says("blue", 7)

    assert up(shop) == []
    assert shop.stack.preview().plan == []
    assert shop.stack.refresh().ok
    result = shop.stack.up()

    assert (result.plan, result.done) == ([], [])
    assert shop.replicas("blue") == 7


def test_a_switch_to_a_smaller_color_is_refused_with_the_command_that_helps(shop: Shop) -> None:
    shop.autoscale()
    shop.stack.configure("green", {"release": "1.1"})
    up(shop)
    shop.autoscaler_says("blue", 6)
    shop.stack.configure("active_color", "green")
    with (
        watched_replicas(shop.api, shop.namespace, "blue") as blue,
        watched_replicas(shop.api, shop.namespace, "green") as green,
    ):
        said = refused(shop)

        assert (
            "2 of 6 needed members of green are ready (2 desired); blue has 6, green is configured "
            "for 2: run `pulumi config set --path service.kubernetes.autoscaling.min_replicas 6`"
        ) in said
        assert shop.selected() == "blue"

        shop.stack.configure("service.kubernetes.autoscaling.min_replicas", 6)
        done = up(shop)

        assert shop.selected() == "green"
        assert done.index("shop-green-autoscaler") < done.index("shop-route")
        assert green.until(6) == [2, 6]
        assert blue.until(6) == [6]

    shop.stack.configure("service.kubernetes.autoscaling.min_replicas", 2)
    up(shop)

    assert shop.autoscalers() == {"shop-blue": (2, 20), "shop-green": (2, 20)}
    assert (shop.replicas("blue"), shop.replicas("green")) == (6, 6)


def test_a_live_color_is_not_made_smaller_by_another_owner_or_another_bound(shop: Shop) -> None:
    shop.autoscale()
    up(shop)
    shop.autoscaler_says("blue", 6)
    with watched_replicas(shop.api, shop.namespace, "blue") as watched:
        shop.stop_autoscaling()
        assert (
            "blue has 100 % of production traffic and it would shrink from 6 to 4 members; nothing "
            "was changed; keep them with `pulumi config set --path blue.replicas 6`, or allow it "
            "once"
        ) in refused(shop)

        shop.autoscale(max_replicas=5)
        assert (
            "it would shrink from 6 to at most 5 members; nothing was changed; keep them with "
            "`pulumi config set --path service.kubernetes.autoscaling.max_replicas 6`"
        ) in refused(shop)

        assert shop.autoscalers() == {"shop-blue": (2, 20)}
        shop.stop_autoscaling()
        done = up(shop, BLUEGREEN_ALLOW_LIVE_CHANGE="blue:night")

        assert done == ["shop-blue-members", "shop-blue-autoscaler"]
        assert watched.until(4) == [6, 4]


def test_a_retired_color_has_no_autoscaler_and_comes_back_with_one(shop: Shop) -> None:
    shop.autoscale()
    shop.stack.configure("green", {"release": "1.1"})
    up(shop)
    with watched_replicas(shop.api, shop.namespace, "green") as watched:
        shop.stack.configure("retired", {"color": "green", "release": "1.1"})
        up(shop)

        assert shop.autoscalers() == {"shop-blue": (2, 20)}
        assert watched.until(0) == [2, 0]

        shop.stack.configure("green.release", "1.2")
        up(shop)

        assert shop.autoscalers() == {"shop-blue": (2, 20), "shop-green": (2, 20)}
        assert watched.until(2) == [2, 0, 2]
        assert shop.images("green") == {"local/shop:1.2"}


def test_an_autoscaler_that_could_not_be_made_at_first_finds_members_to_start_from(
    shop: Shop,
) -> None:
    shop.autoscale()
    shop.stack.configure("green", {"release": "1.1"})
    shop.stack.configure("retired", {"color": "green", "release": "1.1"})
    up(shop)
    shop.stack.configure("retired", None)
    shop.forbid_autoscalers()
    assert "exceeded quota" in refused(shop)
    # As an update leaves it that is killed after the write: an autoscaler never leaves 0 itself.
    shop.scale_by_hand("green", 0)
    shop.allow_autoscalers()

    assert up(shop) == ["shop-green-autoscaler"]

    assert shop.replicas("green") == 2


def test_members_that_were_scaled_by_hand_are_taken_back_from_the_hand(shop: Shop) -> None:
    shop.stack.configure("green", {"release": "1.1", "replicas": 2})
    up(shop)
    shop.scale_by_hand("green", 1)
    assert shop.stack.refresh().done == ["shop-green-members"]

    assert up(shop) == ["shop-green-members"]

    assert shop.replicas("green") == 2
    wait_until(lambda: shop.owners("green") != {"kubectl scale"}, 10)
