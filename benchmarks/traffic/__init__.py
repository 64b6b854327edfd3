"""Measures what clients see of a switch, beside the ways that people switch today."""
