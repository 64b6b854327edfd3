"""What a person would write without the library: the same resources, in no order of its own.

No components, no hooks, no checks of the config.
"""

import pulumi
from service import declare_service

config = pulumi.Config()
outputs = declare_service(
    config.require("active_color"),
    config.require_object("service"),
    {color: config.require_object(color) for color in ("blue", "green")},
)
for name, value in outputs.items():
    pulumi.export(name, value)
