"""Lists of words that the checks look for, each in one place."""

from pipeline.checks.sentences import content_words

OPEN = """
a an and as because but if into nor onto or since than that the their whose which who while your our my its when
between among
"""
GENERIC = """
say says said tell told state stated mention mentioned describe described describes discuss discussed report reports
reported document documents text texts passage passages paper papers book books story article filing filings author
authors company companies section sections chapter page pages part parts thing things something anything everything
topic topics subject point points main important interesting information detail details fact facts data content
matter place happen happened happens explain explained give gives given find finds found does did do please know
people person persons man woman figure figures table tables case cases result results number numbers amount question
answer read reader writer outlook general overall
"""
LINE_ITEM = """
revenue sales margin income tax expense cost profit earnings cash asset liability debt inventory equity goodwill
dividend share interest depreciation amortization results consolidated overview fiscal total operating commitment
lease pension benefit statement balance sheet net foreign currency exchange general administrative selling research
quarter divestiture acquisition accounting pronouncement restructuring employee property plant receivable payable
hedge derivative loss charge impairment contingency litigation legal reserve
"""
NO_NAME = """
the a an of and for in inc co corp corporation company ltd plc llc form period ended annual report on k fiscal year
statement edition ebook project gutenberg
"""
PART = "table figure section chapter item note form part appendix equation exhibit page step algorithm"
EVERY = """
every everyone everything everybody everywhere all always any anyone anything anybody entirely completely wholly each
"""
NONE = "never none nobody nothing nowhere any no without neither nor"

OPEN_WORDS = frozenset(OPEN.split())  # an answer does not end with them
PARTS = frozenset(PART.split())  # of documents, which answers refer to by number
NO_NAMES = frozenset(NO_NAME.split())  # words of titles that name nobody
ABSOLUTE_GROUPS = (frozenset(EVERY.split()), frozenset(NONE.split()))  # words that claim the same
GENERIC_WORDS = frozenset(content_words(GENERIC))  # a question with no others names nothing
LINE_ITEMS = frozenset(content_words(LINE_ITEM))  # a heading with one names a quantity, not a part of a company
GENERIC_HEADINGS = frozenset(content_words("total change percent amount value item note page company"))
