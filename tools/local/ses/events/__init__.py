"""Notifications and events: their content, their destinations and their publication."""
