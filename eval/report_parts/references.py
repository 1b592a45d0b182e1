"""Published figures beside this run's, each with its source and whether the two can be compared."""

import pandas as pd

from eval.report_parts.part import Folders, Part

ORDER = 95
COLUMNS = ["published", "figure", "source", "comparable with this run?"]
OTHER_MODEL = "no: another model and tokenizer"
ROWS = (
    (
        "LongLoRA-7B-100k, perplexity of proof-pile at 2,048, 4,096 and 8,192 tokens",
        "3.36, 3.01, 2.78",
        "arXiv 2309.12307, table 4",
        f"{OTHER_MODEL}; theirs is the protocol longlora, on the same text",
    ),
    (
        "S2-Attn evaluated as it was trained against full attention, perplexity",
        "8.64 against 8.12",
        "arXiv 2309.12307, table 6",
        "no: it says why every measure here uses full attention",
    ),
    (
        "LongLoRA-7B-100k, perplexity of proof-pile at 8,192, 32,768 and 64k tokens",
        "3.62, 2.68, 2.44",
        "arXiv 2402.13753, tables 5 to 7",
        "no: LongLoRA gives 2.78 for the same model at 8,192, by another protocol",
    ),
    (
        "LongAlpaca-7B-16k, LongBench in English, mean of 16 tasks",
        "36.8 (Llama-2-7B-chat 31.0)",
        "LongLoRA's repository; 12 tasks were scored again from the released predictions, equal to two decimals",
        "yes, where `scores` is given predictions of the same tasks",
    ),
    (
        "LongAlpaca-7B-16k against Llama-2-7B-chat cut to 4k, L-Eval, wins over a judge's reference",
        "39.06 against 40.10 (n = 96)",
        "L-Eval's table of GPT-4 verdicts",
        "no: another judge and other questions; the two are one question apart",
    ),
    (
        "LongAlpaca-13B, RULER at 4k, 8k, 16k and 32k",
        "60.6, 57.0, 56.6, 43.6; effective length below 4k",
        "NVIDIA's RULER repository",
        f"{OTHER_MODEL}; samples here are generated from other texts",
    ),
    (
        "LongLoRA-7B-100k, RULER at 4k, 8k, 16k and 32k",
        "81.9, 80.4, 75.6, 65.1; effective length 8k",
        "NVIDIA's RULER repository",
        f"{OTHER_MODEL}; samples here are generated from other texts",
    ),
    (
        "LongAlpaca-13B, RULER's pass keys at 4k, 8k, 16k, 32k and 64k",
        "88.2, 88.0, 86.4, 82.4, 0",
        "NVIDIA's RULER repository",
        "no: its keys lie in other text; passing them hides the line before the last",
    ),
    (
        "LongLoRA's own pass keys, trials a length",
        "10",
        "LongLoRA's passkey script",
        "no: 10 of 10 has the interval 72 to 100 %; 50 of 50 has 93 to 100 %",
    ),
)


def make_part(folders: Folders) -> Part:
    """List what others have published; nothing of it depends on this run."""
    del folders
    return Part(
        "Published figures",
        "What others have measured of LongLoRA's models, for orientation. A figure may be set beside one of this run "
        "only where the last column says yes.",
        pd.DataFrame(ROWS, columns=COLUMNS),
    )
