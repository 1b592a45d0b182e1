"""Describe a dataset in Croissant (MLCommons), the format from which search engines and loaders learn files and fields.

Source  Croissant format specification 1.0, docs.mlcommons.org/croissant; mlcroissant builds and checks the description
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow as pa

from pipeline.dataset.card import MAIN, SPLITS, list_licences
from pipeline.files import hash_file, write_json
from pipeline.storage.parquet import MIXED_SCHEMA

CITATION = (
    "@inproceedings{chen2024longlora, title={LongLoRA: Efficient Fine-tuning of Long-Context Large Language Models}, "
    "author={Chen, Yukang and others}, booktitle={ICLR}, year={2024}}"
)
DESCRIPTIONS = {
    "instruction": "Wrapper, documents and question.",
    "output": "The answer.",
    "num_tokens": "Tokens of instruction and output together.",
    "example_id": "A content hash of task, question, answer and documents.",
    "task": "The kind of question.",
    "question": "The question without the wrapper.",
    "answer": "The answer.",
    "teacher": "Who answered: a model, rules, or people.",
    "prompt_version": "The version of the task's wording.",
    "licence": "The licence of the documents, or of the short example.",
}


def write_croissant(path: Path, dataset: Path, report: Mapping[str, Any]) -> None:
    """Write the description of the files of a dataset.

    Args:
        path: The file to write.
        dataset: The folder of the dataset's files.
        report: The report of `mix`.
    """
    editions = list(report["editions"])
    metadata = mlcroissant.Metadata(
        name="LongAlpaca-12k",
        description="Questions about documents, with the words that carry the answers, and short ones.",
        license=list_licences(report),
        version="1.0.0",
        cite_as=CITATION,
        in_language=["en"],
        distribution=[item for edition in editions for item in describe_files(dataset, edition)],
        record_sets=[describe_rows(edition, split) for edition in editions for split in SPLITS],
    )
    write_json(path, metadata.to_json())


def describe_files(dataset: Path, edition: str) -> list[mlcroissant.FileSet | mlcroissant.FileObject]:
    """Describe the Parquet files of an edition, a set per split, and its JSON file."""
    folder = "" if edition == MAIN else f"{edition}/"
    name = f"LongAlpaca-{edition}.json"
    sets = [
        mlcroissant.FileSet(
            id=f"{edition}-{split}",
            name=f"{edition}-{split}",
            includes=[f"{folder}{split}-*.parquet"],
            encoding_formats=["application/x-parquet"],
        )
        for split in SPLITS
    ]
    json_file = mlcroissant.FileObject(
        id=name,
        name=name,
        content_url=name,
        content_size=f"{(dataset / name).stat().st_size} B",
        encoding_formats=["application/json"],
        sha256=hash_file(dataset / name),
    )
    return [*sets, json_file]


def describe_rows(edition: str, split: str) -> mlcroissant.RecordSet:
    """Describe the rows of one split: the columns that are not lists."""
    name = f"{edition}-{split}-rows"
    fields = [
        mlcroissant.Field(
            id=f"{name}/{column}",
            name=column,
            description=description,
            data_types=[data_type(column)],
            source=mlcroissant.Source(file_set=f"{edition}-{split}", extract=mlcroissant.Extract(column=column)),
        )
        for column, description in DESCRIPTIONS.items()
    ]
    return mlcroissant.RecordSet(id=name, name=name, fields=fields)


def data_type(column: str) -> Any:
    """Return Croissant's type of a column of the dataset."""
    is_number = MIXED_SCHEMA.field(column).type == pa.int64()
    return mlcroissant.DataType.INTEGER if is_number else mlcroissant.DataType.TEXT
