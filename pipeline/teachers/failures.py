"""Decide from the reasons of a run's failed requests whether it failed as a whole."""

from collections import Counter
from collections.abc import Sequence

from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.endpoint.errors import SET_ASIDE, STOPPED, find_fix
from pipeline.errors import InputError
from pipeline.records import Example
from pipeline.rejections import Reason

NUM_REASONS = 3  # that the message names


def check_replies(examples: Sequence[Example], endpoint: EndpointParams, max_failed_fraction: float) -> None:
    """Make sure that an endpoint gave enough usable replies.

    Raises:
        InputError: None was usable, too many were not, or the server let the run go no further.
    """
    reasons = [Reason.parse(example.reason) for example in examples if example.reason]
    counts = Counter(reason.kind for reason in reasons)
    num_set_aside = sum(counts[kind] for kind in SET_ASIDE)
    failed = (len(reasons) - num_set_aside) / max(1, len(examples) - num_set_aside)
    if not reasons or (failed <= max_failed_fraction and len(reasons) < len(examples) and not counts[STOPPED]):
        return
    kinds = [STOPPED] if counts[STOPPED] else [kind for kind, _ in counts.most_common(NUM_REASONS)]
    firsts = [next(reason for reason in reasons if reason.kind == kind) for kind in kinds]
    said = "; ".join(f"{counts[first.kind]} times {first}" for first in firsts)
    raise InputError(
        f"the endpoint {endpoint.base_url}",
        found=f"no usable reply for {len(reasons)} of {len(examples)} examples: {said}",
        expected=f"one for at least {1 - max_failed_fraction:.0%} of them",
        fix=" ".join(dict.fromkeys(filter(None, map(find_fix, kinds)))) or "Read the reasons in the examples.",
    )
