"""The doors to the system under test: Docker and HTTP."""


class NotSetUp(RuntimeError):  # noqa: N818 - what is the case
    """Something that the harness stands on is missing and could not be made; the message says what to do.

    NotSetUp
        PackagesMissing         apt could not install them
        EngineMissing           no Docker engine answers
        BaseImageMissing        neither here, nor pulled, nor made
        ReferenceImageMissing   could not be built
    """
