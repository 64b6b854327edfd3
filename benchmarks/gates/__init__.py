"""How often the gates that compare stop equal colors, and how often they stop a worse one."""
