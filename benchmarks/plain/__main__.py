"""What a person would write without the library: the same resources, put in order by hand.

No components, no hooks, no checks of the config. At its start it imports Pulumi and nothing else:
the library's own imports would be a cost that the comparison then could not see.
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
