"""basicpy: BaSiC with its defaults and get_darkfield=False."""

REQUIREMENTS = ("basicpy",)
PYTHON = (3, 12)


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("basicpy")


def flat_field(frames):
    """Fit the flat field."""
    from basicpy import BaSiC

    model = BaSiC(get_darkfield=False)
    model.fit(frames.astype("float32"))
    return model.flatfield
