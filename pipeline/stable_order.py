"""Orders and draws by hashes: equal for equal items, whatever their order, number or machine.

All are made of the sha256 of a key. A key has the item's id, and the seed where one may change the draw:
`order_key(seed, example_id)`.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import zip_longest
from typing import TypeVar

Item = TypeVar("Item")
ABSENT = object()


def order_key(*parts: object) -> bytes:
    """Return a key that sorts items in a shuffled order, equal for equal parts."""
    return sha256(":".join(map(str, parts)).encode()).digest()


def stable_shuffle(items: Iterable[Item], *prefix: object, key: Callable[[Item], str]) -> list[Item]:
    """Return items in a shuffled order that neither their own order nor other items change.

    Args:
        items: In any order.
        prefix: What the draw depends on beside the items, the seed above all.
        key: Returns the id of an item.
    """
    return sorted(items, key=lambda item: order_key(*prefix, key(item)))


def hash_fraction(*parts: object) -> float:
    """Return a number in [0, 1), equal for equal parts and uniform over different ones."""
    return int.from_bytes(order_key(*parts)[:6]) / 2**48


def hash_choice(options: Sequence[Item], *parts: object) -> Item:
    """Return one of some options, the same one for equal parts."""
    return options[int.from_bytes(order_key(*parts)[:4]) % len(options)]


def round_robin(lists: Iterable[Iterable[Item]]) -> list[Item]:
    """Return the first item of each list, then the second of each, and so on; shorter lists drop out."""
    return [item for turn in zip_longest(*lists, fillvalue=ABSENT) for item in turn if item is not ABSENT]  # type: ignore[misc]
