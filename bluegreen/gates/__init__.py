"""Checks that look and create nothing."""
