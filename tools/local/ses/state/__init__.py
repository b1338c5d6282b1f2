"""The state of the local SES."""
