"""The World Economic Outlooks of the International Monetary Fund, October issues 2012 to 2023.

Catalogue  https://www.imf.org/en/Publications/WEO: it has no API, so the addresses are in this file.
           They were written down from the publisher's pages and not tried; one that has moved is an entry with a reason
Terms      https://www.imf.org/external/terms.htm: files may be downloaded for personal, noncommercial use, without any
           right to resell, redistribute, compile or make derivative works. Never for a public dataset
"""

from collections.abc import Iterator

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.found import Found

LICENCE = "LicenseRef-IMF-terms"
TERMS = "https://www.imf.org/external/terms.htm"
OUTLOOKS = {
    **{year: f"external/pubs/ft/weo/{year}/02/pdf/text.pdf" for year in range(2012, 2017)},
    2017: "-/media/Files/Publications/WEO/2017/October/pdf/main-chapter/text.ashx",
    2018: "-/media/Files/Publications/WEO/2018/October/English/main-report/Text.ashx",
    **{year: f"-/media/Files/Publications/WEO/{year}/October/English/text.ashx" for year in range(2019, 2024)},
}


def find(*, years: str = "2012-2023", base: str = "https://www.imf.org") -> Iterator[Found]:
    """Yield the outlooks of some years, oldest first.

    Args:
        years: One year or two, like '2012-2023'.
        base: URL of the publisher's site.

    Raises:
        InputError: The list has none of these years.
    """
    first, _, last = years.partition("-")
    chosen = [year for year in OUTLOOKS if first <= str(year) <= (last or first)]
    if not chosen:
        advice = "Name others, or list the reports' addresses yourself: 'longalpaca find urls'."
        raise InputError("--years", found=years, expected=f"{min(OUTLOOKS)}-{max(OUTLOOKS)}", fix=advice)
    for year in chosen:
        yield Source(
            url=f"{base.rstrip('/')}/{OUTLOOKS[year]}",
            category="report",
            licence=LICENCE,
            licence_evidence=TERMS,
            id=f"imf:weo:{year}-10",
            title=f"World Economic Outlook, October {year}",
            authors=["International Monetary Fund"],
            date=f"{year}-10",
            language="en",
            media_type="application/pdf",
            group="imf:weo",
        )
