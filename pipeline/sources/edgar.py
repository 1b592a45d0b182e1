"""Annual and quarterly reports of companies, from the SEC's EDGAR: the primary documents, with their inline XBRL.

Catalogue  https://www.sec.gov/search-filings/edgar-application-programming-interfaces: submissions of a company as
           JSON, the newest 1,000 in one file and the others in files that it names
Terms      https://www.sec.gov/about/webmaster-faq#developers and https://www.sec.gov/about/privacy-information: at most
           ten requests a second over all machines of a user, and a User-Agent with name and mail address
Rights     filings are public records; the companies' copyright of their text is not waived. Never for the public
"""

from collections.abc import Iterator
from typing import Any

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip

LICENCE = "LicenseRef-SEC-filing"
EVIDENCE = "https://www.sec.gov/about/privacy-information"
FORMS = ("10-K", "20-F", "10-Q", "10-K/A", "20-F/A", "10-Q/A", "40-F")


def find(
    *,
    companies: str,
    contact: str,
    forms: str = "10-K",
    years: str = "2019-2023",
    data: str = "https://data.sec.gov",
    site: str = "https://www.sec.gov",
    requests_per_second: float = 5.0,
) -> Iterator[Found]:
    """Yield the filings of companies, company by company, newest first.

    Args:
        companies: Tickers or CIK numbers, separated by commas.
        contact: Your name and mail address, which the SEC requires.
        forms: Forms to list, separated by commas: 10-K, 20-F, 10-Q.
        years: One year or two, like '2019-2023', of the end of the period.
        data: URL of the service of submissions.
        site: URL that filings are downloaded from.
        requests_per_second: To each of both, at most 10 together.

    Raises:
        InputError: A company or form is unknown, or the service cannot be reached, or refuses.
    """
    selected = forms.split(",")
    if "@" not in contact:
        raise InputError(
            "--contact",
            found=repr(contact),
            expected="name and mail address",
            fix="Give both, as in 'Jane Doe jane@example.org'.",
        )
    if unknown := [form for form in selected if form not in FORMS]:
        raise InputError("--forms", found=", ".join(unknown), expected=f"some of {', '.join(FORMS)}", fix="Use those.")
    service = Service(data, requests_per_second, contact)
    tickers = Service(site, requests_per_second, contact)
    first, _, last = years.partition("-")
    for number in resolve_companies([name.strip() for name in companies.split(",")], tickers):
        submissions = service.json(f"submissions/CIK{number:010d}.json")
        if submissions is None:
            raise InputError("--companies", found=f"CIK {number}", expected="a company", fix="Look it up at sec.gov.")
        for filing in iterate_filings(submissions, service):
            end = filing.get("reportDate") or filing.get("filingDate") or ""
            if filing.get("form") in selected and first <= end[:4] <= (last or first):
                yield filing_source(filing, end, number, submissions.get("name", ""), site.rstrip("/"))


def resolve_companies(names: list[str], service: Service) -> list[int]:
    """Return the CIK numbers of companies.

    Raises:
        InputError: A ticker is unknown.
    """
    if all(name.isdecimal() for name in names):
        return [int(name) for name in names]
    rows = (service.json("files/company_tickers.json") or {}).values()
    known = {str(row["ticker"]).upper(): int(row["cik_str"]) for row in rows}
    if unknown := [name for name in names if not name.isdecimal() and name.upper() not in known]:
        advice = "Look their CIK numbers up at sec.gov."
        raise InputError("--companies", found=", ".join(unknown), expected="tickers", fix=advice)
    return [int(name) if name.isdecimal() else known[name.upper()] for name in names]


def iterate_filings(submissions: dict[str, Any], service: Service) -> Iterator[dict[str, Any]]:
    """Yield the filings of a company, newest first; older ones are in further files with the same columns."""
    filings = submissions.get("filings", {})
    yield from rows_from_columns(filings.get("recent", {}))
    for older in filings.get("files", []):
        yield from rows_from_columns(service.json(f"submissions/{older['name']}") or {})


def rows_from_columns(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table that is stored as columns of equal length."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def filing_source(filing: dict[str, Any], end: str, number: int, company: str, site: str) -> Found:
    """Return the source of a filing, or the reason to skip it."""
    accession, document = filing.get("accessionNumber", ""), filing.get("primaryDocument", "")
    if not document or not accession:
        return Skip("no primary document")
    if not document.lower().endswith((".htm", ".html", ".txt")):
        return Skip("primary document of another format")
    return Source(
        url=f"{site}/Archives/edgar/data/{number}/{accession.replace('-', '')}/{document}",
        category="statement",
        licence=LICENCE,
        licence_evidence=EVIDENCE,
        id=f"edgar:{accession}",
        title=f"{company}: {filing['form']} for the period ended {end}",
        authors=[company] if company else [],
        date=end,
        language="en",
        media_type="text/plain" if document.lower().endswith(".txt") else "text/html",
        group=f"edgar:{number}",
    )
