"""How an annual report says things.

`{C}` is the company, `{S}` one of its segments, `{P}` what that segment sells; figures come in by name, so that
prose and tables agree.
"""

FILING = """
segment_set:
    Weighing Systems; bench and belt scales | Flow Control; valves and dosing pumps
    Signal Lamps; road and rail lamps
    Cold Storage; refrigerated cabinets | Marine Fittings; winches and hatches
    Paper Handling; folding and sealing machines
    Grain Equipment; dryers and elevators | Survey Tools; levels and range finders
    Clean Rooms; filters and air locks
    Door Hardware; locks and closers | Laboratory Glass; burettes and cold traps
    Kiln Technology; burners and kiln linings
customer:
    dairies | rail operators | municipal utilities | hospitals | grain merchants | shipyards | universities
    distributors
    contract manufacturers | printers | breweries | mining companies
input:
    cast iron | electronic components | stainless steel | glass tubing | copper wire | packaging | freight
    electricity
    optical glass | rubber seals | bearings | natural gas
market:
    the northern districts | the coastal provinces | the inland markets | our overseas markets | our home market
site_word:
    foundry | assembly hall | warehouse | test laboratory | service depot | tool shop
degree:
    slightly | significantly | materially | somewhat | noticeably
event:
    a shortage of {input} | the loss of a large customer | a fire at a {site_word} | a recall of {P}
    an extended strike
    a failure of our order system | an unfavourable ruling | a sudden fall in demand from {customer}
    a new import duty
    the insolvency of a supplier of {input}
harm:
    our margins | our reputation | our cash flows | our ability to deliver on time | the value of our goodwill
    our relations with {customer} | our ability to hire | the price of our shares | the growth of {S}
business:
    {S} sells {P} to {customer}, mostly under contracts of one to three years.
    The products of {S} are made in our own {site_word} and finished close to the customer.
    Demand for {P} follows the investment cycle of {customer} with a delay of about two quarters.
    We compete on service and delivery time more than on price, since {customer} rarely change a supplier of {P} for a
        small discount.
    About half of the revenue of {S} comes from spare parts and maintenance, which is less cyclical than new
        equipment.
    {S} buys {input} and {input} from several suppliers and holds stocks for about six weeks.
    In {market}, {S} works through distributors; elsewhere it sells directly to {customer}.
    Our engineers develop {P} together with {customer}, who often agree to pay for part of the work.
    The patents of {S} protect details rather than principles, and none of them is decisive by itself.
    Orders for {P} are usually delivered within a quarter, so that backlog is a poor guide to later revenue.
    {S} has few seasonal swings, apart from the weeks in which {customer} close for maintenance.
    During the year {S} moved part of its production to a larger {site_word}, which doubled its capacity for {P}.
    The rules on energy use have made older {P} obsolete, which helps us in the short run.
    We offer training to {customer}, because {P} that are installed badly come back as warranty claims.
    Competitors of {S} are mostly family firms, along with two groups that are larger than we are.
    {S} introduced a lighter range of {P}, and early orders from {customer} have been encouraging.
    We usually install {P} ourselves, and charge for it by the day.
    {S} keeps a stock of spare parts in {market}, from which most orders are filled within two days.
    Before {customer} place a large order, they tend to test {P} for several months.
    The share of {S} in {market} is hard to measure, since many {customer} repair what others would replace.
    Prices of {P} are agreed once a year and follow the cost of {input} with some delay.
    {S} was the first of our segments to offer {P} for rent.
    About a tenth of what {S} sells is bought from other makers and sold under our name.
    The engineers of {S} sit next to its sales staff, which has shortened the time in which offers are made.
    New {P} are tried out at the sites of two or three {customer} before they are announced.
    Used {P} are taken back, repaired and sold again with a guarantee of one year.
    {S} holds certificates for {P} that some {customer} require and few competitors have.
    The seasons matter little to {S}, but the budgets of {customer} do, and most of them are spent in autumn.
    Complaints about {P} are answered within a day by the people who made them.
    In {market}, {S} shares a depot with another of our segments.
risk_title:
    We depend on a limited number of suppliers of {input}. | Demand from {customer} may fall without warning.
    A failure of {P} in use could lead to claims against us. | We may lose people on whom {S} depends.
    Our systems may be attacked or may fail. | The price of {input} may rise faster than our own prices.
    {^event} would hurt our business. | Our debt limits what we can do.
    We may not be able to protect our designs for {P}.
    Changes in tax law could reduce our net income. | Rules on waste and energy may make {P} more expensive.
    Our insurance may not cover {event}. | Acquisitions may not bring what we expect of them.
    Our goodwill may have to be written down. | We operate in {market}, where contracts are hard to enforce.
    The markets of {S} are crowded. | Large orders from {customer} make our results uneven.
    We rely on a single {site_word} for most of our {P}. | Exchange rates affect what we report.
    Our controls may not prevent every error. | Bad weather may interrupt deliveries to {customer}.
    A dispute with our employees could stop production. | We may be late to adopt new methods of making {P}.
    Pension promises may cost more than we have set aside.
risk:
    Our contracts with {customer} seldom oblige them to order a minimum of {P}.
    A competitor that makes {P} from cheaper {input} could win orders that we count on.
    The {site_word} of {S} stands near a river, and its insurance does not cover every flood.
    If {customer} decided to make {P} themselves, {S} would have to look for other work.
    Employees who leave us may take what they know about {P} to a competitor.
    We learn of changes in the plans of {customer} late, and our costs are fixed {degree} longer than our orders.
    Standards for {P} differ from market to market, and in {market} they are under review.
    New rules might oblige us to take back {P} at the end of their life.
    The age of our order system makes {event} more likely than we would wish.
    Tests cannot show every fault of {P}, and some faults appear only after years at {customer}.
    Several of our suppliers of {input} are small, and {event} could force them to close.
    In a downturn, {customer} first postpone maintenance and then new {P}.
    Contracts in {market} are often settled in foreign currency, which may lose value before we are paid.
    The price that we could obtain for a {site_word} may be well below its value in our books.
    Banks may ask for higher interest once {event} has become public.
    We have set aside money for claims concerning {P}, but the claims may be higher.
    Our plans for {S} rest on estimates of demand from {customer} that may turn out to be too high.
    It is hard to insure {harm}, and we have not done so.
    {^event} in the busiest months of {S} would cost more than at any other time of the year.
    An investigation by an authority, whatever its result, would occupy those who manage {S}.
    Some of the {input} that we need comes from a single quarry, mine or mill.
    Discounts that one group of {customer} obtains are soon demanded by the others.
    If {event} were to occur, {harm} could suffer {degree}.
    We have taken precautions, but they may prove insufficient in the event of {event}.
    In the past, {event} has affected {harm}, although not {degree}.
    We cannot pass on every increase in the cost of {input}, and where we can, it takes until the next contract.
    Because {customer} account for much of the revenue of {S}, a change in their plans would affect {harm}.
    Some competitors in the market for {P} have more money than we have and may accept lower margins for years.
    Our agreements with {customer} usually allow them to cancel at short notice.
    It takes months to qualify a new supplier of {input}, and in the meantime {harm} would be at risk.
    Even a claim without merit would take up the time of our managers and could damage {harm}.
    We carry insurance against {event}, but with limits, and the premiums have risen {degree}.
    The effects of {event} and of {event} could coincide, which would make each of them harder to bear.
    Investors should not conclude from the absence of {event} in recent years that it is unlikely.
    The people who know how {P} are made are hard to find and harder to replace.
    A delay at our {site_word} would first be felt by {customer}, and then by us in the form of penalties.
    Should the cost of {input} fall, our stocks might have to be written down.
    In {market}, the courts are slow, and {harm} could be affected before a case is decided.
    We review this risk every quarter, but reviews do not prevent {event}.
    Any of these developments could affect {harm} in ways that we cannot now foresee.
    Measures that we take against {event} may themselves be costly and may turn out to be unnecessary.
    {^customer} increasingly ask for guarantees that exceed the expected life of {P}.
cause_up:
    higher volumes of {P} | price increases in {market} | new contracts with {customer}
    a better mix of {P} and services
    the catch-up of orders delayed by {customer} | demand for spare parts
cause_down:
    lower volumes of {P} | cautious ordering by {customer} | the end of a large contract with {customer}
    price concessions in {market} | a shortage of {input}
discuss:
    The cost of {input} moved {degree}, and we adjusted prices for {P} in the second half.
    We expect {customer} to order at about the same rate in the coming year.
    Backlog for {P} was in line with that of a year ago, although orders have become smaller.
    Our plan for {S} assumes that {input} will be available and that {customer} will keep to their schedules.
    Savings at the {site_word} offset part of the rise in wages.
    We stopped selling a range of {P} that had not earned its cost for two years.
    Delivery times for {P} improved {degree}, which {customer} noticed.
    The first effects of our programme for spare parts are visible in {S}.
    In {market}, collection of receivables took {degree} longer than usual.
    We continue to look for ways to use less of {input}.
    Compared with our plan, {S} did better in {market} and worse elsewhere.
    Management looks at operating income by segment before costs of the head office, which are not allotted to {S}.
    Inventories of {P} were raised on purpose, ahead of the move of a {site_word}.
    Warranty costs of {S} stayed low, as a share of its revenue.
    Freight to {market} was {degree} dearer than planned, and part of it could be charged to {customer}.
    Sick leave at the {site_word} returned to its usual level.
    We delivered the last {P} of an order that {customer} had placed three years ago.
    A new line for {P} went through its trials and will be counted as property once it runs.
    Sales through distributors in {market} grew {degree} faster than direct sales.
    The average order from {customer} became smaller, while the number of orders rose.
    In the fourth quarter {S} had to pay for overtime, because {input} had arrived late.
    A price list for {P} that is revised every quarter has replaced the yearly one.
    Orders of {customer} for next year cover about a third of the capacity of the {site_word}.
    The cost of service visits fell, since more faults of {P} can now be mended from a distance.
    {^customer} took advantage of longer terms of payment, which we had offered in {market}.
    We renegotiated the contract for {input} and gave up a minimum quantity in return for a lower price.
people:
    Most of our employees work at a {site_word} and are paid by the month.
    Apprentices in {S} learn for three years, and most of them stay.
    We train service staff for {P} in a school of our own.
    Accidents at the {site_word} are reported to the board every quarter.
    A works council speaks for the employees of {S} and was consulted on the new shifts.
    Turnover among engineers for {P} was {degree} lower than in the year before.
    Wages in {market} follow an agreement that is renewed every second year.
    Part of the pay of managers depends on delivery times to {customer}.
property_line:
    In {market} we share a building with a distributor of {P}.
    {S} owns its {site_word} and leases a second one nearby.
    The {site_word} of {S} was enlarged during the year and has room for a further line.
    Depots in {market} are leased, mostly for five years.
    We consider our buildings suitable for making {P} and adequately insured.
    An old {site_word} stands empty and is for sale.
    Tests of {P} are run on a site that we share with {customer}.
    The roof of a {site_word} was renewed after a storm, at the cost of the insurer.
controls_line:
    Figures of {S} reach the head office on the fourth day of each month.
    Management has examined the controls over the reporting of {S} and considers them effective.
    The count of {P} in the {site_word} is repeated twice a year, and differences are looked into.
    Access to the order system is limited to those who need it to serve {customer}.
    An internal auditor visits every {site_word} at least every second year.
    No change in our controls was needed because of the growth of {S}.
    Payments for {input} need two signatures above a certain amount.
    Employees may report concerns without giving their name, and some did.
policy:
    Revenue from {P} is recognised when control passes to the customer, usually on delivery.
    Revenue from service contracts is recognised evenly over their term; advance payments are shown as deferred
        revenue.
    Inventories are stated at the lower of cost and net realisable value; cost is determined by the first-in,
        first-out
        method.
    Receivables are reduced by an allowance that reflects our experience with {customer}.
    Property is depreciated by the straight-line method, buildings over thirty years and machinery over eight.
    Goodwill is tested once a year, in the fourth quarter, and whenever there is reason to doubt it.
    Research is charged to expense as incurred, apart from tools that are used in production.
    Warranty costs are accrued when {P} are sold, on the basis of claims over the last five years.
    Deferred taxes are measured at the rates that will apply when the differences are expected to reverse.
    Estimates are needed for the useful life of a {site_word}, for claims, and for the value of slow-moving {P}.
    Awards of shares are measured on the day of the grant and charged over the time in which they are earned.
    Transactions in foreign currency are translated at the rate of the day, and balances at the rate at year end.
    Leases of less than a year are charged to expense and not shown in the balance sheet.
    Costs of moving a {site_word} are charged when they are incurred.
    Fair values rest on quoted prices where there are any, and otherwise on models that use the price of {input}.
    None of the new accounting rules that took effect during the year had a notable effect on {S}.
    Advertising is charged to expense when it appears.
    Segments are reported as management sees them, and {S} has been one of them from the start.
    Rebates to {customer} are deducted from revenue at the time of the sale.
    Amounts in the tables are rounded to thousands and add up as shown.
    Cash includes deposits that fall due within three months.
    Contracts for {P} that will lose money are provided for in full when the loss becomes apparent.
    Interest on the construction of a {site_word} is charged to expense, as it has not been material.
    Grants received for {market} are deducted from the cost of what they helped to buy.
asset:
    The largest addition of the year was a line for {P}.
    Depreciation is included in the cost of revenue and in the other expenses of the income statement.
    No building was pledged, and none was held for sale at the end of the year.
    Machinery that has been written off in full remains in use at the {site_word} of {S}.
    Repairs that do not extend the life of an asset are charged to expense.
    We reviewed the useful life of machinery for {P} and left it unchanged.
    Land is not depreciated.
    The movement of the balance follows from capital expenditures and depreciation alone.
borrowing:
    Our debt consists of notes held by insurers and of a facility with a group of banks.
    The notes bear a fixed rate, and the facility one that is set every quarter.
    We were in compliance with all covenants at the end of the year.
    The fair value of the notes does not differ {degree} from the amount shown.
    None of the debt is secured by a {site_word} or by stocks of {P}.
    New borrowing during the year replaced notes that had fallen due.
    Unused lines would allow us to build a second {site_word} without new lenders.
    Interest is paid twice a year.
commitment:
    We have agreed to buy {input} at fixed prices for part of next year's needs.
    A claim by a group of {customer} concerning {P} was settled without a payment from us.
    The lease of a {site_word} runs for another nine years and can be extended twice.
    A supplier of {input} has sued us over a cancelled order; we consider the claim to be without merit.
    The tax returns of the last four years remain open to examination in {market}.
    We guarantee advance payments that {customer} make for {P}; no guarantee has ever been drawn.
    Environmental studies at a former {site_word} have so far found no need for a provision.
    Contracts with {customer} contain penalties for late delivery, which have not been material.
    A retirement plan covers the employees of {S}; contributions are charged as they fall due.
    The credit agreement limits dividends if debt exceeds a multiple of income, which it did not.
"""
FACTS = """
At the end of the year {C} had {answer} employees. || How many employees did {C} have at the end of the year? || 2100..9800
{C} was founded in {answer} as a repair shop. || In what year was {C} founded? || founding
Our largest customer accounted for {answer} percent of net revenue. || What share of net revenue, in percent, did the largest customer account for? || 5.1..17.9
The head office occupies {answer} square feet under a lease. || How many square feet does the head office occupy? || 41000..98000
{C} holds {answer} patents in force. || How many patents in force does {C} hold? || 112..870
Our chief executive officer is {answer}, who joined the company as an apprentice. || Who is the chief executive officer of {C}? || boss
The largest of our plants stands in {answer}. || Where does the largest plant of {C} stand? || plant
The credit facility expires in {answer}. || When does the credit facility of {C} expire? || expiry
Outside our home market we sell in {answer}. || In how many countries does {C} sell outside its home market? || 13..61 countries
A fire in a paint shop interrupted production for {answer}. || For how long did a fire in a paint shop interrupt production? || 8..33 days
The auditors have served {C} for {answer}. || For how long have the auditors served {C}? || 3..27 years
The ticker symbol of our common stock is {answer}. || What is the ticker symbol of the common stock of {C}? || ticker
Women hold {answer} percent of our management positions. || What percentage of management positions is held by women? || 22..49
We reduced the water that we use per unit of output by {answer} percent. || By how many percent did {C} reduce the water that it uses per unit of output? || 3.1..18.7
"""  # noqa: E501 - a fact a line
ANSWERS = """
founding:
    1897 | 1904 | 1911 | 1926 | 1933 | 1948 | 1952
expiry:
    March 2026 | September 2026 | May 2027 | November 2027 | June 2028
"""
