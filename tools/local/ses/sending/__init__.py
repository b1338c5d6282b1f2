"""Accepts mail, applies its outcomes, and keeps what was sent."""
