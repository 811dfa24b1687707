"""Reads sources into attachments: objects of the notebook, bytes and files. It knows no notebook and no server."""
