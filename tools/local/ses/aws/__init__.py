"""The other AWS services, reached at the local AWS endpoint."""
