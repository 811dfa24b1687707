"""The server: its address, its bytes, its models. Nothing here knows of a notebook."""
