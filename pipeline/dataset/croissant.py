"""Describe a dataset in Croissant (MLCommons), by which search engines and loaders know its files and fields.

Source  Croissant format specification 1.0, docs.mlcommons.org/croissant
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.dataset.card import MAIN, SPLITS, licences_of
from pipeline.files import hash_file, write_json
from pipeline.storage.parquet import MIXED_SCHEMA

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
CITATION = (
    "@inproceedings{chen2024longlora, title={LongLoRA: Efficient Fine-tuning of Long-Context Large Language Models}, "
    "author={Chen, Yukang and others}, booktitle={ICLR}, year={2024}}"
)
DESCRIPTIONS = {
    "instruction": "Wrapper, documents and question.",
    "output": "The answer.",
    "num_tokens": "Of instruction and output together.",
    "example_id": "What makes this example this example.",
    "task": "What was asked for.",
    "question": "Without any wrapper.",
    "answer": "Without any wrapper.",
    "teacher": "Who answered.",
    "prompt_version": "Of the task's wording.",
    "licence": "Of the documents, or of the short example.",
}


def write_croissant(path: Path, dataset: Path, report: Mapping[str, Any]) -> None:
    """Write the description of the files of a dataset."""
    resources = [resource for edition in report["editions"] for resource in resources_of(dataset, edition)]
    write_json(
        path,
        {
            "@context": CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": "LongAlpaca-12k",
            "description": "Questions about documents, with the words that carry the answers, and short ones.",
            "license": licences_of(report),
            "version": "1.0.0",
            "citeAs": CITATION,
            "inLanguage": "en",
            "distribution": resources,
            "recordSet": [record_set(edition, split) for edition in report["editions"] for split in SPLITS],
        },
    )


def resources_of(dataset: Path, edition: str) -> list[dict[str, Any]]:
    """Return the sets of files that the splits of an edition are, and the edition's JSON."""
    folder = "" if edition == MAIN else f"{edition}/"
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"{edition}-{split}",
            "name": f"{edition}-{split}",
            "includes": f"{folder}{split}-*.parquet",
            "encodingFormat": "application/x-parquet",
        }
        for split in SPLITS
    ]
    return [*sets, file_object(dataset, f"LongAlpaca-{edition}.json")]


def file_object(dataset: Path, name: str) -> dict[str, Any]:
    """Return the description of one file."""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{(dataset / name).stat().st_size} B",
        "encodingFormat": "application/json",
        "sha256": hash_file(dataset / name),
    }


def record_set(edition: str, split: str) -> dict[str, Any]:
    """Return the description of the rows of one split: the columns that are not lists."""
    name = f"{edition}-{split}-rows"
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "description": description,
            "dataType": "sc:Integer" if MIXED_SCHEMA.field(column).type == pa.int64() else "sc:Text",
            "source": {"fileSet": {"@id": f"{edition}-{split}"}, "extract": {"column": column}},
        }
        for column, description in DESCRIPTIONS.items()
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}
