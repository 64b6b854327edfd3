"""The `bluegreen` command beside `pulumi up`, on one stack."""
