"""How a paper says things: sentences for its sections, and facts about how the work was done.

`{M}` is the method, `{D}` the main data set, `{B}` the strongest baseline; the rest comes from the topic or below.
"""

PAPER = """
hedge:
    to our knowledge | as far as we can tell | in our experience | with few exceptions | by and large | in principle
part:
    the {signal} encoder | the gating unit | the calibration layer | the drift term | the residual head
    the memory bank
    the alignment step | the prior over {quantity}
adj:
    robust | sparse | calibrated | noisy | heterogeneous | informative | redundant | stationary | labelled | reliable
effect:
    raises recall at the expense of precision | shortens training considerably | widens the confidence intervals
    removes most of the seasonal bias | helps on rare conditions only
    makes the estimates smoother than they should be
    costs little and gains little | shifts errors from the tails to the centre
cause:
    {nuisance} | a mismatch between sites | too few labels | {nuisance} together with {nuisance}
    rounding in the {instrument}
    the way in which {expert} label ambiguous cases
future:
    a cheaper {instrument} | labels from more than one season | a model of {nuisance} | closer work with {expert}
    transfer between {items_of}
abstract_open:
    We study {task}, a problem that matters for {application} and has so far been left to {expert}.
intro:
    Decisions about {application} rest on {quantity}, which is costly to measure and easy to get wrong.
    For decades {expert} have judged {quantity} by eye, and their judgement is good but does not scale.
    A single {instrument} costs little, and networks of them now cover whole regions; what is missing is a method that
        turns raw {item} into estimates that {expert} would trust.
    The difficulty is not a lack of data but its quality: {nuisance}, {nuisance} and {nuisance} leave traces that look
        much like the effect that is sought.
    Earlier work on {short_task} assumed that {items_of} resemble each other, an assumption that fails in the
        presence of {nuisance}.
    We argue that {short_task} should be treated as a problem of calibration first and of prediction second.
    Errors in {quantity} are not symmetric: for {application}, an estimate that is too low costs more than one that
        is too high.
    A model that is right on average may still be useless to {expert}, who see one case at a time.
    Our starting point is an observation that {expert} have made for a long time: {nuisance} can change the shape of
        the
        {signal}, not only its strength.
    None of this is specific to {items_of}; similar questions arise wherever {item} are cheap and labels are dear.
    Two regions that differ in nothing but {nuisance} may need different models, or so it has been assumed.
    What {expert} call experience is, for the most part, a memory of {nuisance}.
    The price of an error is paid by those who depend on {application}, not by those who build models.
    Public collections of {item} have grown quickly, while the number of {expert} has not.
    This paper is about what can be said on {quantity} when {nuisance} and {nuisance} cannot be ruled out.
    We are not the first to try; we hope to be the first to report all that went wrong.
related:
    {R} were the first to treat {short_task} as regression, with hand-made features and a linear model.
    {R} replaced the features by a learned {signal} encoder and reported gains that later work could not reproduce.
    A second line of work models {nuisance} explicitly; {R} gave the most complete account.
    {R} showed that {part} can be omitted when labels are plentiful, which they rarely are.
    Closest to ours is the work of {R}, who calibrate each site on its own; we share their aim but not their
        assumption
        that sites are independent.
    {R} compared {number_word} ways to weight rare conditions and found that none of them wins everywhere.
    Surveys of {application} mention {short_task} only in passing {cite}, an omission that we find telling.
    Work on {adj} sensor networks {cite} asks a related question, but measures success by bandwidth.
    {R} collected labels from {expert} and published the disagreements; we know of no other study that did.
    Bayesian treatments {cite} give intervals for {quantity}, at a price that makes them hard to run in the field.
    The idea that {nuisance} may serve as a signal rather than as noise goes back to {R}.
number_word:
    three | four | five | six | seven
    {R} argue that {expert} should label less and describe more, and we agree with them.
    The attempt of {R} to pool {items_of} failed because of {nuisance}, as the authors concede.
    {R} proposed {part} for another purpose; the use that we make of it is new.
    Where {R} correct for {nuisance} beforehand, we let the model do so.
    A comparison of {items_of} in two regions {cite} found larger differences than any method could remove.
    Software for {short_task} exists {cite}, but it assumes that {item} arrive without gaps.
method:
    The stages of {M} are trained together but can be replaced one by one.
    Given a run of {item}, {part} produces a vector for each time step, and a second pass removes what can be
        explained
        by {nuisance}.
    The output of {part} is compared with that of {part}; where the two disagree, the estimate falls back on the
        prior.
    We found that {part} {effect}, and therefore train it at half the rate of the rest.
    All weights are shared between {items_of}, except those of {part}, which see one site only.
    Let x be a sequence of {item} and y the {quantity} at its end; {M} estimates both y and the error of its own
        estimate.
    The loss has two terms, one for {quantity} and one for its uncertainty, and a constant that balances them.
    To keep {part} from learning {nuisance} by heart, we drop a random share of its inputs during training.
    Where labels are missing, {M} learns from the agreement of neighbouring {items_of}, down-weighted by distance.
    {^part} is a plain linear map; we tried deeper ones and saw no gain that survived a second seed.
    The order of the stages matters: if {part} comes before {part}, it {effect}.
    At run time {M} needs a single pass and no knowledge of {nuisance}.
    Missing values are common in {item}, and we mask them instead of filling them in.
    The threshold is set on held-out {items_of}, never on those that are reported.
    For {part} we use as many units as there are {items_of}, which is more than enough.
    Two of the parts, {part} and {part}, see the {item} in reverse order as well.
    The prior is estimated once per season, from {items_of} without {nuisance}.
    A window enters {part} only if the {instrument} has reported itself healthy.
    Gradients through {part} are clipped, since {nuisance} can make them explode.
    When {M} abstains, it says which of its parts is to blame.
data:
    We use {num_sets} collections of {item}; all were labelled by {expert} who did not know our predictions.
    {D} is the largest of them and the only one that covers every condition in Table 3.
    Sites were chosen so that {nuisance} and {nuisance} occur at some and not at others.
    All {item} were inspected once by hand, and those with obvious faults of the {instrument} were set aside.
    Splits are by site and not by time, so that no site is seen both in training and in testing.
    Labels for ambiguous cases were settled by discussion; where no agreement was found, the case was dropped.
    A tenth of the {item} was labelled twice, to measure how far {expert} agree with each other.
    Following {R}, we report each condition separately and do not average over conditions of unequal size.
    The raw {item}, the labels and the code that joins them are described in the appendix.
    Where {nuisance} made a window unusable, the whole day was dropped for that site.
    The first month of every site was left out, because {expert} were still learning the scheme.
    No {items_of} were added after the labels had been seen.
    {^expert} were paid by the hour and not by the label, so as not to reward haste.
    Rare conditions were sampled more often than they occur, and weighted back in every score.
    One collection had to be re-read from paper, which cost more time than {nuisance} and {nuisance} together.
setup:
    Hyper-parameters of {part} were chosen once, on the smallest collection, and then left alone.
    We report no result that was obtained with fewer seeds than stated.
    For {B} we tried both published variants and report the better one.
    {^expert} served as a reference on a tenth of the test windows.
    Unless stated otherwise, {part} is trained from random weights.
    Time is measured without reading and writing {item}.
    All models see the same windows and are stopped by the same rule.
    Baselines were tuned with the same budget as {M}, on the same held-out {items_of}.
    We repeat every experiment with different seeds and report the mean; where intervals are given, they are bootstrap
        intervals over {items_of}.
    {B} is our own re-implementation, since the original code reads a format of {item} that is no longer in use.
    Metrics are computed per window and then averaged per site, so that large sites do not dominate.
    Following common practice {cite}, a difference counts as significant if its interval excludes zero.
analysis:
    Why does {part} help? An inspection of single cases suggests that it {effect}.
    Most of the remaining errors can be traced to {cause}.
    We looked at the worst cases together with two {expert}, who explained about half of them by {cause}.
    Errors are not spread evenly: a few {items_of} account for most of them, and these suffered from {nuisance}.
    Removing {part} {effect}; removing {part} as well makes the model indistinguishable from {B}.
    One might object that {nuisance} would rarely matter; {D} suggests otherwise.
    We were surprised that {part} {effect}, and checked the result with a second implementation.
    The advantage over {B} shrinks as labels become plentiful, which is what one would expect of a {adj} prior.
    There is no sign that {M} has learned the sites by heart: shuffling site names leaves the scores unchanged.
    Longer windows help up to a point, after which {cause} outweighs what is gained.
    The intervals for {quantity} are slightly too narrow under {nuisance}, and slightly too wide elsewhere.
    Plotting errors against time of day shows two peaks, which {expert} at once put down to {nuisance}.
    {^hedge}, no earlier method for {short_task} keeps its accuracy under {nuisance}.
    When {part} is frozen after the first epoch, training becomes stable, but {M} no longer adapts to {nuisance}.
    Whether {part} is needed at all depends on {cause}; Table 2 gives the answer for {D} only.
    What separates {M} from {B} is less its accuracy than its honesty about {adj} cases.
    In {number_word} of the cases that we examined, {expert} preferred the estimate of {M} to their own first guess.
    A {adj} input is not by itself a problem; a {adj} input that looks {adj} is.
    With {part} switched off, the ranking of the methods stays the same, but the distances between them shrink.
    We expected {nuisance} to matter most; the figures point to {cause}.
    About a third of the gain over {B} is due to {part}, as far as single parts can be credited at all.
    Two {expert} independently named {nuisance} as the reason for the same outlier.
    Averaging over seeds hides that {part} sometimes {effect}.
    {B} is better than {M} on the first day of a series, before {part} has seen anything.
    In the presence of {nuisance}, {M} widens its intervals, while {B} keeps them as they are.
    The harder a case is for {expert}, the more {M} gains from {part}.
    If one trusts the labels less, by smoothing them, {part} {effect}.
    Replacing {expert} by students changed the labels for {adj} cases only.
case:
    Case {n}, site {site}: the label was {label}, {M} gave {m} and {B} gave {b}; the {expert} on duty blamed
        {nuisance}.
    Case {n} was recorded at {site} under {nuisance}. The label is {label}; {M} missed it by {off} points and {B} by
        {boff}.
    In case {n} ({site}), {M} answered {m} where the label says {label}. A second look found {nuisance}.
    Case {n} comes from {site}. Against a label of {label}, {B} gave {b}; {M} gave {m}, though with a wide interval.
    At {site}, case {n} was first labelled {label} and then disputed. {M} gave {m}, which the later label supports.
    Case {n} ({site}) was used in the briefing of {expert}: label {label}, {M} {m}, {B} {b}.
    {^nuisance} had been announced for {site} on the day of case {n}; {M} gave {m}, and the label is {label}.
    The label of case {n}, {label}, was given at {site} by the most experienced of the {expert}; {B} was off by
        {boff}.
    Of the windows from {site}, case {n} is the one with the largest gap: {M} says {m}, {B} says {b}, the label
        {label}.
    Case {n}, again from {site}, shows what {part} is for: with it, the estimate is {m}; without it, {b}; the label
        is {label}.
case_comment:
    The same {nuisance} had been harmless a week before.
    No two of our {expert} explained it in the same way.
    It was the only case of its day in which {part} and {part} disagreed.
    For {application}, an error of this size would have gone unnoticed.
    Smoothing the {item} by hand brings the estimate within two points of the label.
    The {instrument} reported itself healthy throughout.
    Later in the season the same site gave {adj} windows without any error.
    Looking at the raw {item}, one sees {nuisance} at once; knowing when to look is the difficulty.
    Trained on {adj} windows alone, {M} gets the case right, and others wrong.
    {^expert} who saw the case again thought that {part} had been misled by {nuisance}.
    Without {part}, the estimate would have been further off by {off} points.
    Nothing in the {item} of that day points to {nuisance}, and the error remains unexplained.
    The neighbouring {items_of} agree with the label, so {cause} would be the likeliest explanation.
    The {instrument} had been moved in the week before, which {expert} had not been told.
    A window that is twice as long would have halved the error, at the price of {nuisance} elsewhere.
    It is one of the {adj} cases for which {M} had announced that it was unsure.
    {^nuisance} and {nuisance} came together here, which happens more often than the literature admits.
    We left the case in, since {adj} cases are what {application} has to live with.
    Had {part} been frozen, the case would have gone unnoticed.
discussion:
    For {application}, the gain over {B} would mean fewer visits to {items_of}, though not none.
    We do not claim that {M} understands {nuisance}; it has merely learned when to be silent.
    Two of our choices could be disputed: the weight of {part}, and the decision to leave out {items_of} with gaps.
    The comparison with {R} is not quite fair to either side, since their labels came from other {expert}.
    A reader who needs only {quantity} on calm days may be better served by {B}, which is simpler.
    What our results do show is that calibration per site is not needed if {part} is trained with {adj} examples.
    {^expert} who used {M} for a season asked for reasons and not for better numbers.
    It is tempting to read the weights of {part} as an account of {nuisance}. We advise against it.
    The cost of {M} lies in labelling; computing is cheap by comparison.
    {^hedge}, the same approach should carry over to other {item}, but we have not tried it.
    If {cause} is indeed the main source of error, then {future} would help more than a larger model.
    In our view the lesson reaches beyond {short_task}: {adj} labels deserve more care than {adj} models.
    Had we begun with {future}, the paper would have been shorter.
    Those who plan {application} should look at the intervals first and at the means second.
    The dispute between {R} and their critics may rest on {nuisance} more than on method.
    Part of the gain would vanish if the {instrument} were improved, and we would welcome that.
limits:
    All of our {items_of} lie in one climate, and nothing is known about how {M} behaves in another.
    The labels are judgements, and judgements of {expert} drift with the season as {item} do.
    We did not measure the effect of {nuisance} on the {instrument} itself.
    The number of {items_of} is small, and intervals over sites are therefore wide.
    {M} was not tested on {item} with gaps of more than a day.
    No attempt was made to predict {nuisance}, only to survive it.
    Our re-implementation of {B} may fall short of the original, although it matches the figures of {R}.
    {^future} would be needed before {M} could be used for {application} without supervision.
conclusion:
    We have presented {M}, a method for {task}.
    It keeps its accuracy where {nuisance} can defeat {B}, and it says when it does not know.
    Future work should look into {future} and, above all, into {future}.
    We hope that the published {item} will be of use to those who disagree with us.
    {^expert} should not be replaced by {M}; they should be sent where it is unsure.
appendix:
    Windows with fewer than half of their samples are dropped, since {part} cannot be trained on them.
    We normalise all {item} by the median of its site, which removes most of the {nuisance} and some of the effect.
    The search space for {part} was fixed in advance and is the same for {M} and for {B}.
    Runs that diverged were repeated once with another seed; their number is given per site.
    Training on {adj} windows alone {effect}, and so does training without them.
    The guidelines for {expert} fill two pages and are mostly about {nuisance}.
    Where two {expert} gave different labels, the later one was asked to explain, in writing, what the earlier one
        had missed.
    Storage of the {item} follows the layout of {R}, with one file a day and site.
    For the sake of completeness we also tried {part} without masking; it {effect}.
    Sites with a second {instrument} allow a check: the two agree, except under {nuisance}.
result:
    Under the condition {c}, {M} reaches {m}, against {b} for {B}.
    With {m} against {b}, the condition {c} shows a gain of {gain} points, more than {nuisance} alone would explain.
    {B} falls to {b} under {c}; {M} stays at {m}.
    The gain under {c} is {gain} points, and {expert} whom we asked had expected less.
    For {c} the interval of the difference between {M} and {B} excludes zero (gain: {gain} points).
    Nothing in the design of {M} is aimed at {c}, and yet the score rises from {b} to {m}.
    We had expected {nuisance} to spoil the condition {c}; at {m}, {M} is {gain} points ahead all the same.
site_line:
    At site {site}, {M} has {m} and {B} has {b}, which {expert} put down to {nuisance}.
    Site {site} shows a gain of {gain} points, from {b} to {m}, in spite of {nuisance}.
    The {instrument} of site {site} was replaced once; the scores there are {b} for {B} and {m} for {M}.
    At site {site}, known for {nuisance}, {M} reaches {m}.
reference:
    The effect of {nuisance} on {short_task}.
    A {adj} approach to {task}.
    Notes on {quantity}, with an appendix on {nuisance}.
    What {expert} see in {adj} {item}, and where they differ.
    {^adj} methods for {application}.
    On {nuisance}: a reply to the critics of {adj} models.
    A collection of {item} from {adj} {items_of}.
    The {instrument} and its faults.
venue:
    Journal of Applied Measurement | Proceedings of the Coastal Computing Workshop | Letters in Field Sensing
    Transactions on Small Data | Annals of Practical Inference | Proceedings of the Symposium on Patient Methods
"""
FACTS = """
In total, {D} holds {answer} {item}. || How many {item} does {D} hold? || 11000..97000
The {item} of {D} were gathered at {answer} sites. || At how many sites were the {item} of {D} gathered? || 37..189
Labelling took {answer} of paid work. || How much paid work did the labelling take? || 310..980 hours
Between two {expert}, agreement on the doubly labelled cases was {answer} (Cohen's kappa). || What was the agreement (Cohen's kappa) on the doubly labelled cases? || 0.61..0.88
{M} has {answer} million parameters. || How many million parameters does {M} have? || 2.1..9.8
We train for {answer} with early stopping. || For how many epochs is {M} trained? || 31..88 epochs
The learning rate peaks at {answer} and then decays to zero. || At what value does the learning rate peak? || 0.0011..0.0089
A batch consists of {answer} drawn from different sites. || How large is a batch? || 24..190 windows
The constant that balances the two terms of the loss is {answer}. || What is the constant that balances the two terms of the loss? || 0.15..0.85
During training, {answer} percent of the inputs are dropped. || What percentage of the inputs is dropped during training? || 7..34
Training took {answer} on a single machine without a graphics card. || How long did training take? || 5..47 hours
Every window spans {answer}. || How long is a window? || 13..59 minutes
All experiments were repeated with {answer}. || With how many random seeds was every experiment repeated? || 4..17 random seeds
An estimate takes {answer} on the processor of the {instrument}. || How long does an estimate take on the processor of the {instrument}? || 12..95 milliseconds
The hand inspection set aside {answer} percent of the material. || What percentage of the material did the hand inspection set aside? || 1.2..6.9
A field trial with {M} ran for {answer}. || How long did the field trial with {M} run? || 9..38 weeks
The work was paid for by {answer}. || Who paid for the work? || funder
The fee for labelling was {answer} an hour. || What was the fee for labelling an hour? || 14..39 crowns
"""  # noqa: E501 - a fact a line
FUNDERS = """
funder:
    the Orrestal Fund for Slow Measurement | the Hennacker Trust | the Vellby Foundation
    the Guild of Measurers in Isterwold
"""
