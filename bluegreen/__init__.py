"""Blue-green deployments on Pulumi: one config key moves production traffic, through gates."""

__all__: list[str] = []
