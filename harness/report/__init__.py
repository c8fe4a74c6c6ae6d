"""What a run found: results, and the verdict that is made of them."""
