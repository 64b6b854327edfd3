"""A service on AWS whose updates are killed, and what must be true of it afterwards."""

import re
from typing import Any

from bluegreen.aws.names import RELEASE_TAG, tags_of_list
from bluegreen.colors import Color
from bluegreen.load import BackgroundLoad, LoadPlan
from tests.engine.aws_driver import PRODUCTION, TEST, AwsDriver
from tests.engine.pulumi_stack import Result
from tests.engine.turning_stage import MEMBERS, TurningStage

__all__ = ["AwsStage"]

# Ready late, so that an early switch would be seen.
_WARM_UP_SECONDS = 1


class AwsStage(TurningStage):
    """A service whose router is a listener."""

    driver: AwsDriver

    def __init__(self, driver: AwsDriver) -> None:
        super().__init__(driver)
        command = driver.aws_settings()["user_data"].rstrip()
        driver.configure("service.aws.user_data", f"{command} --warm-up {_WARM_UP_SECONDS}\n")
        self.want_all()

    def environment(self) -> dict[str, str]:
        # With a plugin of its own, as the engine of a user has one: it may be killed, too.
        return super().environment() | {"PULUMI_DEBUG_PROVIDERS": ""}

    def load(self) -> BackgroundLoad:
        """Steady; half of it on kept connections."""
        return BackgroundLoad(
            LoadPlan(
                url=f"{self.driver.url('production')}/",
                rate=100,
                seconds=900,
                connections=32,
                fresh_share=0.5,
                release_header="X-Bluegreen-Condition",
            )
        )

    def facts(self) -> dict[str, tuple[Any, Any]]:
        return super().facts() | {
            "answers": (
                self.driver.ask("production"),
                {f"{self.new} {self.releases[self.new]}": 20},
            ),
            "flag": (self._flag(), str(self.new)),
            "test pointer": (self._test_color(), self.old),
            "new members": (self._members(self.new), (MEMBERS, MEMBERS, self.releases[self.new])),
            "old members": (self._members(self.old), (0, 0, self.releases[self.old])),
            # What was made by an update that did not live to tell of it.
            "parts": (self._parts(), _PARTS),
            "is the switch recorded": (self._is_switch_recorded(), True),
        }

    def take_over_pending_creates(self) -> Result:
        """What docs/recovery.md says to do after a kill in a creation; AWS has no other way."""
        stack = self.driver.stack
        made = self._made()
        urns = [each["resource"]["urn"] for each in self.pending_operations()]
        pairs = [(urn, made[name]) for urn in urns if (name := urn.rsplit("::", 1)[1]) in made]
        known = ",".join(text for pair in pairs for text in pair)
        options = ["--import-pending-creates", known] if known else []
        return stack.run("refresh", "--yes", *options, "--clear-pending-creates")

    def _made(self) -> dict[str, str]:
        """The ids of what is in the account, by the names that the program has for it."""
        driver, ec2 = self.driver, self.driver.cloud.client("ec2")
        listeners = self.listeners()
        rules = driver.elb.describe_rules(ListenerArn=listeners[TEST]) if TEST in listeners else {}
        autonamed = {
            each["LaunchTemplateName"]: each["LaunchTemplateId"]
            for each in ec2.describe_launch_templates()["LaunchTemplates"]
        }
        for each in ec2.describe_security_groups()["SecurityGroups"]:
            autonamed[each["GroupName"]] = each["GroupId"]
        for each in driver.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
            autonamed[each["AutoScalingGroupName"]] = each["AutoScalingGroupName"]
        logs = driver.cloud.client("logs").describe_log_groups()["logGroups"]
        flags = driver.cloud.client("ssm").describe_parameters()["Parameters"]
        named = {each["logGroupName"] for each in logs} | {each["Name"] for each in flags}
        return {
            **{f"shop-{color}": arn for color, arn in driver.target_groups().items()},
            **{_LISTENERS[port]: arn for port, arn in listeners.items()},
            **{
                _RULES.get(each["Priority"], ""): each["RuleArn"] for each in rules.get("Rules", [])
            },
            **{_RANDOM.sub("", name): identity for name, identity in autonamed.items()},
            **{name: fixed for name, fixed in _FIXED.items() if fixed in named},
        }

    def _flag(self) -> str | None:
        found = self.driver.cloud.client("ssm").get_parameter(Name="/shop/active-color")
        return str(found["Parameter"]["Value"])

    def _test_color(self) -> Color | None:
        rules = self.driver.elb.describe_rules(ListenerArn=self.listeners()[TEST])["Rules"]
        pointers = [each for each in rules if each["Priority"] == "1000"]
        colors = {arn: color for color, arn in self.driver.target_groups().items()}
        return colors.get(pointers[0]["Actions"][0]["TargetGroupArn"]) if pointers else None

    def _members(self, color: Color) -> tuple[int, int, str | None]:
        group = self.driver.group(color)
        tags = tags_of_list(group["Tags"])
        return group["MinSize"], group["MaxSize"], tags.get(RELEASE_TAG)

    def listeners(self) -> dict[int, str]:
        """The ARN of each by its port."""
        found = self.driver.elb.describe_listeners(LoadBalancerArn=self.driver.balancer)
        return {each["Port"]: each["ListenerArn"] for each in found["Listeners"]}

    def _parts(self) -> dict[str, int]:
        driver = self.driver
        rules = driver.elb.describe_rules(ListenerArn=self.listeners()[TEST])["Rules"]
        templates = driver.cloud.client("ec2").describe_launch_templates()["LaunchTemplates"]
        groups = driver.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {
            "target groups": len(driver.elb.describe_target_groups()["TargetGroups"]),
            "listeners": len(self.listeners()),
            "rules": sum(not each["IsDefault"] for each in rules),
            "templates": len(templates),
            "groups": len(groups),
        }

    def _is_switch_recorded(self) -> bool:
        """Whether the audit trail has the switch of this turn."""
        wanted = f"100 % {self.new} {self.releases[self.new]}"
        events = self.driver.events()
        return any(each["kind"] == "switch" and each["to_split"] == wanted for each in events)


_LISTENERS = {PRODUCTION: "shop-route", TEST: "shop-test-listener"}
_RULES = {"1": "shop-blue-pinned", "2": "shop-green-pinned", "1000": "shop-test"}
_FIXED = {"shop-events": "/shop/deployments", "shop-flag": "/shop/active-color"}
# What Pulumi puts behind the name of something that has none.
_RANDOM = re.compile(r"-[0-9a-f]{7}$")
_PARTS = {"target groups": 2, "listeners": 2, "rules": 3, "templates": 2, "groups": 2}
