"""Where a novel takes place: the words that one kind of country lends to every scene."""

COMMON = """
hour:
    seven in the morning | first light | the middle of the forenoon | noon | the slack hour after dinner
    five in the afternoon
    dusk | lamp-lighting | nine in the evening | midnight | the hour before dawn | the turn of the afternoon
day:
    Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | market day | the eve of the fair | washing day
season:
    October | a wet November | the hard end of January | a mild February | March | a late, cold April | early summer
temper:
    patient | stubborn | wry | short-tempered | careful | hopeful | suspicious | tired | amused | wary | generous
    uneasy | proud | mild | restless | exact | brisk | gloomy | watchful | obliging
adverb:
    quietly | slowly | without hurry | at once | after a while | with some care | rather stiffly | with a shrug
    more gently than before | almost cheerfully | in a low voice | without turning round | drily | at last
colour:
    grey | slate-blue | mustard | brown | faded red | bottle-green | black | cream | rust-coloured | white | lilac
stuff:
    brass | pewter | tin | glass | stoneware | horn | enamel | copper | earthenware | silver-plated
vessel:
    jug | basin | bowl | pitcher | flask | tray | jar | beaker | funnel | candlestick
cup:
    cup | mug | beaker | bowl | tumbler
seat:
    bench | stool | settle | chest | window seat | upturned crate | armchair | step
locker:
    cupboard | chest | desk | drawer | strongbox | dresser | corner press
furniture:
    table | dresser | counter | desk | bench | chest | workbench | sideboard | washstand
clothing:
    coat | shawl | hat | muffler | waistcoat | scarf | apron | cape | jersey | jacket | cloak
food:
    barley soup | cold mutton | rye bread | onion pie | baked apples | smoked cheese | boiled eggs | pickled beets
    oatcakes | rabbit stew | plum dumplings | lentils with bacon | gingerbread | potato cakes
drink:
    black tea | cider | warm milk | elder wine | small beer | coffee with chicory | plum brandy | water from the pump
kin:
    grandmother | uncle | elder brother | aunt | cousin | godfather | stepmother | younger sister | great-aunt
feeling:
    relief | shame | joy | irritation | pity | envy | dread | tenderness | doubt | pride | curiosity
    loneliness | gratitude | impatience | homesickness | anger | regret | mischief
virtue:
    patience | honesty | courtesy | thrift | courage | steadiness | discretion | silence | plain speaking
    good humour
number:
    two | three | four | five | six | seven | nine | eleven | a dozen | twenty
span:
    two days | a week | ten days | a fortnight | three weeks | a month | a whole season | half a year
paper:
    a ledger | a bundle of letters | a folded map | a torn receipt | an old almanac | a list of names | a bill of sale
    a parish register | a notebook | a telegram | a deed | a page of sums
sky:
    pale | low | clear | heavy | yellowish | leaden | mottled | starless | colourless
"""
HARBOUR = """
place:
    the quay | the sail loft | the chandler's shop | the ferry steps | the customs shed | the net racks | the boatyard
    the lighthouse path | the fish market | the pilots' office | the rope-walk | the breakwater | the old dry dock
thing:
    coil of rope | lantern | anchor | oar | herring barrel | compass | tide table | block and tackle | lobster pot
    tarpaulin | boathook | sextant | cork float | ship's bell
weather:
    a thin sea-rain | fog from the banks | a stiff easterly | salt drizzle | a flat calm | a rising gale | spring haze
sound:
    halyards slapping | gulls quarrelling | water sucking at the piles | a fog bell | the clank of a capstan
    oars knocking in their locks | a caulker's mallet
smell:
    tar | brine | drying nets | coal smoke | fish scales | wet hemp | paraffin
work:
    mending nets | painting a hull | gutting herring | splicing a line | baling out a dinghy | counting crates
    scraping barnacles | filling lamps
folk:
    fishermen | porters | pilots | net-makers | ferrymen | coopers | riggers | shipwrights | ferry hands
land:
    the bar | the sandbanks | the far headland | the salt marsh | the channel | the islands | the shingle
saying:
    a calm sea owes you nothing | you cannot bargain with a tide | every rope has two ends
    the deepest water is under your own keel | a borrowed boat is always overdue | gulls follow the full net
"""
MOUNTAIN = """
place:
    the upper pasture | the saddler's shop | the toll bridge | the sawmill | the schoolhouse | the hay barn
    the post inn | the chapel steps | the quarry | the dairy | the mule yard | the watch hut | the carver's bench
thing:
    cowbell | sledge | ice axe | pack saddle | milk can | snow shovel | carved box | coil of wire | lantern
    bundle of shingles | pruning hook | cheese mould | pair of snowshoes
weather:
    wet snow | a dry frost | thaw wind from the south | thin sleet | mist from the gorge | hard sunlight
    a snow squall
sound:
    meltwater in the gutters | bells on the slope | the whine of the saw | ice shifting on the roof
    a dog two farms off
    the creak of harness | a stone falling somewhere
smell:
    resin | hay | curds | wood smoke | wet wool | lamp oil | cold iron
work:
    splitting shingles | turning cheeses | shoeing a mule | digging out a path | mending harness | stacking logs
    carving spoons | airing bedding
folk:
    carters | herdsmen | sawyers | cheese-makers | quarrymen | road-menders | guides | pedlars
land:
    the pass | the glacier | the larch wood | the gorge | the high meadow | the scree | the north wall
saying:
    snow keeps no secrets after April | the path is shorter for the one who has walked it
    a mule remembers every blow | nobody owns the wind | the view is paid for with the knees
    the stove is everybody's friend
"""
RIVER = """
place:
    the lock | the coal wharf | the lock-keeper's garden | the malt house | the barge office | the towpath | the weir
    the dyer's yard | the swing bridge | the ferryman's hut | the reed beds | the pump room | the paper mill
thing:
    windlass | barge pole | tow rope | painted can | water gauge | horse collar | punt | eel trap | bell
    sack of malt | mooring ring | tiller | bale of rags
weather:
    mist off the water | a warm drizzle | flood rain | a windless heat | thin ice and fog | a gusty west wind
    soft light
sound:
    water on the sluice | a barge horse blowing | moorhens in the reeds | the mill wheel | a rope drawn tight
    paddle gear clanking | somebody whistling on the far bank
smell:
    river mud | malt | wet rope | horse | bruised mint | coal dust | bleach from the mill
work:
    greasing the paddle gear | leading a horse | raking weed from the grating | caulking a seam | tallying sacks
    sorting rags | setting eel traps | painting a cabin door
folk:
    bargemen | dyers | maltsters | lock-keepers | rag-sorters | wharf boys | eel-catchers | carriers
land:
    the cutting | the flood meadows | the long reach | the aqueduct | the willows | the island | the tunnel mouth
saying:
    the river is never late | still water costs the most | a lock opens from one side at a time
    you cannot hurry a barge, only a bargeman | mud remembers boots | what sinks at the mill floats at the weir
"""
PLAIN = """
place:
    the grain store | the railway halt | the well | the smithy | the seed merchant's | the orchard wall | the windmill
    the weighbridge | the sheep pens | the dance hall | the station bar | the wheelwright's | the court-house porch
thing:
    harness buckle | seed drill | water barrel | signal lamp | sheepskin | plough blade | milking stool | wheel rim
    sack of barley | hand bell | branding iron | crate of quinces | spade
weather:
    dust and wind | a dry thunderstorm | white heat | hail out of nowhere | the first frost | a week of rain
    a red sunset
sound:
    the mill turning | a goods train far off | crickets | a bucket in the well | hammering
    sheep in the pens | telegraph wires humming
smell:
    dust | straw | axle grease | quinces | hot iron | sheep | rain on dry ground
work:
    sharpening blades | winnowing | loading a wagon | mending a fence | pruning the quinces | sorting seed
    shearing | limewashing a wall
folk:
    shepherds | railwaymen | reapers | carters | seed merchants | saddlers | drovers | well-diggers
land:
    the steppe road | the stubble fields | the dry river | the long ridge | the cutting | the salt flats | the orchard
saying:
    the horizon is only polite | dust settles on the honest too | a well is dug before the thirst
    rain forgives the lazy once | the train does not wait for the goat | a counted sheep is worth two stories
"""
SETTINGS = (HARBOUR, MOUNTAIN, RIVER, PLAIN)
