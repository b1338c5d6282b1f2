"""Builds and reads mail."""
