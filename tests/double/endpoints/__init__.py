"""What each endpoint does with a request: looks, pulls and makes models, speaks."""
