"""Which query heads attend together: plain and shifted ones, with the key-value heads that serve them.

S2-Attn shifts the groups of the second half of the query heads. With grouped-query attention the border between the
halves can fall between query heads that share one key-value head, and no kernel takes such heads in one call.
"""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class HeadRun:
    """Query heads `first` to `last` (excluded) and the key-value heads that serve them and no others.

    A run holds either whole groups of query heads, or heads that share one key-value head.
    """

    first: int
    last: int
    kv_first: int
    kv_last: int
    is_shifted: bool

    @property
    def num_shared(self) -> int:
        """How many query heads of the run share a key-value head."""
        return (self.last - self.first) // (self.kv_last - self.kv_first)


def split_heads(num_heads: int, num_kv_heads: int, *, is_split: bool) -> list[HeadRun]:
    """Return runs of plain heads, then of shifted ones, each cut where it would split a key-value head's group.

    With 9 query heads and 3 key-value heads, 3 query heads share each. The plain heads 0 to 3 become the runs 0-2 and
    3, and the shifted heads 4 to 8 become 4-5 and 6-8. If no segment is split, all heads are one plain run.
    """
    if not is_split:
        return [HeadRun(0, num_heads, 0, num_kv_heads, is_shifted=False)]
    per_kv = num_heads // num_kv_heads
    runs = []
    for is_shifted, first, last in ((False, 0, num_heads // 2), (True, num_heads // 2, num_heads)):
        whole_first, whole_last = -(-first // per_kv) * per_kv, last // per_kv * per_kv
        inner = [whole_first, whole_last] if whole_first <= whole_last else []
        for start, end in pairwise([first, *inner, last]):
            if start < end:
                runs.append(HeadRun(start, end, start // per_kv, -(-end // per_kv), is_shifted))
    return runs
