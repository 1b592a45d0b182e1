"""How a yearly outlook says things.

`{E}` is an economy, `{Y}` the year of the report; figures come in by name, so that prose and tables agree.
"""

OUTLOOK = """
sector:
    construction | retail trade | food processing | mining | tourism | shipping | public works | light manufacturing
    business services | farming | fisheries | telecommunications | haulage | furniture making
product:
    copper | tinned fish | cloth | timber | cocoa | machinery | fertiliser | tea | software | honey
    medicine | cement | wool | glass | bauxite | butter
shock:
    a poor harvest | floods in the lowlands | a strike in the ports | the collapse of a regional lender
    an early drought
    a fall in export prices | higher freight rates | the closure of a refinery | a disputed election | power cuts
policy:
    a fuel subsidy | the value-added tax | civil-service pay | deposit insurance | import licences
    the minimum reserve
    the payroll tax | land titling | public procurement | the power tariff
body:
    the central bank | the finance ministry | the statistics office | the tax authority | the planning commission
    the banking supervisor | the audit court
group:
    households | small firms | exporters | young workers | farmers | local governments | banks | importers
    pensioners
quality:
    gradual | uneven | fragile | broad-based | export-led | credit-driven | shallow | jobless | resilient | delayed
degree:
    slightly | markedly | a little | considerably | somewhat | noticeably | substantially
quarter:
    first quarter | second quarter | third quarter | fourth quarter
lead_up:
    Output in {E} grew by {last} percent in {P}, after {before} percent in the year before.
    {E} recorded growth of {last} percent in {P}; in the previous year it had been {before} percent.
    At {last} percent, growth in {E} was carried by {sector} in {P}, as against {before} percent a year earlier.
    In {P} the economy of {E} expanded by {last} percent ({before} percent in the year before), with {sector} in the
        lead.
lead_down:
    Output in {E} fell by {last} percent in {P}, after a change of {before} percent in the year before.
    {E} went through a recession in {P}: output shrank by {last} percent, against a change of {before} percent a year
        earlier.
    The economy of {E} contracted by {last} percent in {P}; in the previous year its output had changed by {before}
        percent.
estimate:
    For {Y} we estimate a growth rate of {est} percent, and we forecast {f1} percent for {N} and {f2} percent for
        {NN}.
    Our estimate for {Y} stands at {est} percent; the forecast is {f1} percent for {N} and {f2} percent for {NN}.
    Data for the first half of {Y} point to {est} percent for the year as a whole, with {f1} percent forecast for {N}
        and
        {f2} percent for {NN}.
record:
    Last year's report had put growth in {P} at {was} percent.
    A year ago our estimate for {P} was {was} percent.
    In last year's edition the estimate for {P} had been {was} percent, a difference for which {sector} accounts.
driver:
    Exports of {x} held up {degree}, while {sector} suffered from {shock}.
    Demand came mainly from {group}, whose incomes rose {degree} once {policy} had been reformed.
    {^sector} and {sector} together accounted for most of the change in output.
    Investment in {sector} recovered {degree} after two years in which {shock} had kept it down.
    Sales of {x} abroad were {degree} lower in the {quarter}, and stocks have been growing since.
    The recovery in {E} has been {quality}: {group} gained, {group} did not.
    Credit to {group} grew {degree} faster than output, which {body} regards as a warning.
    Employment in {sector} rose, though mostly in the {quarter} and mostly on short contracts.
    Wages in {sector} fell {degree} behind prices, and {group} drew on their savings.
    Remittances to {E} were stable and helped {group} to get through {shock}.
    The price of {x} matters more to {E} than any measure of policy, and it moved {degree}.
    New capacity in the processing of {x} came on stream in the {quarter}.
prices:
    Consumer prices rose by {cpi} percent, {degree} more in the towns than in the countryside.
    Inflation averaged {cpi} percent; food accounted for about half of it.
    At {cpi} percent, inflation left {body} {degree} more room than a year ago.
    Prices went up by {cpi} percent over the year, most of it in the {quarter}.
fiscal:
    Public debt stands at {debt} percent of output, and interest takes up a growing share of the budget.
    With debt at {debt} percent of output, {body} has asked for savings in {policy}.
    Debt, at {debt} percent of output, is mostly owed to domestic banks.
    The budget for {N} assumes higher revenue from {policy}; debt is put at {debt} percent of output.
policy_line:
    {^body} has announced a reform of {policy}, to take effect in stages.
    A planned change to {policy} was put off for the second time, which {group} had asked for.
    {^body} and {body} disagree in public about {policy}, and lenders have noticed.
    The reform of {policy} in {E} is complete on paper; in practice {group} still follow the old rules.
    We would advise {body} to begin with {policy}, where the cost is small and the gain soon visible.
    Targeted support for {group} would cost less than {policy} and reach more of those in need.
    {^body} publishes its accounts with a delay of a year, so that the effects of {policy} are hard to judge.
    In {E}, as elsewhere, {policy} has become a substitute for a policy towards {sector}.
risk:
    The main risk is {shock}, which would hit {group} first.
    Risks are tilted to the downside: {shock} or {shock} would each take half a point off growth.
    On the upside, {sector} could recover earlier than we assume.
    Should {shock} coincide with tighter credit, {group} would have little to fall back on.
    Much depends on {x}: a fall in its price would be felt in {sector} within a {quarter_span}.
    The banking system of {E} could absorb {shock}, but hardly two such events in one year.
    A change in {policy} without notice would cost more trust than money.
quarter_span:
    quarter | season | few months | half-year
setting:
    The world economy entered {Y} in better shape than it left it, mainly because of {shock}.
    Trade in {product} and {product} grew {degree}, that in {product} not at all.
    Freight rates rose {degree} in the {quarter} and fell back afterwards.
    Lenders have become {degree} more cautious towards economies that depend on {product}.
    Across the regions the recovery was {quality}, and nowhere was it complete.
    The economies that had reformed {policy} early came through {shock} {degree} better than the rest.
    Prices of {product} fell over the year, to the relief of {group} and the dismay of {body} in more than one
        capital.
    What looked like {shock} in the {quarter} has turned out to be a longer trend.
    Few of the forecasts of a year ago allowed for {shock}; ours did not.
    The gap between {sector} and {sector} widened further, and with it the gap between regions.
    Private investment remained the weakest part of demand, {degree} weaker than in earlier recoveries.
    Inflation expectations of {group} are high where {policy} changes often and low where it does not.
topic_line:
    {^T} rarely make headlines, yet few things matter more to {group} in the economies that we cover.
    Where {T} work well, {sector} tends to be larger and less exposed to {shock}.
    Our survey of {group} shows that {T} are trusted {degree} more than {body}.
    The cost of poor {T} falls on {group}, who cannot pass it on.
    Reform usually starts with {policy} and gets stuck when {body} has to give up revenue.
    Economies that export {product} have invested {degree} more in {T} than others.
    The evidence is mixed: after {shock}, {T} improved in some places and decayed in others.
    None of this requires large sums; what it requires is that {body} publish what it knows.
    A first lesson is that {T} cannot be improved by decree while {policy} pulls the other way.
    A second lesson is patience, since the gains appear in {sector} only after some years.
    Foreign advice on {T} has been plentiful, and its results have been mixed at best.
    Measured by what {group} pay, {T} have become {degree} cheaper, but access is still uneven.
    It would be a mistake to leave {T} to {body} alone.
    Some of the best examples come from economies that had to act after {shock}.
    Data on {T} are poor, and {body} has little reason to improve them.
    In the {quarter} we asked {group} what they would change first; most named {policy}.
    A register of {T} that anyone may inspect has been promised by {body} for years.
    Private money flows into {T} only where {policy} is predictable.
    In the towns {T} compete with each other; in the countryside {group} take what there is.
    The share of {T} that cover their cost has grown {degree} since our last survey.
    Staff who leave {T} usually end up in {sector}, where the pay is better.
    Complaints about {T} come mainly from {group} and peak in the {quarter}.
    One economy merged its {T} and saved little; another split them and saved nothing.
    The link between {T} and {sector} is closer than the debate suggests.
    Auditors found fault with {T} in most of the economies that they visited.
    Fees charged by {T} are a tax by another name, paid above all by {group}.
    Where {T} are run by local governments, they depend on {policy} more than on demand.
    Our own view of {T} has changed: we used to think that money was what they lacked.
    {^group} who have used {T} once tend to come back, which says something about the alternatives.
    It took {shock} to bring {T} onto the agenda of {body}.
method_line:
    Growth rates are changes in output at constant prices, in percent.
    Aggregates are unweighted means of the economies of a region.
    Figures marked e are estimates, those marked f are forecasts; figures without a mark are final.
    Final figures replace estimates as soon as {body} of the economy has closed its books.
    Forecasts assume that {policy} stays as announced and that there is no {shock_word}.
shock_word:
    new shock | major drought | financial crisis | war
"""
TOPICS = (
    "ports",
    "pension funds",
    "land registries",
    "power grids",
    "vocational schools",
    "inland waterways",
    "savings cooperatives",
    "money transfers",
    "rental markets",
    "water rights",
    "customs offices",
    "statistics offices",
)
FACTS = """
In {E}, the retirement age will be raised to {answer}. || To which age will retirement be raised in {E}? || 61..69 years
The new container terminal of {E} can handle {answer} boxes a year. || How many boxes a year can the new container terminal of {E} handle? || 210000..980000
{E} has licensed {answer} of mobile telephony for its northern districts. || How many operators of mobile telephony has {E} licensed for its northern districts? || 3..9 operators
A loan of {answer} million crowns to {E} was approved in May. || How many million crowns was the loan to {E} that was approved in May? || 120..940
The tunnel that {E} began to dig will be {answer} long. || How long will the tunnel be that {E} began to dig? || 7..38 kilometres
In a referendum, {answer} percent of the voters of {E} rejected the land tax. || What percentage of the voters of {E} rejected the land tax? || 51..78
The stock exchange of {E} now lists {answer}. || How many companies does the stock exchange of {E} list? || 18..140 companies
{E} planted {answer} million trees under its watershed scheme. || How many million trees did {E} plant under its watershed scheme? || 2..47
The school meals scheme of {E} reaches {answer} children. || How many children does the school meals scheme of {E} reach? || 84000..690000
The reserves of the central bank of {E} cover {answer} of imports. || How many months of imports do the reserves of the central bank of {E} cover? || 2.1..8.9 months
{E} closed {answer} loss-making state enterprises. || How many loss-making state enterprises did {E} close? || 4..31
The census of {E} counted {answer} million people. || How many million people did the census of {E} count? || 1.3..28.6
"""  # noqa: E501 - a fact a line
