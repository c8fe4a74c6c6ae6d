"""Champion against challenger: whether the new image may take the place of the one that serves."""
