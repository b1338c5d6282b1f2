"""Mail that arrives: receipt rules and their actions."""
