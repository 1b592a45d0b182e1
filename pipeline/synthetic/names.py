"""Made-up names of people, places and things, which no model can know."""

import random
from dataclasses import dataclass

from pipeline.synthetic.grammar import parse_rules

PARTS = """
women:
    Adrel | Bethune | Calinde | Dorsey | Elvane | Fennimar | Gisolde | Harrow | Imbrel | Jessamel | Kerrin | Lisbeta
    Mirrel | Nettaly | Odrine | Pellora | Quilla | Rosamend | Sefrine | Tamsell | Ursely | Verenne | Wilmott
    Ysolte | Zerrine | Brisa | Corvane | Delphe | Ottoline | Marwen
men:
    Aldrec | Barnaby | Corwell | Dunstel | Edrik | Fabrin | Garrow | Hobrin | Ivell | Jorrin | Kestrel | Lowick
    Morvan | Nathern | Osbrin | Perrin | Quennel | Rufford | Stellan | Tobrin | Ulver | Vastel | Wendric | Yarrol
    Zebren | Ambros | Caddoc | Dermid | Halvor | Piers
family:
    Ash | Bram | Cask | Dray | Eldri | Farrow | Gant | Hask | Inver | Jessop | Kett | Lark | Marrow | Nock | Orri
    Pell | Quarr | Rush | Sall | Tarn | Under | Varl | Wex | Yarl | Zell | Brock | Crane | Dunn | Flint | Grim
family_end:
    bourne | wick | ley | stead | mond | croft | ander | holt | nock | vale | sley | mere | path | gate | worth
place:
    Alder | Brack | Cald | Dree | Esk | Fen | Gorse | Hollow | Isen | Jarrow | Kell | Lorn | Merrow | Nether | Ouse
    Pike | Quern | Raven | Sarn | Thistle | Ulls | Vane | Withy | Yew
place_end:
    mouth | haven | wold | stow | fleet | bridge | combe | garth | thorpe | water | ness | rigg
land:
    Adr | Bel | Corv | Dram | Esk | Fal | Gav | Hest | Ilm | Jor | Kelm | Lodr | Marv | Neth | Orv | Pasc | Quor
    Resk | Sorv | Tarv | Urm | Vold | Wend | Yss | Zarr | Brond | Cassm | Delv | Ghest | Perv
land_end:
    avia | oria | enna | istra | anth | ovar | eland | umbria | aster | ione | esh | irra
coined:
    Alt | Brix | Cova | Dyno | Evra | Fenn | Gral | Hyl | Ixo | Jura | Kova | Lumen | Mara | Novel | Oric | Pral
    Quant | Reva | Strat | Tessel | Ultra | Verd | Wyn | Xeno | Yara | Zent
coined_end:
    ax | ent | ora | is | um | ex | ant | el | on | ar | eo | im
"""


@dataclass(frozen=True)
class Person:
    """A made-up person."""

    first: str
    last: str
    is_woman: bool

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def initials(self) -> str:
        """The name as a reference list gives it."""
        return f"{self.first[0]}. {self.last}"


class Names:
    """Names of one document or family of documents, none of which shares its first part with another."""

    def __init__(self, rng: random.Random) -> None:
        """Shuffle the parts."""
        self.rng = rng
        self.parts = parse_rules(PARTS)
        self.decks: dict[str, list[str]] = {}

    def draw(self, kind: str) -> str:
        """Return the next part of a kind; all are used before one comes again."""
        if not self.decks.get(kind):
            self.decks[kind] = self.rng.sample(self.parts[kind], len(self.parts[kind]))
        return self.decks[kind].pop()

    def person(self) -> Person:
        """Make up a person."""
        is_woman = self.rng.random() < 0.5
        first = self.draw("women") if is_woman else self.draw("men")
        return Person(first, self.draw("family") + self.rng.choice(self.parts["family_end"]), is_woman)

    def people(self, count: int) -> list[Person]:
        """Make up people with different names."""
        return [self.person() for _ in range(count)]

    def place(self) -> str:
        """Make up a town, a street or a house."""
        return self.draw("place") + self.rng.choice(self.parts["place_end"])

    def land(self) -> str:
        """Make up a country."""
        return self.draw("land") + self.rng.choice(self.parts["land_end"])

    def coined(self) -> str:
        """Make up a product, a method or a company's first word."""
        return self.draw("coined") + self.rng.choice(self.parts["coined_end"])


def slug(title: str) -> str:
    """Return a title as a file name."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
