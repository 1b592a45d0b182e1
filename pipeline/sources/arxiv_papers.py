"""Papers of arXiv, by query, with the licence that their authors chose.

Catalogue  https://info.arxiv.org/help/api/user-manual.html, through the package `arxiv`; it does not tell licences,
           which https://info.arxiv.org/help/oa/index.html does (OAI-PMH, format arXiv), a request a paper
Terms      https://info.arxiv.org/help/api/tou.html: one request in three seconds, one connection; metadata is CC0,
           papers belong to their authors, and most may only be read
Files      https://info.arxiv.org/help/bulk_data.html: programs download from export.arxiv.org
"""

from collections.abc import Iterator

import arxiv

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip
from pipeline.sources.spdx import OPEN, spdx_identifier

OAI = "{http://www.openarchives.org/OAI/2.0/}"
RECORD = "{http://arxiv.org/OAI/arXiv/}"
PAGE_SIZE = 100


def find(
    *,
    query: str,
    licences: str = ",".join(OPEN),
    files: str = "source",
    api: str = "https://export.arxiv.org/api/query",
    oai: str = "https://oaipmh.arxiv.org/oai",
    download: str = "https://export.arxiv.org",
    delay_seconds: float = 3.0,
) -> Iterator[Found]:
    """Yield the papers that a query finds, newest first.

    Args:
        query: In arXiv's own terms: 'cat:cs.CL AND abs:attention AND submittedDate:[202301010000 TO 202312312359]'.
        licences: SPDX identifiers that are listed, separated by commas; 'any' lists every paper.
        files: 'source' for LaTeX where there is any, 'pdf' for the printed page.
        api: URL of the query service.
        oai: URL of the service that tells licences.
        download: URL that papers are downloaded from.
        delay_seconds: Between requests.

    Raises:
        InputError: A service cannot be reached, or refuses the query.
    """
    client = arxiv.Client(page_size=PAGE_SIZE, delay_seconds=delay_seconds, num_retries=4)
    client.query_url_format = f"{api}?{{}}"
    service = Service(oai, requests_per_second=1 / delay_seconds if delay_seconds else 1e6)
    search = arxiv.Search(query, max_results=None, sort_by=arxiv.SortCriterion.SubmittedDate)
    try:
        for result in client.results(search):
            yield paper_source(result, fetch_licence_url(result, service, oai), licences.split(","), files, download)
    except (arxiv.ArxivError, OSError) as error:
        advice = "Fix the query, or try again later."
        raise InputError(api, found=" ".join(str(error).split()), expected="papers", fix=advice) from error


def fetch_licence_url(result: arxiv.Result, service: Service, oai: str) -> str:
    """Return the URL of the licence of a paper, '' without one."""
    number = result.get_short_id().rsplit("v", 1)[0]
    query = {"verb": "GetRecord", "identifier": f"oai:arXiv.org:{number}", "metadataPrefix": "arXiv"}
    root = service.xml(oai, query)
    return "" if root is None else root.findtext(f".//{RECORD}license", "").strip()


def paper_source(result: arxiv.Result, statement: str, licences: list[str], files: str, download: str) -> Found:
    """Return the source of a paper, or the reason to skip it."""
    licence = spdx_identifier(statement)
    if licences != ["any"] and licence not in licences:
        return Skip("other licence" if licence or statement else "no licence")
    number = result.get_short_id()  # with its version, which never changes
    place = "e-print" if files == "source" else "pdf"
    return Source(
        url=f"{download.rstrip('/')}/{place}/{number}",
        category="paper",
        licence=licence,
        licence_evidence=statement,
        id=f"arxiv:{number}",
        title=" ".join(result.title.split()),
        authors=[author.name for author in result.authors],
        date=result.published.date().isoformat(),
        media_type="" if files == "source" else "application/pdf",  # where there is no LaTeX, the source is the PDF
    )
