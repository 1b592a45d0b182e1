"""lm-eval's command line with the tasks of `--include_path` alone: to index its own thousands takes a minute."""

from typing import Any

import lm_eval.tasks
from lm_eval.__main__ import cli_evaluate


class OwnTasks(lm_eval.tasks.TaskManager):  # type: ignore[misc]
    """A task manager that does not index lm-eval's own tasks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what lm-eval passes."""
        super().__init__(*arguments, **{**options, "include_defaults": False})


def main() -> None:
    """Run `lm_eval …`."""
    lm_eval.tasks.TaskManager = OwnTasks
    cli_evaluate()


if __name__ == "__main__":
    main()
