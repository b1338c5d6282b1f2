"""What the local SES remembers."""
