"""Resource policies: their evaluation, and SES's rules for sending authorization policies."""
