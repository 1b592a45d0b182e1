"""Count refusals by reason, so that nothing vanishes without a word."""

import re
from collections import Counter
from collections.abc import Iterable


def count_refusals(reasons: Iterable[str]) -> dict[str, int]:
    """Count reasons by their kind: the words before the first colon or ' of '."""
    return dict(sorted(Counter(re.split(r": | of ", reason)[0] for reason in reasons).items()))


def list_refusals(counts: dict[str, int]) -> str:
    """Return 'refused 3 (1 short, 2 unreadable)', for the closing line of a stage."""
    if not counts:
        return "refused none"
    return f"refused {sum(counts.values())} ({', '.join(f'{count} {kind}' for kind, count in counts.items())})"
