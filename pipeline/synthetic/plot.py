"""What happens in a novel: the beats of its plot, and the small things that are told of each person once."""

PLOT = """
object:
    parish bell-clapper | silver measuring-cup | founder's seal | brass name-plate | old town charter
    bishop's clock-key | blue survey map
beat:
    The {object} of {town} was missed on a morning in {season}. It had stood in the vestry for longer than anyone
        could
        reckon, and nobody had looked at it twice; now that it was gone, there was not a {folk_one} in {town} who
        could
        not describe it down to the scratches.
    The council met, voted {number} crowns for whoever should bring the {object} back, and asked {A} to make
        inquiries,
        because {A} could read old hands and belonged to neither of the two families that were not on speaking terms.
    It was soon known that {C} had been seen near the vestry with a covered basket. {C} said that there had been
        washing
        in it. Nobody believed this but {A}, who had seen the washing.
    Then the letter came. It had no name under it and said only that the {object} was nearer than people thought, and
        that
        those who shouted loudest had the least right to it. {A} knew the paper; it was sold at one counter in {town}.
    A second search was made, of attics this time, and it brought to light a great many things that their owners had
        reported stolen in other years. It did not bring to light the {object}.
    {A} and {D} quarrelled. It began with the letter and ended, as quarrels in {town} do, with somebody's
        grandfather. For
        {span} they passed each other without a greeting, and the inquiry stood still.
    What set it going again was a small thing: the mud on the vestry step was not the mud of the lane. {A} scraped
        some of
        it into an envelope and carried it from one end of {town} to the other, until it matched.
    {E}, who had been ill since {season}, sent for {A} and told {him} that the {object} had been taken once before,
        forty
        years ago, and by whom, and that it had been put back without a word.
    On the night of the storm the whole town was out of doors, and so it came about that {A} found {F} alone at
        {other_place}
        with a lantern and a spade, not digging, only standing there.
    {F} owned to it in the end. It had not been for money. The {object} was to be sold by the council to pay for a
        road,
        and {F} had thought that a thing which is lost cannot be sold.
    The council heard the story behind closed doors. It was the shortest sitting that anyone could remember, and when
        the
        doors were opened the {object} lay on the table, and nobody asked how it had come there.
    So the road was not built, or not that year. {A} gave the {number} crowns to the school, made up the quarrel with
        {D},
        and went back to {his} own work, which had been waiting all the while and had not got any less.
folk_one:
    child | carter | widow | clerk
"""
ANSWERS = """
hiding:
    a hollow newel post | a tin of caraway seeds | the lining of an old hat | a clock that no longer went
    a jar of goose fat | the false bottom of a sewing box | a crack behind the third brick | an empty beehive
    a music stool | the belly of a stuffed pike
animal:
    a one-eyed goat | a jackdaw that could count | a deaf sheepdog | a grey parrot | a lame heron | a white mule
trade:
    a bookbinder | a piano tuner | a maker of barometers | a glove cutter | a bell founder | a well sinker
    a comb maker
    a grinder of lenses
instrument:
    the bassoon | the zither | the cornet | the viola | the concertina | the dulcimer
dish:
    jugged hare with quinces | nettle dumplings | smoked eel on toast | walnut pudding | buckwheat pancakes with plums
fear:
    moths | deep wells | being photographed | thunder in winter | church organs | left-handed strangers
town_far:
    Hesterlock | Orlingate | Vaskerry | Pellamoor | Dunvarrow | Tessimond
flower:
    foxgloves | yellow auriculas | sweet rocket | black hollyhocks | sea lavender | double snowdrops
debtor:
    an unpaid chimney-sweep | a travelling oculist | the organist's brother | a dealer in feathers | a retired umpire
gift:
    a pair of opera glasses | a barometer in a rosewood case | a silver thimble
    a walking stick with a compass in its knob
    a set of ivory dominoes | a cracked violin
reason:
    the bride's trunk had gone to the wrong station | the ring would not pass the knuckle | the parson had mumps
    nobody had thought to ask the bride | both fathers wanted the same chair
book_kind:
    a manual of bee-keeping | a treatise on drains | a railway guide | a cookery book without covers
    an atlas of the moon
"""
FACTS = """
{P} had hidden the spare key of the vestry in {answer}. || Where had {P} hidden the spare key of the vestry? || hiding
{P} was born in the year {answer}, in the flood summer. || In what year was {P} born? || year
In all those years {P} kept {answer} and was laughed at for it. || Which animal did {P} keep? || animal
Before coming to {town}, {P} had been {answer}. || What had {P} been before coming to {town}? || trade
At the harvest supper {P} played {answer}, badly and with great feeling. || What did {P} play at the harvest supper? || instrument
{P} would cross the street to be spared the sight of it: nothing frightened {P} so much as {answer}. || What frightened {P} more than anything else? || fear
The letter that {P} never answered had come from {answer}. || Where did the letter come from that {P} never answered? || town_far
On the grave of the old schoolmaster {P} planted {answer}. || What did {P} plant on the grave of the old schoolmaster? || flower
{P} owed exactly {answer}, and had written the sum inside a glove. || How much did {P} owe, by the sum written inside a glove? || 31..97 crowns
The wedding of {P} was put off because {answer}. || Why was the wedding of {P} put off? || reason
As a farewell {P} was given {answer}. || What was {P} given as a farewell? || gift
The only book that {P} had ever read to the end was {answer}. || What was the only book that {P} had ever read to the end? || book_kind
From the tower {P} had once counted {answer}, and nobody dared to count again. || How many did {P} once count from the tower? || 112..389 chimneys
Every year on the same evening {P} cooked {answer} and ate it alone. || What did {P} cook every year on the same evening? || dish
The dog that followed {P} everywhere answered to the name of {answer}. || What was the name of the dog that followed {P} everywhere? || dog
The first person to call on {P} after the fire was {answer}. || Who was the first to call on {P} after the fire? || debtor
For {answer} {P} had wound the town clock without once being late. || For how long had {P} wound the town clock? || 14..43 years
The scar on the left wrist of {P} came from {answer}. || What did the scar on {P}'s left wrist come from? || scar
When the bank failed, {P} lost {answer} and went on whistling. || How much did {P} lose when the bank failed? || 1200..8900 crowns
In the lottery {P} had drawn the number {answer} three years running. || Which number did {P} draw in the lottery three years running? || 401..986
What {P} had really wanted to become was {answer}. || What had {P} really wanted to become? || wish
The house of {P} was the one with {answer} over the door. || What was over the door of {P}'s house? || sign
{P} had walked the {answer} to the assizes in a single day. || How far had {P} walked to the assizes in a single day? || 21..48 miles
The password that {P} and the ferryman's daughter had agreed on was “{answer}”. || Which password had {P} and the ferryman's daughter agreed on? || password
Under the floor {P} found a box that held nothing but {answer}. || What did the box hold that {P} found under the floor? || floor_box
The doctor had forbidden {P} only one thing, and that was {answer}. || What had the doctor forbidden {P}? || forbidden
"""  # noqa: E501 - a fact a line
MORE_ANSWERS = """
year:
    1831 | 1834 | 1837 | 1839 | 1842 | 1846 | 1849 | 1851
dog:
    Verdict | Captain Plum | Thursday | Bailiff | Mustard | Old Sixpence
scar:
    a boiling kettle | a schoolroom slate | a mended window | a fox trap | a fencing lesson | a broken decanter
wish:
    a balloonist | a judge of horses | a surgeon | an actor in a touring company | a map engraver | a cantor
sign:
    a stone hedgehog | two crossed spoons | a gilded boot | a blind sundial | a whale's rib | a painted sunflower
password:
    nutmeg | seven swans | no rain in heaven | the tinker's Sunday | candle-end
floor_box:
    a child's milk teeth | forty brass buttons | a dried rose and a tram ticket | the feet of a chess set
    sealing wax
forbidden:
    radishes | singing before noon | cold baths | reading by candlelight | the company of lawyers
    climbing stairs twice
"""
