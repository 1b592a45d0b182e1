"""Reports of the United States government, from the Government Publishing Office.

Catalogue  https://api.govinfo.gov/docs and https://github.com/usgpo/api: packages of a collection by date of issue,
           pages linked by nextPage; a key of https://api.data.gov is needed (GOVINFO_API_KEY), 1,000 requests an hour
Files      https://www.govinfo.gov/link-docs: by the identifier of the package, without a key
Terms      https://www.govinfo.gov/about/policies: anyone may read and use what is there
Rights     works of the government have no copyright in the United States (17 U.S.C. 105); what others wrote in them may
"""

import os
from collections.abc import Iterator
from typing import Any

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip

PAGE_SIZE = 100
EVIDENCE = "work of the United States government: 17 U.S.C. 105"


def find(
    *,
    collection: str,
    years: str,
    api: str = "https://api.govinfo.gov",
    site: str = "https://www.govinfo.gov",
    requests_per_second: float = 0.25,
) -> Iterator[Found]:
    """Yield the packages of a collection, in the order of the service.

    Args:
        collection: Its code: ERP (Economic Report of the President), BUDGET, GAOREPORTS, CRPT (reports of committees).
        years: One year or two, like '2012-2023', of issue.
        api: URL of the API.
        site: URL that reports are downloaded from.
        requests_per_second: To the API.

    Raises:
        InputError: There is no key, or the service cannot be reached, or refuses.
    """
    key = os.environ.get("GOVINFO_API_KEY", "")
    if not key:
        advice = "Ask for a key at https://api.data.gov/signup and export it."
        raise InputError("GOVINFO_API_KEY", found="''", expected="a key", fix=advice)
    service = Service(api, requests_per_second, headers={"X-Api-Key": key})
    first, _, last = years.partition("-")
    page = f"published/{first}-01-01/{last or first}-12-31"
    params: dict[str, Any] | None = {"collection": collection, "pageSize": PAGE_SIZE, "offsetMark": "*"}
    while page:
        found = service.json(page, params) or {}
        for package in found.get("packages", []):
            yield package_source(package, site.rstrip("/"))
        page, params = found.get("nextPage") or "", None


def package_source(package: dict[str, Any], site: str) -> Found:
    """Return the source of a package, or the reason to skip it."""
    number, title = package.get("packageId", ""), package.get("title", "")
    if not number or not title:
        return Skip("no identifier or title")
    return Source(
        url=f"{site}/content/pkg/{number}/pdf/{number}.pdf",
        category="report",
        licence="LicenseRef-public-domain",
        licence_evidence=EVIDENCE,
        id=f"govinfo:{number}",
        title=" ".join(title.split()),
        date=package.get("dateIssued", "")[:10],
        language="en",
        media_type="application/pdf",
    )
