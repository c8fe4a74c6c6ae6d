"""A release on the local endpoint: traffic goes over to a challenger step by step, and back where an alarm goes on."""
