"""A local stand-in for Amazon SES, for development and tests. See README.md in this folder."""
