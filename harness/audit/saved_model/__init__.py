"""A model as TensorFlow saves it, looked at from outside and, where an interpreter has TensorFlow, from inside."""
