"""Accepts mail, decides what becomes of it, and keeps what was sent."""
