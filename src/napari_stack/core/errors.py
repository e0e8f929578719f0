"""`UserError`: what the user can mend, apart from errors of the program."""


class UserError(ValueError):
    """What the user can mend: its text says what was found, what is needed and what to do.

    Every other `ValueError` is an error of the program, and is shown with its traceback.
    """
