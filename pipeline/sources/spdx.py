"""Map the licence names and URLs of catalogues to SPDX identifiers."""

import re

CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/licenses/(?P<kind>by(?:-nc)?(?:-sa|-nd)?)/(?P<version>\d\.\d)(?:/(?P<port>[a-z]{2,3}))?",
    re.I,
)
IN_WORDS = re.compile(
    r"\bCC[ -](?P<kind>BY(?:[ -]NC)?(?:[ -](?:SA|ND))?)[ -](?P<version>\d\.\d)(?:[ -](?P<port>IGO))?\b", re.I
)
DEDICATIONS = (
    (re.compile(r"creativecommons\.org/publicdomain/zero/1\.0|\bCC0\b", re.I), "CC0-1.0"),
    (re.compile(r"creativecommons\.org/publicdomain/mark/1\.0", re.I), "LicenseRef-public-domain"),
    (re.compile(r"arxiv\.org/licenses/nonexclusive-distrib", re.I), "LicenseRef-arXiv-nonexclusive"),
)
OPEN = (
    "CC0-1.0",
    "LicenseRef-public-domain",
    "CC-BY-4.0",
    "CC-BY-3.0",
    "CC-BY-3.0-IGO",
    "CC-BY-SA-4.0",
    "CC-BY-SA-3.0",
)


def spdx_identifier(statement: str) -> str:
    """Return the SPDX identifier of a licence given by URL or name, '' if unknown."""
    for pattern, identifier in DEDICATIONS:
        if pattern.search(statement):
            return identifier
    if found := CREATIVE_COMMONS.search(statement) or IN_WORDS.search(statement):
        kind = found["kind"].upper().replace(" ", "-")
        port = f"-{found['port'].upper()}" if (found["port"] or "").lower() == "igo" else ""
        return f"CC-{kind}-{found['version']}{port}"
    return ""
