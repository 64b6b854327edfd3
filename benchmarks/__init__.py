"""Measures the library against a plain Pulumi program that has the same resources."""
