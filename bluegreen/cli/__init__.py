"""The `bluegreen` command: arguments in, text out; what is done is in `bluegreen.operations`."""

__all__: list[str] = []
