"""How a novel tells: sentences for each part of a scene.

`{A}` is the one whom the scene follows, with `{he}`, `{him}` and `{his}`; `{B}` is the one whom {A} meets, with
`{bhe}`, `{bhim}` and `{bhis}`; `{town}` is where the book plays and `{object}` what everybody looks for.
"""

SCENES = """
opening:
    On {day}, towards {hour}, {A} came to {place} with {weather} in {his} face.
    It was {hour} when {A} reached {place}, and {weather} had emptied the lane.
    There had been {weather} since {day}, and by {hour} even {place} stood deserted.
    {A} had slept badly, and {hour} found {him} walking past {place} with nothing in {his} pockets but a heel of
        bread.
    Nobody in {town} went to {place} at {hour} without a reason, and {A} had {number} of them.
    The {sky} sky over {land} promised {weather}, and {A} set out for {place} before it could keep its word.
    For {span} {A} had avoided {place}; on {day} {he} ran out of excuses.
    By {hour} the {folk} had gone home and {place} belonged to {A} and the cats.
    In {season} the days at {place} began late, and {A} was there before the shutters were down.
    What {A} remembered afterwards of that {day} was {sound}, and {weather} coming over {land}.
    The road to {place} was longer in {weather}, and {A} took it {adverb}.
    At {hour} a boy came running to say that {A} was wanted at {place}.
    {A} ate {food} standing up, put on the {colour} {clothing}, and went down to {place}.
    It took {A} until {hour} to find {place}, though {he} had been born within sight of it.
    After {span} of {weather}, the light over {land} came as a surprise to everybody at {place}.
describe:
    The {colour} door stood open, and a smell of {smell} came out to meet {him}.
    Against the wall leaned a {thing}, and beside it a {stuff} {vessel} that somebody had forgotten.
    From {land} came {sound}, now near, now far.
    A {thing} hung from a nail, so old that the {stuff} had gone the colour of {drink}.
    Somebody had pushed the {furniture} under the window and covered it with a {colour} cloth.
    {^number} {folk} sat on the step, {work}, and did not look up.
    Under the {sky} sky everything, even the {thing} by the door, looked rinsed.
    The whole place smelt of {smell} and, underneath, of {smell}.
    On the {furniture} lay {paper}, a {thing}, and the remains of {food}.
    The lamp had been turned down, and all that {he} could make out was a {stuff} {vessel} and the edge of a
        {furniture}.
    Two of the {folk} were {work}; a third only watched.
    A line of washing, {colour} and {colour}, hung from the eaves, and none of it moved.
    A calendar two years old was pinned above the {furniture}, with {day} ringed in red.
    The floor had been scrubbed for {season} and not since.
    A {stuff} lamp stood on the {seat}, and its flame leaned whenever anyone breathed.
    On the far side, where {land} began, somebody was burning leaves.
    The {folk} had hung their things on a row of pegs: a {clothing}, a {clothing}, and a hat for {weather}.
    Half of the {furniture} was given over to {food}, the other half to {paper}.
    The wall had been {colour} once, and before that, where the plaster was off, {colour}.
    One heard {sound} and, under it, if one listened, {sound}.
    Dust lay on the {furniture} as thick as felt, except where a {thing} had stood until lately.
    Through the window one saw {land}, and above it a sky that was {sky}.
    The {stuff} {vessel} on the sill had been mended in {number} places.
    Everything here was {colour}: the {furniture}, the {vessel}, even the {thing} on its hook.
    Behind the {furniture} somebody had chalked up what the {folk} owed, and nobody had rubbed it out.
    A dog lay across the threshold and had to be stepped over, like a {thing} left out in {weather}.
action:
    {A} set down the {vessel} {adverb} and wiped {his} hands on a {colour} cloth.
    {B} went on {work} as though there were all the time in the world.
    {A} took off the {clothing}, shook out the wet, and hung it over a {seat}.
    {B} pushed a plate of {food} across the {furniture} and waited.
    They drank {drink} from a {stuff} {cup} that had lost its handle.
    {A} turned the {thing} over in {his} hands, looking for a mark.
    For a while they heard only {sound}.
    {B} unlocked the {locker}, hesitated, and locked it again.
    {A} counted {number} steps, stopped, and went back for the {thing}.
    {B} looked towards {land}, where the light was going.
    Somewhere behind them a {vessel} fell, and neither of them moved.
    {A} leafed through {paper} and found nothing that {he} had not been told already.
    {B} lit a second lamp, trimmed the wick, and set it beside the {thing}.
    With one foot {A} moved the {thing} aside and sat down on the {seat}.
    {B} drew {bhis} {clothing} closer; the smell of {smell} seemed to come from the cloth itself.
    A child put its head round the door, saw {A}, and vanished.
    {A} copied {paper} line by line, because {he} trusted neither {his} memory nor anybody else's.
    {B} poured out more {drink} and spilled some of it on {paper}.
    {A} went out as far as the corner, looked back once, and saw that {B} had not moved.
    Outside, {number} {folk} went by, talking of {weather} and of nothing else.
    {B} took {number} coins from a {stuff} box and laid them in a row.
    {A} held {paper} up to the window, but the ink had faded to the colour of {drink}.
    It was {B} who found the {thing}, half buried, where the ground sloped towards {land}.
    {A} broke the seal with {his} thumb and read standing.
    They carried the {furniture} between them as far as {other_place}, resting {number} times.
    {B} shut the door on {weather} and leaned against it.
    {A} moved the lamp nearer and read the {number} lines again.
    {B} laughed, not unkindly, and went to see to the {food}.
    They searched the {locker} together and found {paper} and a {stuff} {cup}, wrapped in a {clothing}.
    {A} asked the {folk} the same question {number} times and was given {number} answers.
    {B} sat down on the {seat} and began to talk of {season}, as people do who mean to talk of something else.
    {A} measured the space behind the {furniture} with {his} arm; it was too small by a hand.
    Word had gone round, and {number} of the {folk} had found something to do near the door.
    {B} took a knife, cut the {food} into {number} pieces, and ate none of them.
    {A} stepped outside for air, and was met by {sound} and {weather}.
    {B} wrote something on the back of {paper}, folded it small, and put it into {bhis} {clothing}.
    {A} tried the key, first one way, then the other.
    A cart stopped outside, and both of them listened until it had gone on.
    {B} wrapped the {thing} in a {colour} cloth and tied it {number} times round.
    {A} went round the outside twice, towards {land} and back, and learned nothing by it.
    Neither of the {folk} would say whose {thing} it was, and {A} did not press them.
    {A} stood so long beside the {furniture} that {B} asked whether {he} was ill.
thought:
    It struck {A} that {B} had not once mentioned the {object}.
    {A} felt {feeling}, and was annoyed with {himself} for feeling it.
    There are people whose {virtue} is only another kind of pride, and {A} wondered whether {B} was one of them.
    {A} had been taught that {saying}; it was no help at all.
    If the {object} was in {town}, then somebody at {place} knew it, and if somebody knew, somebody would talk.
    {A}'s {kin} used to say that {saying}, and {A} had never understood it until that {day}.
    {A} thought of {land}, and of how small the {folk} looked when one saw them from there.
    What {he} felt was not {feeling}, quite, nor was it {feeling}, though it had something of both.
    It came to {A}, between one breath and the next, that {B} was afraid.
    One could live {span} on {virtue}, {A} thought, but not much longer.
    {A} would have given {number} good years for an hour of {feeling}.
    No one had told {A} to look for the {object}; that was why {he} could not stop.
    The more {A} learned, the less any of it weighed, like the {thing} that floats because it is hollow.
    {A} had come for an answer and would go home with a {thing}.
    It was not {feeling} that kept {A} there but {virtue}, which lasts longer and warms less.
    {A} made up {his} mind to say nothing, and was surprised at how much {feeling} there was in that.
    Perhaps, thought {A}, the {object} had never been lost, and only {town} had.
    {A} remembered being a child at {place}, and the smell of {smell}, and being sent home.
    {A} could not have said which was worse, {B}'s {virtue} or {his} own {feeling}.
    In {town} it was held that {saying}, and nobody had yet been found to argue.
    For the first time since {season} {A} thought of leaving, and the thought had {feeling} in it.
    {A} knew {B} to be {temper}; until then {he} had not known {bhim} to be {temper} as well.
    Somewhere in all this, {A} was sure, there was one plain sentence that nobody would say.
closing:
    When {A} left, the lamps at {place} were lit and a {thing} was being carried in from the wet.
    {A} walked home by way of {other_place}, and it was {hour} before {he} slept.
    Nothing more was said that {day}, and for {span} nothing was done.
    Behind {him} the door closed, and then, a moment later, so did the shutter.
    By {hour} there was nobody left at {place} but {B}, {work} in the dark.
    {A} did not look back, but {he} heard {sound} all the way to {land}.
    That night {A} dreamed of {land} and woke with {feeling} that lasted until {hour}.
    The {thing} stayed where it was, and for {span} nobody touched it.
    It was {span} before {A} saw {place} again.
    And {B}, who had meant to say it all evening, said nothing.
    {A} put out the lamp and sat on in the smell of {smell}.
    Above {land} the sky was {sky}, and {town} went to bed.
"""
TALK = """
exchange:
    “You have come about the {object},” said {B}. // “I have come about the {thing},” {A} said {adverb}. “The {object}
        can wait.”
    “Who was it that saw you at {other_place}?” asked {A}. // “Nobody sees anybody there in {weather},” said {B}.
        “That is what it
        is for.”
    “Sit down,” said {B}, “and help yourself to {food}.” // {A} took the {seat}. “I did not come to eat.” // “Nobody
        comes to
        eat. They have {drink} all the same.”
    “How long have you known about the {thing}?” {A} asked. // “Since {season},” {B} said {adverb}. “Or {span}
        before that, if guessing counts.”
    “My {kin} had a {thing} like that one,” said {B}. // “What became of it?” // “What becomes of any {thing}? It
        was lent,
        and it was not given back.”
    “Do you trust the {folk}?” // “I trust them to be {temper},” said {B}. “It is not the same thing.”
    “You look {temper},” {B} said. // “I walked from {other_place}.” // “That is no distance.” // “It is in
        {weather},” said {A}.
    “There is a price,” said {B}. // “Name it, then.” // {B} named {number} crowns and the {vessel}, and {A} laughed
        out loud.
    “What would you do with the {object}, if you had it?” asked {B}. // {A} considered. “Put it back.” // “The
        {folk} would not thank you.” // “No,” said {A}. “But I should sleep past {hour} for once.”
    “I cannot stay beyond {hour},” said {A}. // “You said that on {day},” said {B}, “and you stayed for {span}.”
    “They say that {saying},” said {B}. // “They say it because it rhymes with nothing,” said {A}.
    “Was it you who moved the {thing}?” // “It stood in front of the {furniture}.” // “It was evidence.” // “Then it
        was {temper} evidence,” {B} said {adverb}.
    “Give me until {day},” said {A}. // “And if {weather} comes before that?” // “Then give me until {weather} has
        gone.”
    “You were a {temper} child,” said {B}. // “I was a cold one. Nobody had thought of a {clothing}.”
    “Is it true, what they tell about {place}?” asked {A}. // “Which part?” // “The part with the {thing}.” // “That
        part,”
        said {B}, “is true. The rest is only likely.”
    “I have read {paper},” said {A}. // “Then you know as much as I do.” // “I know what is written. I want to know
        what was
        left out.”
    “Listen,” said {B}. // They listened to {sound}. // “I hear nothing to speak of,” said {A}. // “That is what I
        mean. At
        {hour} there used to be singing.”
    “You might have told me about the {vessel},” {A} said {adverb}. // “You might have asked on {day},” said {B}.
    “Take the {thing},” said {B}. “I have no use for it.” // “It must be worth {number} crowns.” // “That,” said
        {B}, “is why I have no use for it.”
    “What is the matter with the {folk} today?” // “{^weather},” said {B}. “And the {object}. Mostly the {object}.”
    “Have you ever been beyond {land}?” asked {A}. // “Once. My {kin} took me.” // “What is there?” // “The same as
        here,” said {B}, “and more {folk} who
        ask.”
    “I don't believe a word,” {A} said {adverb}. // “You believe {number} of them,” said {B}, “or you would have
        gone home.”
    “Were you afraid?” asked {A}. // “At {hour}, at {other_place}, with {weather} coming? I was too {temper} to be
        afraid.”
    “Promise me one thing,” {B} said {adverb}. // “Not before I have heard whether it has to do with the {object}.”
        // “Then I shall ask somebody less {temper}.”
    “Here is the {vessel} you lent me,” said {A}. // “I lent you a {stuff} one.” // “It was {stuff} when I had it.”
    “They will come for it,” {B} said. “On {day}, or the day after.” // “Let them come,” said {A}. “There is {food}
        enough.”
    “Your {kin} would be ashamed.” // “My {kin},” said {A}, “was ashamed of everything but the {furniture}.”
    “One of us has to go to {other_place},” said {A}. // “One of us,” said {B}, “has a bad knee, and it is worst on
        {day}.” //
        “Which knee was it {span} ago?”
    “So that is the end of the {object},” said {B}. // “It is the end of the {paper_word},” said {A}. “The rest
        begins on {day}.”
    “Do you remember {season}, when the {thing} was stolen?” // “It was not stolen,” said {B} {adverb}. “It was
        misunderstood.”
    “I should have sold the {furniture} and gone,” said {B}. // “Gone where?” asked {A}. // “That is why I have the
        {furniture} still.”
    “Nobody will speak to me at {other_place},” said {A}. // “Have you tried {virtue}?” // “I have tried {drink}. It
        comes to
        the same.”
paper_word:
    letter | reckoning | inquest | list | search | account | story | argument
    “Whose {thing} is that?” // “It belongs to the one who comes back for it.” // “And if nobody comes before
        {day}?” // “Then,”
        said {B}, “it will belong to the {folk}, and there will be {number} opinions.”
    “Close the door,” said {B}. “{^weather} gets into the {food}.” // {A} closed it {adverb}. “And into the bones?”
        // “That is
        its own affair.”
    “You were at {other_place} on {day},” said {A}. // “I was {work},” said {B}. “Ask the {folk}.” // “I did ask.
        They say the same,
        word for word, all {number} of them.”
    “What does one do with {feeling}?” {A} asked. // “One gives it {drink},” said {B}, “and a {seat} by the window.”
    “If I were {temper},” said {B}, “I should go to the council tomorrow.” // “And as you are?” // “As I am, I shall
        go on {day},
        when they have eaten.”
    “That is not the {vessel} that stood here in {season}.” // “You have an eye for {stuff},” {B} said {adverb}. //
        “I have an eye for
        dust. There is none under it.”
    “They will laugh at us at {other_place}.” // “They laughed at my {kin} for {span},” said {B}, “and then they
        borrowed money.”
    “Would you know the {object} if you saw it?” // “In the dark,” said {B}, “and with a {clothing} over my head.”
    “The trouble with {virtue},” said {B}, “is that one cannot lend it.” // “You might lend me the {thing} instead,”
        said {A}.
    “Read it to me again,” said {B}, “from the {paper_word} on.” // {A} read {adverb}, with {sound} for company. //
        “No,” said {B}. “There
        is a line gone.”
    “I met one of the {folk} on the road,” said {A}. // “Which?” // “The {temper} one.” // “They are all {temper},”
        said {B}, “in {weather}.”
    “You may sleep here,” said {B}. “The {seat} is hard, but it is dry.” // “I have slept on {number} worse.” //
        “And on a better one,
        once. I remember the {kin} who told me.”
    “Shall I tell you what I think?” asked {A}. // “If it is short. It is {hour} already.” // “I think the {object}
        never left
        {town}.”
    “What have you got under the {clothing}?” // “A {thing},” said {A}. // “I can see that it is a {thing}. I asked
        what you have got.”
    “It was my {kin} who began it,” {B} said {adverb}, “with {number} crowns and a {stuff} {cup}.” // “Began what?”
        // “The {paper_word}.
        There is always one in a family.”
    “Have you counted them?” // “Twice. There are {number}.” // “There were {number} in {season},” said {B}, and
        went back to {work}.
title:
    What was said at {place} | a matter of {number} coins | {weather} | {land} | the {colour} door | {hour}
    the road to {place} | {paper} | {feeling} | those who stayed | {sound} | a lamp at {place} | {span}
    nothing but {smell} | {day}, again | {work} | the price of a {thing} | the {folk} of {town}
"""
