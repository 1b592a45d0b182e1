"""The one exception for what a user can fix."""


class InputError(Exception):
    """A fault in the user's input: a file, a parameter, a model name.

    Stages let it rise to `pipeline.cli`, which prints it as one line and exits with 2. Everything else keeps its
    traceback, because it is our fault and not the user's.
    """

    def __init__(self, where: object, *, found: str, expected: str, fix: str) -> None:
        """Describe the fault in the order in which a user asks about it.

        Args:
            where: The file, and the section and key within it if there are any.
            found: What is there.
            expected: What would have been right.
            fix: What to do next, as an imperative.
        """
        super().__init__(f"{where}: found {found}; expected {expected}. {fix}")
