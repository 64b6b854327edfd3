"""Some things, each behind a hook that behaves as the config says."""

import time

import pulumi
from things import Thing

from bluegreen.gate_hooks import HookCall, resource_hook

config = pulumi.Config()
behavior = config.require("behavior")


def judge(call: HookCall) -> None:
    match behavior:
        case "empty":
            raise RuntimeError
        case "assert":
            assert call.is_preview
        case "exit":
            raise SystemExit(0)
        case "interrupt":
            raise KeyboardInterrupt
        case "hang":
            time.sleep(120)
        case "slow":
            time.sleep(0.5)
        case "refuse":
            message = f"the value may not be {call.new['value']}"
            raise ValueError(message)


for index in range(config.get_int("count") or 1):
    hook = resource_hook(
        f"judge-{index}",
        judge,
        timeout_seconds=config.get_float("timeout_seconds") or 10,
        in_preview=config.get_bool("in_preview") or False,
        ignore_errors=config.get_bool("ignore_errors") or False,
    )
    thing = Thing(
        f"thing-{index}",
        config.require("value"),
        pulumi.ResourceOptions(
            hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
        ),
    )
pulumi.export("value", thing.value)
