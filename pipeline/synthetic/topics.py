"""What a paper is about: the words of four lines of research that nobody pursues."""

SOIL = """
task:
    the estimation of topsoil moisture from roadside radio echoes
short_task:
    moisture estimation
item:
    echo traces
items_of:
    field margins
instrument:
    antenna mast
signal:
    echo
nuisance:
    passing lorries | wet foliage | ground frost | oscillator drift | multipath from fences | ploughing
    irrigation spray | animal burrows
application:
    irrigation scheduling | drought insurance | flood warning | the planning of sowing dates
condition:
    Dry loam | Wet loam | Sand | Peat | Chalk | Clay | Frozen ground
quantity:
    volumetric moisture
expert:
    soil surveyors
metric:
    Accuracy
title:
    Listening to the Verge: Topsoil Moisture from Roadside Radio Echoes
"""
TIDE = """
task:
    the forecasting of sandbank drift in tidal inlets
short_task:
    drift forecasting
item:
    depth soundings
items_of:
    inlets
instrument:
    moored sounder
signal:
    sounding
nuisance:
    storm surges | dredging | ferry wash | kelp on the sensor | river floods | clock errors | ice floes | turbidity
application:
    pilotage | harbour dredging | the siting of mussel farms | the marking of channels
condition:
    Spring tide | Neap tide | Storm surge | River flood | Calm summer | Ice season | After dredging
quantity:
    bank height
expert:
    harbour pilots
metric:
    Skill score
title:
    Where the Bank Will Be: Drift Forecasts for Tidal Inlets from Sparse Soundings
"""
ARCHIVE = """
task:
    the dating of undated letters in municipal archives
short_task:
    letter dating
item:
    letters
items_of:
    archives
instrument:
    page scanner
signal:
    letter
nuisance:
    water stains | bleed-through | copied hands | dictation | later annotations | torn margins | mixed spelling
    reused paper
application:
    cataloguing | provenance research | the ordering of estates | the detection of forged deeds
condition:
    Merchant hands | Clerical hands | Court hands | Private letters | Drafts | Copies | Damaged leaves
quantity:
    year of writing
expert:
    archivists
metric:
    Accuracy
title:
    The Year in the Margin: Dating Undated Letters in Municipal Archives
"""
BEES = """
task:
    the early detection of swarming from hive vibration
short_task:
    swarm detection
item:
    vibration windows
items_of:
    apiaries
instrument:
    frame accelerometer
signal:
    vibration
nuisance:
    wind | rain on the lid | tractors | hive inspections | queen piping | cold clusters | loose frames | ants
application:
    commercial pollination | queen breeding | the protection of wild bees | the timing of inspections
condition:
    Calm weather | Wind | Rain | Heat | Weak colonies | Strong colonies | Second swarms
quantity:
    time to swarming
expert:
    beekeepers
metric:
    F1
title:
    Before They Leave: Early Detection of Swarming from Frame Vibration
"""
TOPICS = (SOIL, TIDE, ARCHIVE, BEES)
