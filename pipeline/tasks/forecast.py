"""Ask how a matter developed year by year over a series of reports, and what is forecast."""

from pipeline.passages.document_groups import in_series
from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="forecast",
    version="forecast-1",
    categories=("report", "statement"),
    related=in_series,
    asks_about="places",
    num_quotes=(3, 24),
    quotes_may_repeat=True,
    max_answer_characters=4_000,
    statements_joined_by="\n",
    prompt=(
        "These are reports of one series, oldest first. Ask for a summary of a matter year by year and for a forecast"
        " of the time after the last report. The answer has a line for each year, begun by the year, with what its"
        " report says; then a line begun by 'Forecast:' with what the last report expects, and a line on which way the"
        " line of years points and what speaks against going on so. There is a quote from each report."
    ),
    worked_examples=(
        WorkedExample(
            question="Describe the fishery year by year, and forecast the catch of 2024.",
            evidence=(
                (1, "The catch of 2021 was 400 crates."),
                (2, "2022 gave 450 crates."),
                (3, "In 2023 we landed 520 crates; we expect 550 next year, if the weir stays open."),
            ),
            statements=(
                ("2021: a catch of 400 crates.", (1,)),
                ("2022: 450 crates.", (2,)),
                ("2023: 520 crates.", (3,)),
                ("Forecast: the last report expects 550 crates.", (3,)),
                ("The catch has risen each year; that depends on the weir, which has to stay open.", (1, 2, 3)),
            ),
        ),
        WorkedExample(
            question="How did the reports judge the timber trade from year to year, and what comes next?",
            evidence=(
                (1, "Trade is brisk, and prices rise."),
                (2, "Prices have stood still since May."),
                (3, "The yards are full and prices fall; we see no turn before the autumn."),
            ),
            statements=(
                ("2018: brisk trade and rising prices.", (1,)),
                ("2019: prices stand still.", (2,)),
                ("2020: full yards and falling prices.", (3,)),
                ("Forecast: no turn before the autumn.", (3,)),
                (
                    "The trade has weakened each year, and no report points to a recovery.",
                    (1, 2, 3),
                ),
            ),
        ),
    ),
)
