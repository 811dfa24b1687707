"""The user's objects as text in a prompt; independent of the rest of the package."""
