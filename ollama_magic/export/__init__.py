"""A turn's request as a program: curl, Python, Java. It asks no server and no notebook."""
