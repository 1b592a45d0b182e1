"""Draw which keys each query attends to: by the paper's Algorithm 1, and by this implementation.

python -m train.attention.visibility --out docs/visibility.svg
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.files import replacing
from train.attention.segments import cut_into_groups

NUM_TOKENS = 16
GROUP_SIZE = 4
HIDDEN, VISIBLE, FUTURE = 0, 1, 2
COLOURS = ListedColormap(["#f2f2f2", "#3b6ea5", "#d1495b"])

Matrix = NDArray[np.int_]  # queries x keys


def our_mask(num_tokens: int, group_size: int, *, is_shifted: bool) -> Matrix:
    """Return the mask of plain or of shifted heads: 1 where a query attends to a key."""
    mask = np.zeros((num_tokens, num_tokens), dtype=int)
    for first, num, size in cut_into_groups(num_tokens, group_size, is_shifted=is_shifted):
        for start in range(first, first + num * size, size):
            mask[start : start + size, start : start + size] = np.tri(size, dtype=int)
    return mask


def paper_mask(num_tokens: int, group_size: int, *, is_shifted: bool) -> Matrix:
    """Return the mask of plain or of shifted heads by Algorithm 1: 2 where the key is later than the query.

    The shifted heads are rolled by half a group, cut into groups and rolled back. Their last group holds the last
    tokens, followed by the first ones.
    """
    order = np.roll(np.arange(num_tokens), -(group_size // 2) if is_shifted else 0)
    position = np.argsort(order)
    same_group = position[:, None] // group_size == position[None, :] // group_size
    is_visible = same_group & (position[:, None] >= position[None, :])
    is_later = np.arange(num_tokens)[:, None] < np.arange(num_tokens)[None, :]
    return np.where(is_visible & is_later, FUTURE, np.where(is_visible, VISIBLE, HIDDEN))


def draw_masks() -> Figure:
    """Return the masks side by side."""
    panels = {
        "plain heads, both": our_mask(NUM_TOKENS, GROUP_SIZE, is_shifted=False),
        "shifted heads, Algorithm 1": paper_mask(NUM_TOKENS, GROUP_SIZE, is_shifted=True),
        "shifted heads, here": our_mask(NUM_TOKENS, GROUP_SIZE, is_shifted=True),
    }
    figure = Figure(figsize=(9, 3.3), layout="constrained")
    axes = figure.subplots(1, len(panels))
    for axis, (title, matrix) in zip(axes, panels.items(), strict=True):
        axis.imshow(matrix, cmap=COLOURS, vmin=HIDDEN, vmax=FUTURE)
        axis.set(title=title, xlabel="key", ylabel="query", xticks=[0, 4, 8, 12], yticks=[0, 4, 8, 12])
        axis.title.set_fontsize(10)
    return figure


def main() -> None:
    """Run `python -m train.attention.visibility`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.svg")
    out: Path = parser.parse_args().out
    with matplotlib.rc_context({"svg.hashsalt": "s2", "svg.fonttype": "none"}), replacing(out) as beside:
        draw_masks().savefig(beside, format="svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
