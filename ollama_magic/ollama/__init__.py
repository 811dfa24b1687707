"""The server: its address, its protocol, its models. This package knows nothing of notebooks."""
