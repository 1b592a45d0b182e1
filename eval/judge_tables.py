"""What verdicts in both orders say: who wins, how often the order decides, and who would win at equal length."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import optimize

from eval.stats import Array, Interval, bound_score, compare_means
from pipeline.errors import InputError

PENALTY = 0.05  # on the squares of both weights, so that a judge that always prefers one side leaves them finite


def summarise(rows: Sequence[Mapping[str, Any]], num_resamples: int, seed: int) -> dict[str, Any]:
    """Return the figures over questions; both orders of a question are one unit.

    Args:
        rows: With `scores`, of the tuned model's answer in both orders (1 wins, 0.5 ties), empty where there is no
            verdict; `length_base` and `length_tuned`, in characters.
        num_resamples: Of the bootstrap over questions.
        seed: Of the bootstrap.

    Raises:
        InputError: There is no verdict at all.
    """
    judged = [row for row in rows if row["scores"]]
    if not judged:
        reasons = sorted({row["reason"] for row in rows})
        raise InputError(
            "the judge",
            found=f"no verdict on any of {len(rows)} pairs ({'; '.join(reasons)[:200]})",
            expected="some verdicts",
            fix="Check the endpoint and its budget; replies that were given are kept.",
        )
    scores = np.array([np.mean(row["scores"]) for row in judged])
    changed = [row["scores"][0] != row["scores"][1] for row in judged]
    first = [float(score == wins) for row in judged for score, wins in zip(row["scores"], (0.0, 1.0), strict=True)]
    lengths = np.array([row["length_tuned"] - row["length_base"] for row in judged], dtype=np.float64)
    return {
        "win_rate": asdict(bound_score(float(scores.mean()), len(judged))),
        "difference": asdict(compare_means(list(scores), [0.5] * len(judged), num_resamples, seed)),
        "wins": int((scores > 0.5).sum()),
        "ties": int((scores == 0.5).sum()),
        "losses": int((scores < 0.5).sum()),
        "order_decides": asdict(bound_score(float(np.mean(changed)), len(judged))),
        "first_preferred": float(np.mean(first)),
        "length_controlled": asdict(control_length(scores, lengths, num_resamples, seed)),
        "mean_length_difference": float(lengths.mean()),
    }


def control_length(scores: Array, lengths: Array, num_resamples: int, seed: int) -> Interval:
    """Return the share won if both answers were equally long, with its bootstrap interval over questions.

    A logistic regression has a weight for the model and one for tanh of the difference in length by its standard
    deviation; without the latter the former is the share.

    Source: AlpacaEval 2 (arXiv 2404.04475), equation 2, without the instruction's difficulty.
    """
    spread = float(lengths.std())
    features = np.tanh(lengths / spread) if spread else np.zeros_like(lengths)
    value = fit_share(scores, features)
    if len(scores) < 2:
        return Interval(value, None, None, len(scores))
    draws = np.random.default_rng(seed).integers(0, len(scores), (num_resamples, len(scores)))
    found = [fit_share(scores[draw], features[draw]) for draw in draws]
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(value, min(value, float(low)), max(value, float(high)), len(scores))


def fit_share(scores: Array, features: Array) -> float:
    """Return the share won where the feature is 0, of a logistic regression with a small penalty."""

    def lose(weights: Array) -> tuple[float, Array]:
        logits = weights[0] + weights[1] * features
        share = 1 / (1 + np.exp(-logits))
        loss = np.logaddexp(0, logits) - scores * logits
        slope = np.array([(share - scores).sum(), ((share - scores) * features).sum()])
        return float(loss.sum() + PENALTY * (weights**2).sum()), slope + 2 * PENALTY * weights

    found = optimize.minimize(lose, np.zeros(2), jac=True, method="L-BFGS-B")
    return float(1 / (1 + np.exp(-found.x[0])))
