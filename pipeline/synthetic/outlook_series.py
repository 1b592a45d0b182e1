"""The figures behind twelve yearly outlooks: what came to pass, and what each report estimated and forecast before."""

import random
from dataclasses import dataclass

from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.names import Names

FIRST_YEAR, LAST_YEAR = 2006, 2026
REGIONS = ("Northern Rim", "Inner Sea", "Highlands", "Southern Isles")
ECONOMIES_PER_REGION = 6
SPREAD = (0.3, 0.9, 1.3)  # standard deviation of what a report says of its own year and of the two after it


@dataclass(frozen=True)
class World:
    """Economies by region, and their figures by economy and year; percent, with one decimal."""

    institution: str
    regions: dict[str, list[str]]
    growth: dict[tuple[str, int], float]  # final
    inflation: dict[tuple[str, int], float]
    debt: dict[tuple[str, int], float]
    said: dict[tuple[str, int, int], float]  # growth by economy, report and year

    @property
    def economies(self) -> list[str]:
        """All economies in the order of the tables."""
        return [economy for region in self.regions.values() for economy in region]

    def outlook(self, economy: str, report: int) -> list[float]:
        """Return what the table of a report shows: a final figure, an estimate and two forecasts."""
        return [self.growth[economy, report - 1], *(self.said[economy, report, report + k] for k in range(3))]


def make_world(seed: int) -> World:
    """Make up the economies and their figures."""
    rng = random_for(seed, "outlook")
    names = Names(rng)
    regions = {region: sorted(names.land() for _ in range(ECONOMIES_PER_REGION)) for region in REGIONS}
    world = World(f"{names.place()} Institute of Development", regions, {}, {}, {}, {})
    for economy in world.economies:
        draw_series(world, economy, rng)
    return world


def draw_series(world: World, economy: str, rng: random.Random) -> None:
    """Draw one economy: growth and inflation return to a level of their own, debt follows from growth."""
    level, price = rng.uniform(1.8, 6.2), rng.uniform(1.5, 8.0)
    debt = rng.uniform(28, 75)
    for year in range(FIRST_YEAR, LAST_YEAR):
        slump = rng.uniform(3, 8) if rng.random() < 0.07 else 0.0
        growth = round(rng.gauss(level, 1.4) - slump, 1)
        debt = max(12.0, debt + rng.gauss(0.4, 2.0) - 0.3 * (growth - level))
        world.growth[economy, year] = growth
        world.inflation[economy, year] = round(max(0.1, rng.gauss(price, 1.1)), 1)
        world.debt[economy, year] = round(debt, 1)
    for report in range(FIRST_YEAR, LAST_YEAR - 2):
        for ahead, spread in enumerate(SPREAD):
            year = report + ahead
            world.said[economy, report, year] = round(
                world.growth[economy, year] * 0.8 + 0.2 * level + rng.gauss(0, spread), 1
            )


def mean(values: list[float]) -> float:
    """Return the unweighted mean, with one decimal."""
    return round(sum(values) / len(values), 1)


def percent(value: float) -> str:
    """Show a figure as tables do."""
    return f"{value + 0.0:.1f}"
