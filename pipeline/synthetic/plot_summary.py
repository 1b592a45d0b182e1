"""What is known of a novel beside its small facts: what happens in each beat of its plot, and why.

The lines of `BEATS` go with the beats of `plot.py`, one by one; the names in braces are those of the novel. In
`REASONS` and `PARTS` a number is that of a beat, from 0.
"""

BEATS = (
    "The {object} of {town}, which had stood in the vestry for longer than anyone could reckon, is missed one morning.",
    "The council votes a reward and asks {A} to make inquiries.",
    "{C} is suspected, having been seen near the vestry with a covered basket; only {A} believes that it held washing.",
    "A letter without a name says that the {object} is nearer than people think, and {A} knows the paper.",
    "A second search, of attics, brings to light many things that had been reported stolen, but not the {object}.",
    "{A} and {D} quarrel, and for a time the inquiry stands still.",
    "The mud on the vestry step sets it going again: {A} carries some of it through the town until it matches.",
    "{E}, who is ill, tells {A} that the {object} was taken once before, forty years ago, and put back without a word.",
    "On the night of the storm {A} finds {F} alone with a lantern and a spade.",
    "{F} owns to it in the end: the council was to sell the {object} to pay for a road, and what is lost cannot be"
    " sold.",
    "The council hears the story behind closed doors, and afterwards the {object} lies on the table.",
    "The road is not built; {A} gives the reward to the school, makes up the quarrel with {D}, and goes back to work.",
)
PARTS = (  # question, and the beats that the summary is made of
    ("Summarise the whole story of the {object}, from its loss to its return.", tuple(range(12))),
    (
        "How does the inquiry into the loss of the {object} begin? Sum up what happens until the letter comes.",
        (0, 1, 2, 3),
    ),
    ("Sum up what holds the inquiry of {A} up, and what sets it going again.", (4, 5, 6)),
    ("How is the matter of the {object} resolved? Summarise it from the night of the storm on.", (8, 9, 10, 11)),
)
REASONS = (  # question, answer, and the beats that give it
    (
        "Why was it {A} who was asked to make inquiries about the {object}?",
        "Because {A} could read old hands and belonged to neither of the two families that were not on speaking terms.",
        (1,),
    ),
    (
        "Why did people in {town} suspect {C}?",
        "Because {C} had been seen near the vestry with a covered basket. {C} said that there had been washing in it,"
        " but nobody except {A} believed this.",
        (2,),
    ),
    (
        "Why did {A} believe what {C} said about the basket?",
        "Because {A} had seen the washing that {C} said was in it.",
        (2,),
    ),
    (
        "Why did the inquiry of {A} stand still for a time?",
        "Because {A} and {D} quarrelled. It began with the letter, and they passed each other without a greeting.",
        (5,),
    ),
    (
        "Why did the mud on the vestry step help {A}?",
        "It was not the mud of the lane, so it had come from somewhere else: {A} carried some of it through the town"
        " until it matched.",
        (6,),
    ),
    (
        "Why did {F} take the {object}?",
        "It was not for money. The council was to sell the {object} to pay for a road, and {F} thought that a thing"
        " which is lost cannot be sold.",
        (9,),
    ),
    (
        "Why was no road built in the end, although the {object} came back?",
        "The road was to be paid for by selling the {object}, and {F} had taken it so that it could not be sold. The"
        " council heard the story behind closed doors, the {object} lay on the table, and so the road was not built.",
        (9, 10, 11),
    ),
)
