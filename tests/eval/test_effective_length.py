"""A model's effective length ends where it first falls below the threshold."""

import pytest

from eval.effective_length import find_effective_length


@pytest.mark.parametrize(
    ("scores", "threshold", "expected"),
    [
        ({4096: 95.5, 8192: 93.8, 16384: 91.6, 32768: 87.4, 65536: 84.7, 131072: 77.0}, 85.6, 32768),  # Llama 3.1 8B
        ({4096: 60.6, 8192: 57.0}, 85.6, None),  # LongAlpaca-13B
        ({4096: 81.9, 8192: 80.4, 16384: 75.6}, 79.4, 8192),  # LongLoRA-7B-100k
        ({2048: 0.5, 1024: 0.9, 4096: 0.95}, 0.9, 1024),  # a pass after a failure does not count
        ({1024: 0.0}, 0.0, None),
    ],
)
def test_it_is_the_one_of_rulers_table(scores, threshold, expected) -> None:
    assert find_effective_length(scores, threshold) == expected
