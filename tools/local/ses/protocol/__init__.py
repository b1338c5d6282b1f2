"""The two protocols of SES, read from botocore's service models."""
