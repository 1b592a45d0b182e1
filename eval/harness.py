"""Let lm-eval measure both models on its own RULER, LongBench and LongBench v2, for published protocols.

This needs the network: the tasks download their data. RULER is redrawn by each run and prepared for the lengths given.

Reads   BASE, TUNED         models: a folder, or the name of one on the Hub
Writes  OUT/base, OUT/tuned lm-eval's own results and samples
Source  github.com/EleutherAI/lm-evaluation-harness
"""

import logging
import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eval.lm_eval_runs import build_command, run_lm_eval
from pipeline.cli import run_stage
from pipeline.files import replacing
from pipeline.params import Params
from train.recipe import Dtype

log = logging.getLogger(__name__)


class HarnessParams(Params):
    """Section `harness` of params.yaml."""

    tasks: list[str] = Field(min_length=1)  # lm-eval's names: ruler, longbench, longbench2, or others
    lengths: list[Annotated[int, Field(ge=1)]]  # of RULER's prompts, in tokens: 4096, 8192, … as lm-eval reports them
    limit: int | None = Field(ge=1)  # documents of each task; null for all
    batch_size: int = Field(ge=1)
    dtype: Dtype
    seed: int = Field(ge=0)


def run(params: HarnessParams, *, base: str, tuned: str, out: Path) -> None:
    """Run lm-eval on both models."""
    settings = {**params.model_dump(), "max_length": max(params.lengths) if params.lengths else None}
    with replacing(out) as beside:
        beside.mkdir()
        for name, model in (("base", base), ("tuned", tuned)):
            command = build_command(model, params.tasks, beside / name, include=None, settings=settings)
            run_lm_eval(command, os.environ)
    log.info("harness: %s of both models in %s", ", ".join(params.tasks), out)


if __name__ == "__main__":
    run_stage(run)
