"""What a prompt is made of: the user's objects as text. Nothing of ours is known here."""
