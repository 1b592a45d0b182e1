"""Reports of the World Bank, from its Open Knowledge Repository.

Catalogue  https://openknowledge.worldbank.org/server/api: a DSpace 7 repository, whose contract is at
           https://github.com/DSpace/RestContract (search-endpoint.md, bundles.md, bitstreams.md)
Terms      https://openknowledge.worldbank.org/pages/terms-of-use: what the Bank publishes there is mostly CC BY 3.0
           IGO; each item names its licence in dc.rights or dc.rights.uri
"""

from collections.abc import Iterator
from typing import Any

from pipeline.downloads.sources_file import Source
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip
from pipeline.sources.spdx import OPEN, spdx_identifier

PAGE_SIZE = 100
LANGUAGES = {"english": "en", "french": "fr", "spanish": "es", "portuguese": "pt", "russian": "ru", "arabic": "ar"}


def find(
    *,
    query: str = "",
    collection: str = "",
    years: str = "",
    language: str = "en",
    licences: str = ",".join(OPEN),
    api: str = "https://openknowledge.worldbank.org/server/api",
    requests_per_second: float = 2.0,
) -> Iterator[Found]:
    """Yield the reports that a search finds, by their date of issue.

    Args:
        query: Words to search for.
        collection: The identifier of a collection or community: a series.
        years: One year or two, like '2012-2023'.
        language: ISO 639-1 code of the only language to list.
        licences: SPDX identifiers that are listed, separated by commas; 'any' lists every report.
        api: URL of the API.
        requests_per_second: To the service.

    Raises:
        InputError: The service cannot be reached, or refuses.
    """
    service = Service(api, requests_per_second)
    params = {"query": query, "dsoType": "item", "sort": "dc.date.issued,ASC", "size": PAGE_SIZE}
    params |= {"scope": collection} if collection else {}
    first, _, last = years.partition("-")
    page, num_pages = 0, 1
    while page < num_pages:
        found = service.json("discover/search/objects", {**params, "page": page})
        result = (found or {}).get("_embedded", {}).get("searchResult", {})
        num_pages = result.get("page", {}).get("totalPages", 0)
        for hit in result.get("_embedded", {}).get("objects", []):
            item = hit.get("_embedded", {}).get("indexableObject", {})
            if not years or first <= metadata_value(item, "dc.date.issued")[:4] <= (last or first):
                yield item_source(item, service, licences.split(","), language)
        page += 1


def item_source(item: dict[str, Any], service: Service, licences: list[str], language: str) -> Found:
    """Return the source of an item, or the reason to skip it."""
    statement = metadata_value(item, "dc.rights.uri") or metadata_value(item, "dc.rights")
    licence = spdx_identifier(statement)
    if licences != ["any"] and licence not in licences:
        return Skip("other licence" if statement else "no licence")
    spoken = metadata_value(item, "dc.language.iso") or metadata_value(item, "dc.language")
    if language_code(spoken) not in ("", language):
        return Skip("other language")
    pdf = largest_pdf(item, service)
    if pdf is None:
        return Skip("no PDF")
    return Source(
        url=pdf["_links"]["content"]["href"],
        category="report",
        licence=licence,
        licence_evidence=statement,
        id=f"worldbank:{item.get('handle') or item.get('uuid')}",
        title=" ".join(item.get("name", "").split()),
        authors=[each["value"] for each in item.get("metadata", {}).get("dc.contributor.author", [])],
        date=well_formed_date(metadata_value(item, "dc.date.issued")),
        language=language_code(spoken) or language,
        media_type="application/pdf",
        size=pdf.get("sizeBytes"),
    )


def largest_pdf(item: dict[str, Any], service: Service) -> dict[str, Any] | None:
    """Return the largest PDF among an item's own files; other bundles have thumbnails and extracted text."""
    bundles = service.json(f"core/items/{item['uuid']}/bundles", {"embed": "bitstreams", "size": PAGE_SIZE}) or {}
    pdfs = [
        file
        for bundle in bundles.get("_embedded", {}).get("bundles", [])
        if bundle.get("name") == "ORIGINAL"
        for file in bundle.get("_embedded", {}).get("bitstreams", {}).get("_embedded", {}).get("bitstreams", [])
        if file.get("name", "").lower().endswith(".pdf")
    ]
    return max(pdfs, key=lambda file: (file.get("sizeBytes") or 0, file["name"]), default=None)


def metadata_value(item: dict[str, Any], key: str) -> str:
    """Return the first value of a metadata field, '' without one."""
    values = item.get("metadata", {}).get(key) or [{}]
    return str(values[0].get("value") or "").strip()


def language_code(spoken: str) -> str:
    """Return the ISO 639-1 code of 'en_US', 'en' or 'English', '' for any other word."""
    return LANGUAGES.get(spoken.lower(), spoken[:2].lower() if len(spoken) in (2, 5) else "")


def well_formed_date(issued: str) -> str:
    """Return the well-formed beginning of a date."""
    parts = issued[:10].split("-")
    return "-".join(parts[: 1 + all(len(part) == 2 for part in parts[1:]) * 2]) if len(parts[0]) == 4 else ""
