"""A served model, asked from outside: is it fit to serve? Cases first, judged after."""
