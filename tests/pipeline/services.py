"""Services that finders ask, on a server of this machine, in the formats that their documentation describes.

Each `…_of(server, count)` sets up one with so many good entries among faulty ones, and its documents; it returns the
options by which the finder reaches it. The documentation is cited where the format is made.
"""

import csv
import io
import json

BUSY_AT = 2  # the request of each service that is answered by 429 with Retry-After: 0


def served(server, pages):
    """Answer by `pages(asked)`, which returns bytes or (bytes, status); once in between the service is busy."""
    seen = []

    def answer(asked):
        found = pages(asked)
        if found is None:
            asked.send(f"document {asked.handler.path}".encode() * 40, 200, {"ETag": f'"{asked.path}"'})
            return
        seen.append(asked.path)
        if len(seen) == BUSY_AT:
            asked.send(b"busy", 429, {"Retry-After": "0"})
            return
        body, status = found if isinstance(found, tuple) else (found, 200)
        asked.send(body, status)

    server.routes["*"] = answer
    server.route("/robots.txt", status=404)


def pdf_of(name):
    """Bytes that begin like a PDF, others for each name."""
    return b"%PDF-1.7 " + name.encode() * 60


def gutenberg_of(server, count):
    """https://www.gutenberg.org/ebooks/offline_catalogs.html: pg_catalog.csv and its columns."""
    columns = ("Text#", "Type", "Issued", "Title", "Language", "Authors", "Subjects", "LoCC", "Bookshelves")
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(columns)
    for number in range(1, count + 1):
        author = (
            "Brontë, Anne, 1820-1849; Doe, J., -1850 [Editor]"
            if number % 2
            else "Cicero, Marcus Tullius, 107 BCE-44 BCE"
        )
        rows.writerow(
            (number, "Text", "2001-01-01", f"A Book\nNumber {number}", "en; fr", author, "Fiction -- Seas", "PR", "")
        )
    for odd, author in enumerate(
        ("", "Anonymous", "Living, Author, 1950-", "Late, Author, 1900-1980", "Bad, Dates, 18x0-19y0")
    ):
        rows.writerow((count + 10 + odd, "Text", "2001-01-01", "Not free", "en", author, "", "", ""))
    rows.writerow((count + 20, "Sound", "2001-01-01", "A song", "en", "Old, Author, 1800-1850", "", "", ""))
    rows.writerow((count + 21, "Text", "2001-01-01", "Ein Buch", "de", "Old, Author, 1800-1850", "", "", ""))
    body = table.getvalue().encode()
    served(server, lambda asked: body if asked.path == "/pg_catalog.csv" else None)
    return {"author_died_before": 1956, "catalogue": f"{server.url}/pg_catalog.csv", "mirror": server.url}


def standard_ebooks_of(server, count):
    """https://specs.opds.io/opds-1.2: acquisition feeds, pages linked by rel="next"."""
    size = 100
    rights = "dedicated to the public domain via the terms of the CC0 1.0 Universal Public Domain Dedication"

    def entry(number):
        kind = number % 50
        epub = (
            ""
            if kind == 7
            else (
                f'<link rel="http://opds-spec.org/acquisition/open-access" type="application/epub+zip" '
                f'title="Advanced epub" href="/e/{number}_advanced.epub"/>'
                f'<link rel="http://opds-spec.org/acquisition/open-access" type="application/epub+zip" '
                f'title="Recommended compatible epub" length="90000" href="/e/{number}.epub"/>'
            )
        )
        return (
            f"<entry><id>https://example.org/ebooks/{number}</id><title>Book &amp; {number}</title>"
            f"<author><name>Author {number}</name></author><dc:issued>2015-01-02T03:04:05Z</dc:issued>"
            f"<dc:language>en-GB</dc:language><rights>{'' if kind == 8 else rights}</rights>{epub}"
            '<category scheme="https://example.org" term="Fiction"/></entry>'
        )

    total = count + 2 * (-(-count // 48) + 1)

    def pages(asked):
        if asked.path != "/feed":
            return None
        page = int(asked.query.get("page", 1))
        more = f'<link rel="next" href="/feed?page={page + 1}"/>' if page * size < total else ""
        entries = "".join(entry(number) for number in range((page - 1) * size, min(page * size, total)))
        return (
            '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/terms/"><title>All</title>'
            f"{more}{entries}</feed>"
        ).encode()

    served(server, pages)
    return {"feed": f"{server.url}/feed"}


def arxiv_of(server, count):
    """https://info.arxiv.org/help/api/user-manual.html (Atom, OpenSearch) and .../oa/index.html (OAI-PMH, arXiv)."""
    total = count + count // 5 + 2  # every sixth has a licence that is not open, or none

    def licence(number):
        if number % 6 == 5:
            return [
                "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
                "",
                "http://creativecommons.org/licenses/by-nc/4.0/",
            ][number // 6 % 3]
        return "http://creativecommons.org/licenses/by/4.0/"

    def entry(number):
        return (
            f"<entry><id>http://arxiv.org/abs/2301.{number:05d}v2</id><updated>2023-02-01T00:00:00Z</updated>"
            f"<published>2023-01-{1 + number % 28:02d}T00:00:00Z</published>"
            f"<title>On\n  {number} &lt; {number + 1}</title>"
            f"<summary>s</summary><author><name>Ann {number}</name></author><author><name>Bo</name></author>"
            '<arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.CL"/><category term="cs.CL"/>'
            f'<link title="pdf" href="http://arxiv.org/pdf/2301.{number:05d}v2" rel="related" type="application/pdf"/>'
            "</entry>"
        )

    def pages(asked):
        if asked.path == "/api/query":
            start, size = int(asked.query["start"]), int(asked.query["max_results"])
            entries = "".join(entry(number) for number in range(start, min(total, start + size)))
            return (
                '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/"><title>q</title>'
                f"<id>q</id><updated>2023-02-01T00:00:00Z</updated><o:totalResults>{total}</o:totalResults>"
                f"<o:startIndex>{start}</o:startIndex><o:itemsPerPage>{size}</o:itemsPerPage>{entries}</feed>"
            ).encode()
        if asked.path == "/oai":
            number = int(asked.query["identifier"].rsplit(".", 1)[1])
            element = f"<license>{licence(number)}</license>" if licence(number) else ""
            return (
                '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><GetRecord><record><metadata>'
                f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>2301.{number:05d}</id>{element}</arXiv>'
                "</metadata></record></GetRecord></OAI-PMH>"
            ).encode()
        return None

    served(server, pages)
    urls = {"api": f"{server.url}/api/query", "oai": f"{server.url}/oai", "download": server.url}
    return {"query": "cat:cs.CL", "delay_seconds": 0.0, **urls}


def note_of(forum, kind, content, number, licence="CC BY 4.0", **more):
    """https://docs.openreview.net/reference/api-v2/entities/note: fields of a note, values wrapped."""
    return {
        "id": f"{forum}{kind[:3]}{number}",
        "forum": forum,
        "replyto": forum,
        "number": number,
        "cdate": 1_700_000_000_000 + number,
        "mdate": 1_700_000_000_000 + number,
        "license": licence,
        "signatures": [f"V.cc/2024/Conference/Submission1/Reviewer_{'abcdefgh'[number % 8]}X{number}"],
        "readers": ["everyone"],
        "invitations": [f"V.cc/2024/Conference/Submission1/-/{kind}", "V.cc/2024/Conference/-/Edit"],
        "content": {name: {"value": value} for name, value in content.items()},
        **more,
    }


def openreview_of(server, count, replies=None, pdf=None, limit=1000):
    """https://docs.openreview.net/reference/api-v2/openapi-definition: /notes by invitation with details=replies."""

    def submission(number):
        forum, kind = f"forum{number:04d}", number % 40
        given = replies(number, forum) if replies else [note_of(forum, "Official_Review", {"summary": "s"}, 1)]
        return {
            "id": forum,
            "forum": forum,
            "number": number,
            "cdate": 1_690_000_000_000,
            "pdate": 1_705_000_000_000,
            "license": {37: "", 38: "CC BY-NC 4.0"}.get(kind, "CC BY 4.0"),
            "signatures": [f"V.cc/2024/Conference/Submission{number}/Authors"],
            "readers": ["everyone"],
            "invitations": ["V.cc/2024/Conference/-/Submission"],
            "content": {
                "title": {"value": f"Paper {number}"},
                "authors": {"value": [f"Ann {number}", "Bo"]},
                **({} if kind == 36 else {"pdf": {"value": f"/pdf/{number}.pdf"}}),
            },
            "details": {"replies": [] if kind == 39 else given},
        }

    total = count + 4 * (count // 36 + 1)
    notes = {each["id"]: each for each in (submission(number) for number in range(total))}

    def pages(asked):
        if asked.path == "/pdf":
            return pdf(asked.query["id"]) if pdf else pdf_of(asked.query["id"])
        if asked.path != "/notes":
            return None
        if "forum" in asked.query:
            note = dict(notes[asked.query["forum"]])
            replied = note.pop("details")["replies"]
            return json.dumps({"notes": [note, *replied], "count": 1 + len(replied)}).encode()
        if asked.query["invitation"] != "V.cc/2024/Conference/-/Submission":
            return json.dumps(
                {"name": "NotFoundError", "message": "The Invitation was not found", "status": 400}
            ).encode(), 400
        after, size = asked.query.get("after", ""), int(asked.query["limit"])
        found = [note for name, note in sorted(notes.items()) if name > after][: min(size, limit)]
        return json.dumps({"notes": found, "count": total}).encode()

    served(server, pages)
    return {"venue": "V.cc/2024/Conference", "api": server.url, "site": server.url}


def worldbank_of(server, count):
    """https://github.com/DSpace/RestContract: search-endpoint.md, bundles.md and bitstreams.md of DSpace 7."""
    total, size = count + 4 * (count // 36 + 1), 100

    def item(number):
        kind = number % 40
        rights = {36: [], 37: [{"value": "All rights reserved"}]}.get(
            kind, [{"value": "http://creativecommons.org/licenses/by/3.0/igo/"}]
        )
        metadata = {
            "dc.contributor.author": [{"value": "World Bank"}],
            "dc.date.issued": [{"value": f"20{12 + number % 12}-10-09"}],
            "dc.language": [{"value": "French" if kind == 38 else "English"}],
            "dc.rights.uri": rights,
        }
        return {"uuid": f"u{number:05d}", "handle": f"10986/{number}", "name": f"Report {number}", "metadata": metadata}

    def bundles(number):
        def file(name, size):
            links = {"content": {"href": f"{server.url}/server/api/core/bitstreams/{number}-{name}/content"}}
            return {"name": name, "sizeBytes": size, "_links": links}

        own = [] if number % 40 == 39 else [file("summary.pdf", 500), file("report.pdf", 5_000)]
        kinds = {"ORIGINAL": own, "TEXT": [file("report.pdf.txt", 9_000)], "THUMBNAIL": [file("cover.pdf", 90_000)]}
        listed = [
            {"name": name, "_embedded": {"bitstreams": {"_embedded": {"bitstreams": files}}}}
            for name, files in kinds.items()
        ]
        return {"_embedded": {"bundles": listed}}

    def pages(asked):
        if asked.path == "/server/api/discover/search/objects":
            page = int(asked.query["page"])
            hits = [
                {"_embedded": {"indexableObject": item(number)}}
                for number in range(page * size, min(total, (page + 1) * size))
            ]
            about = {"number": page, "size": size, "totalPages": -(-total // size), "totalElements": total}
            return json.dumps({"_embedded": {"searchResult": {"_embedded": {"objects": hits}, "page": about}}}).encode()
        if asked.path.endswith("/bundles"):
            return json.dumps(bundles(int(asked.path.split("/")[-2][1:]))).encode()
        if "/core/bitstreams/" in asked.path:
            return pdf_of(asked.path)
        return None

    served(server, pages)
    return {"api": f"{server.url}/server/api", "requests_per_second": 1e6}


def imf_of(server, count):
    """The publisher has no interface: only its files."""
    served(server, lambda asked: pdf_of(asked.path) if asked.path != "/robots.txt" else None)
    return {"base": server.url}


def govinfo_of(server, count):
    """https://api.govinfo.gov/docs: the published service, by pageSize, offsetMark and nextPage; a key in a header."""
    size, total = 100, count + 2

    def pages(asked):
        if asked.path.startswith("/content/"):
            return pdf_of(asked.path)
        if asked.headers.get("x-api-key") != "k" * 40:
            return json.dumps(
                {"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}}
            ).encode(), 403
        assert asked.path == "/published/2012-01-01/2023-12-31"
        start = 0 if asked.query["offsetMark"] == "*" else int(asked.query["offsetMark"])
        packages = [
            {
                "packageId": f"ERP-2012-{number}",
                "lastModified": "2023-01-01T00:00:00Z",
                "packageLink": f"{server.url}/packages/ERP-2012-{number}/summary",
                "docClass": "ERP",
                "title": "" if number in (5, 7) else f"Report {number}",
                "dateIssued": "2012-02-01",
            }
            for number in range(start, min(total, start + size))
        ]
        following = start + size
        mark = f"{server.url}{asked.path}?offsetMark={following}&pageSize={size}&collection=ERP"
        return json.dumps(
            {"count": total, "nextPage": mark if following < total else None, "packages": packages}
        ).encode()

    served(server, pages)
    return {
        "collection": "ERP",
        "years": "2012-2023",
        "api": server.url,
        "site": server.url,
        "requests_per_second": 1e6,
    }


def edgar_of(server, count):
    """https://www.sec.gov/search-filings/edgar-application-programming-interfaces: submissions by columns, in pages."""
    columns = ("accessionNumber", "filingDate", "reportDate", "form", "size", "isInlineXBRL", "primaryDocument")

    def filings(first, last):
        rows = []
        for number in range(first, last):
            kind = number % 40
            document = {37: "", 38: "scan.pdf"}.get(kind, f"x-{number}.htm")
            form = "8-K" if kind == 39 else ("10-K", "10-Q")[number % 2]
            rows.append((f"0000320193-22-{number:06d}", "2022-11-01", "2022-09-30", form, 9_000_000, 1, document))
        return {name: [row[place] for row in rows] for place, name in enumerate(columns)}

    total = count + 4 * (count // 36 + 1)

    def pages(asked):
        if "@" not in asked.headers["user-agent"]:
            return b"Your Request Originates from an Undeclared Automated Tool", 403
        if asked.path == "/files/company_tickers.json":
            return json.dumps({"0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."}}).encode()
        if asked.path == "/submissions/CIK0000320193.json":
            older = [{"name": "CIK0000320193-submissions-001.json", "filingCount": total - 100}]
            return json.dumps(
                {"cik": "320193", "name": "Apple Inc.", "filings": {"recent": filings(0, 100), "files": older}}
            ).encode()
        if asked.path == "/submissions/CIK0000320193-submissions-001.json":
            return json.dumps(filings(100, total)).encode()
        if asked.path.startswith("/submissions/"):
            return b"no such key", 404
        return None

    served(server, pages)
    rest = {"forms": "10-K,10-Q", "contact": "Ann Example ann@example.org", "requests_per_second": 1e6}
    return {"companies": "AAPL", "data": server.url, "site": server.url, **rest}


SERVICES = {
    "gutenberg": gutenberg_of,
    "standard-ebooks": standard_ebooks_of,
    "arxiv": arxiv_of,
    "openreview": openreview_of,
    "worldbank": worldbank_of,
    "imf": imf_of,
    "govinfo": govinfo_of,
    "edgar": edgar_of,
}
