"""Audits of a data set and of a model: is it fit for its purpose."""
