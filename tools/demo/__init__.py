"""The main job on one machine, told step by step by real commands: `make demo`."""

__all__: list[str] = []
