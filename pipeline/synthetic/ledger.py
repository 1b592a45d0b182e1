"""The books of a made-up company: three years of statements that add up, in thousands."""

import random
from dataclasses import dataclass

YEARS = (2023, 2022, 2021)  # as columns stand
BASE_YEAR = 2020
NUM_SEGMENTS = 3


@dataclass(frozen=True)
class Line:
    """A line of a statement; a line without a key is a subheading.

    `is_negated` marks an amount that is shown with the opposite of its sign in XBRL, as payments are.
    """

    label: str
    key: str = ""
    concept: str = ""
    is_negated: bool = False
    is_total: bool = False


INCOME = (
    Line("Net revenue", "revenue", "Revenues"),
    Line("Cost of revenue", "cost", "CostOfRevenue"),
    Line("Gross profit", "gross", "GrossProfit", is_total=True),
    Line("Research and development", "research", "ResearchAndDevelopmentExpense"),
    Line("Selling, general and administrative", "selling", "SellingGeneralAndAdministrativeExpense"),
    Line("Operating income", "operating", "OperatingIncomeLoss", is_total=True),
    Line("Interest expense", "interest", "InterestExpense", is_negated=True),
    Line("Other income (expense), net", "other_income", "OtherNonoperatingIncomeExpense"),
    Line("Income before income taxes", "pretax", "IncomeLossBeforeIncomeTaxes", is_total=True),
    Line("Provision for income taxes", "tax", "IncomeTaxExpenseBenefit"),
    Line("Net income", "net", "NetIncomeLoss", is_total=True),
)
BALANCE = (
    Line("Assets"),
    Line("Cash and cash equivalents", "cash", "CashAndCashEquivalents"),
    Line("Accounts receivable, net", "receivables", "AccountsReceivableNetCurrent"),
    Line("Inventories", "inventories", "InventoryNet"),
    Line("Prepaid expenses and other current assets", "prepaid", "PrepaidExpenseAndOtherAssetsCurrent"),
    Line("Total current assets", "current_assets", "AssetsCurrent", is_total=True),
    Line("Property, plant and equipment, net", "property", "PropertyPlantAndEquipmentNet"),
    Line("Goodwill", "goodwill", "Goodwill"),
    Line("Intangible assets, net", "intangibles", "IntangibleAssetsNet"),
    Line("Total assets", "assets", "Assets", is_total=True),
    Line("Liabilities and equity"),
    Line("Accounts payable", "payables", "AccountsPayableCurrent"),
    Line("Accrued liabilities", "accrued", "AccruedLiabilitiesCurrent"),
    Line("Deferred revenue", "deferred", "DeferredRevenueCurrent"),
    Line("Total current liabilities", "current_liabilities", "LiabilitiesCurrent", is_total=True),
    Line("Long-term debt", "debt", "LongTermDebtNoncurrent"),
    Line("Total liabilities", "liabilities", "Liabilities", is_total=True),
    Line("Common stock and paid-in capital", "capital", "CommonStocksIncludingAdditionalPaidInCapital"),
    Line("Treasury stock", "treasury", "TreasuryStockValue", is_negated=True),
    Line("Retained earnings", "retained", "RetainedEarningsAccumulatedDeficit"),
    Line("Total equity", "equity", "StockholdersEquity", is_total=True),
    Line("Total liabilities and equity", "financing", "LiabilitiesAndStockholdersEquity", is_total=True),
)
CASH_FLOW = (
    Line("Operating activities"),
    Line("Net income for the year", "net", "ProfitLoss"),
    Line("Depreciation and amortization", "depreciation", "DepreciationDepletionAndAmortization"),
    Line("Stock-based compensation", "awards", "ShareBasedCompensation"),
    Line("Change in accounts receivable", "d_receivables", "IncreaseDecreaseInAccountsReceivable", is_negated=True),
    Line("Change in inventories", "d_inventories", "IncreaseDecreaseInInventories", is_negated=True),
    Line("Change in prepaid expenses", "d_prepaid", "IncreaseDecreaseInPrepaidExpense", is_negated=True),
    Line("Change in accounts payable", "d_payables", "IncreaseDecreaseInAccountsPayable"),
    Line("Change in accrued liabilities", "d_accrued", "IncreaseDecreaseInAccruedLiabilities"),
    Line("Change in deferred revenue", "d_deferred", "IncreaseDecreaseInDeferredRevenue"),
    Line("Net cash from operating activities", "from_operating", "NetCashFromOperatingActivities", is_total=True),
    Line("Investing activities"),
    Line("Capital expenditures", "capital_spending", "PaymentsToAcquirePropertyPlantAndEquipment", is_negated=True),
    Line("Net cash used in investing activities", "from_investing", "NetCashFromInvestingActivities", is_total=True),
    Line("Financing activities"),
    Line("Proceeds from debt", "borrowed", "ProceedsFromIssuanceOfDebt"),
    Line("Repayment of debt", "repaid", "RepaymentsOfDebt", is_negated=True),
    Line("Dividends paid", "dividends", "PaymentsOfDividends", is_negated=True),
    Line("Repurchases of common stock", "bought_back", "PaymentsForRepurchaseOfCommonStock", is_negated=True),
    Line("Net cash used in financing activities", "from_financing", "NetCashFromFinancingActivities", is_total=True),
    Line("Change in cash", "d_cash", "CashPeriodIncreaseDecrease", is_total=True),
    Line("Cash at beginning of year", "opening_cash", "CashAtBeginningOfPeriod"),
    Line("Cash at end of year", "closing_cash", "CashAtEndOfPeriod", is_total=True),
)
WORKING_CAPITAL = {  # share of revenue, and whether more of it takes cash
    "receivables": (0.16, True), "inventories": (0.13, True), "prepaid": (0.03, True),
    "payables": (0.09, False), "accrued": (0.07, False), "deferred": (0.05, False),
}  # fmt: skip
CASH_FLOW_PARTS = [
    "net",
    "depreciation",
    "awards",
    "d_receivables",
    "d_inventories",
    "d_prepaid",
    "d_payables",
    "d_accrued",
    "d_deferred",
]

Ledger = dict[tuple[str, int], int]  # by key and year; amounts with the sign that is shown


def make_ledger(rng: random.Random) -> Ledger:
    """Keep the books from the base year on."""
    books: Ledger = {}
    open_books(books, rng)
    for year in reversed(YEARS):
        book_sales(books, rng, year)
        book_income(books, rng, year)
        book_cash(books, rng, year)
        close_books(books, year)
    return books


def open_books(books: Ledger, rng: random.Random) -> None:
    """Set up the base year; earnings retained until then are what makes it balance."""
    for k in range(NUM_SEGMENTS):
        books[f"sales{k}", BASE_YEAR] = rng.randrange(140_000, 820_000)
    revenue = sum(books[f"sales{k}", BASE_YEAR] for k in range(NUM_SEGMENTS))
    shares = {"cash": 0.15, "property": 0.35, "goodwill": 0.12, "intangibles": 0.1, "debt": 0.2, "capital": 0.18}
    for key, share in shares.items():
        books[key, BASE_YEAR] = round(revenue * share * rng.uniform(0.85, 1.15))
    for key, (share, _) in WORKING_CAPITAL.items():
        books[key, BASE_YEAR] = round(revenue * share * rng.uniform(0.9, 1.1))
    books["treasury", BASE_YEAR] = -round(revenue * 0.04)
    books["shares", BASE_YEAR] = rng.randrange(31_000, 88_000)
    books["retained", BASE_YEAR] = 0
    close_books(books, BASE_YEAR)
    books["retained", BASE_YEAR] = books["assets", BASE_YEAR] - books["financing", BASE_YEAR]
    close_books(books, BASE_YEAR)


def book_sales(books: Ledger, rng: random.Random, year: int) -> None:
    """Let each segment grow or shrink."""
    for k in range(NUM_SEGMENTS):
        books[f"sales{k}", year] = round(books[f"sales{k}", year - 1] * (1 + rng.gauss(0.05, 0.08)))
    books["revenue", year] = sum(books[f"sales{k}", year] for k in range(NUM_SEGMENTS))


def book_income(books: Ledger, rng: random.Random, year: int) -> None:
    """Book the income statement and divide operating income over segments and head office."""
    revenue = books["revenue", year]
    books["cost", year] = round(revenue * rng.uniform(0.54, 0.60))
    books["gross", year] = revenue - books["cost", year]
    books["research", year] = round(revenue * rng.uniform(0.06, 0.09))
    books["selling", year] = round(revenue * rng.uniform(0.16, 0.20))
    books["operating", year] = books["gross", year] - books["research", year] - books["selling", year]
    margin = books["operating", year] / revenue
    for k in range(NUM_SEGMENTS):
        books[f"profit{k}", year] = round(books[f"sales{k}", year] * (margin + rng.uniform(0.01, 0.05)))
    books["head_office", year] = books["operating", year] - sum(books[f"profit{k}", year] for k in range(NUM_SEGMENTS))
    books["interest", year] = -round(books["debt", year - 1] * 0.047)
    books["other_income", year] = rng.randrange(-6_000, 6_000)
    books["pretax", year] = sum(books[key, year] for key in ("operating", "interest", "other_income"))
    books["tax", year] = round(max(0, books["pretax", year]) * rng.uniform(0.19, 0.25))
    books["net", year] = books["pretax", year] - books["tax", year]


def book_cash(books: Ledger, rng: random.Random, year: int) -> None:
    """Book the cash flows and what they change in the balance sheet."""
    revenue, net = books["revenue", year], books["net", year]
    for key, (share, takes_cash) in WORKING_CAPITAL.items():
        books[key, year] = round(revenue * share * rng.uniform(0.92, 1.08))
        change = books[key, year] - books[key, year - 1]
        books[f"d_{key}", year] = -change if takes_cash else change
    wear, amortised = round(books["property", year - 1] * 0.11), round(books["intangibles", year - 1] * 0.12)
    books["depreciation", year] = wear + amortised
    books["awards", year] = round(revenue * 0.012)
    books["capital_spending", year] = -round(wear * rng.uniform(0.95, 1.35))
    books["borrowed", year] = rng.randrange(10, 60) * 1_000
    books["repaid", year] = -rng.randrange(10, 60) * 1_000
    books["dividends", year] = -round(max(0, net) * rng.uniform(0.2, 0.35))
    books["bought_back", year] = -round(max(0, net) * rng.uniform(0.1, 0.25))
    books["from_operating", year] = sum(books[key, year] for key in CASH_FLOW_PARTS)
    books["from_investing", year] = books["capital_spending", year]
    books["from_financing", year] = sum(books[key, year] for key in ("borrowed", "repaid", "dividends", "bought_back"))
    flows = ("from_operating", "from_investing", "from_financing")
    books["d_cash", year] = sum(books[key, year] for key in flows)
    books["opening_cash", year] = books["cash", year - 1]
    books["cash", year] = books["closing_cash", year] = books["opening_cash", year] + books["d_cash", year]
    books["property", year] = books["property", year - 1] - wear - books["capital_spending", year]
    books["intangibles", year] = books["intangibles", year - 1] - amortised
    books["goodwill", year] = books["goodwill", year - 1]
    books["debt", year] = books["debt", year - 1] + books["borrowed", year] + books["repaid", year]
    books["capital", year] = books["capital", year - 1] + books["awards", year]
    books["treasury", year] = books["treasury", year - 1] + books["bought_back", year]
    books["retained", year] = books["retained", year - 1] + net + books["dividends", year]
    books["shares", year] = books["shares", year - 1] - rng.randrange(50, 400)


def close_books(books: Ledger, year: int) -> None:
    """Add the balance sheet up."""

    def total(key: str, *parts: str) -> None:
        books[key, year] = sum(books[part, year] for part in parts)

    total("current_assets", "cash", "receivables", "inventories", "prepaid")
    total("assets", "current_assets", "property", "goodwill", "intangibles")
    total("current_liabilities", "payables", "accrued", "deferred")
    total("liabilities", "current_liabilities", "debt")
    total("equity", "capital", "treasury", "retained")
    total("financing", "liabilities", "equity")
