"""The lexicon: the words that a referring expression may be made of.

A category is what an object is (canonical name, singular). Its nouns are the words people use for it. A group is a
category that is the union of others ("water" is every river, lake and pond). Colours, sizes, places, relations and
function words follow. A word is known when it stands here, inflections included; everything else is reported.
"""

from functools import cache

# canonical category -> nouns, singular; the first one is the most usual.
NOUNS: dict[str, tuple[str, ...]] = {
    "building": (
        "building",
        "house",
        "roof",
        "rooftop",
        "home",
        "residence",
        "structure",
        "hall",
        "warehouse",
        "hangar",
    ),
    "shed": ("shed", "hut", "garage", "outbuilding", "barn", "carport"),
    "road": ("road", "street", "highway", "lane", "freeway", "avenue", "motorway", "track", "carriageway", "alley"),
    "path": ("path", "footpath", "trail", "cart path", "walkway", "sidewalk"),
    "driveway": ("driveway", "drive"),
    "vehicle": ("car", "vehicle", "automobile", "van", "pickup"),
    "truck": ("truck", "lorry", "bus", "trailer", "semi"),
    "tree": ("tree", "bush", "shrub", "palm"),
    "forest": ("forest", "wood", "woodland", "grove", "thicket"),
    "grass": ("grass", "lawn", "meadow", "turf", "grassland", "green field", "green area"),
    "field": ("field", "farmland", "crop", "cropland", "plot", "farm", "paddock"),
    "orchard": ("orchard", "plantation", "vineyard"),
    "vegetation": ("vegetation", "greenery", "plant", "green"),
    "bare soil": ("bare soil", "soil", "bare ground", "dirt", "bare land", "land", "earth", "ground", "bare earth"),
    "sand": ("sand", "beach"),
    "shore": ("shore", "coast", "bank", "sandbar", "dune"),
    "bunker": ("bunker", "sand trap", "sand bunker"),
    "green": ("putting green", "golf green"),
    "fairway": ("fairway",),
    "golf course": ("golf course", "golf field"),
    "river": ("river", "stream", "creek", "canal", "channel", "watercourse"),
    "lake": ("lake", "pond", "pool of water", "reservoir", "basin", "lagoon"),
    "sea": ("sea", "ocean", "bay"),
    "water": ("water", "water body", "body of water"),
    "swimming pool": ("swimming pool", "pool"),
    "parking lot": ("parking lot", "car park", "parking area", "parking"),
    "pavement": ("pavement", "paved area", "apron", "tarmac", "asphalt", "concrete", "courtyard", "square", "patio"),
    "airplane": ("airplane", "plane", "aircraft", "aeroplane", "jet", "airliner"),
    "helicopter": ("helicopter",),
    "runway": ("runway", "airstrip"),
    "taxiway": ("taxiway",),
    "airport": ("airport", "airfield", "terminal"),
    "storage tank": ("storage tank", "tank", "oil tank", "fuel tank", "silo"),
    "tennis court": ("tennis court", "court"),
    "basketball court": ("basketball court",),
    "sports field": ("sports field", "soccer field", "football field", "pitch", "soccer ball field"),
    "running track": ("running track", "ground track field", "athletics track"),
    "stadium": ("stadium", "arena"),
    "baseball diamond": ("baseball diamond", "baseball field", "ball diamond", "diamond", "infield"),
    "boat": ("boat", "ship", "vessel", "yacht", "sailboat", "ferry", "barge"),
    "pier": ("pier", "dock", "jetty", "wharf", "quay", "pontoon"),
    "harbor": ("harbor", "harbour", "port", "marina"),
    "bridge": ("bridge", "overpass", "flyover", "viaduct"),
    "roundabout": ("roundabout", "traffic circle"),
    "intersection": ("intersection", "crossroad", "junction", "crossing"),
    "railway": ("railway", "rail", "railroad", "train track"),
    "train": ("train", "wagon"),
    "train station": ("train station", "railway station", "station"),
    "service area": ("expressway service area", "service area", "rest area"),
    "toll station": ("expressway toll station", "toll station", "toll booth"),
    "dam": ("dam", "weir"),
    "chimney": ("chimney", "smokestack"),
    "windmill": ("windmill", "wind turbine", "turbine"),
    "solar panel": ("solar panel", "photovoltaic panel"),
    "container": ("container", "shipping container"),
    "crane": ("crane", "container crane"),
    "runway marking": ("runway marking", "marking", "stripe", "line"),
    "median": ("median", "median strip", "traffic island"),
    "fence": ("fence", "wall", "hedge"),
    "greenhouse": ("greenhouse", "glasshouse"),
    "quarry": ("quarry", "mine", "pit"),
    "construction site": ("construction site",),
    "cemetery": ("cemetery", "graveyard"),
    "helipad": ("helipad", "heliport"),
    "mound": ("pitcher's mound", "mound"),
    "dugout": ("dugout",),
    "wave": ("wave", "surf", "foam", "breaker"),
    "yard": ("yard", "garden", "backyard"),
    "hot tub": ("hot tub",),
    "marsh": ("marsh", "swamp", "wetland", "mangrove"),
    "shadow": ("shadow",),
    "snow": ("snow", "ice"),
    "cloud": ("cloud",),
    "rock": ("rock", "cliff", "boulder"),
}

# group -> the categories it is the union of.
GROUPS: dict[str, tuple[str, ...]] = {
    "vegetation": ("tree", "forest", "grass", "field", "orchard", "fairway", "green", "vegetation"),
    "water": ("river", "lake", "sea", "water", "swimming pool"),
    "vehicle": ("vehicle", "truck"),
    "building": ("building", "shed"),
    "tree": ("tree", "forest"),
}

# Nouns without a plural of their own.
MASS_NOUNS = frozenset(
    """
    water grass sand soil dirt earth ground land vegetation greenery farmland woodland grassland tarmac asphalt
    concrete parking turf snow ice cropland pavement bare-soil
    """.split()
)

# Categories that go on: a part of one is one as well, and where one ends is a matter of view.
STRETCHES = frozenset(
    """
    road path driveway pavement runway taxiway railway fence fairway river sea lake water wave marsh sand grass field
    orchard vegetation forest tree
    """.split()
) | {"bare soil"}

COLORS: dict[str, tuple[str, ...]] = {
    "white": ("white",),
    "gray": ("gray", "grey", "silver"),
    "black": ("black",),
    "red": ("red",),
    "orange": ("orange", "rusty", "terracotta"),
    "brown": ("brown",),
    "beige": ("beige", "tan", "cream", "sandy"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "olive"),
    "blue": ("blue", "turquoise", "teal", "cyan"),
    "purple": ("purple", "violet", "pink"),
}
SHADES = ("dark", "light", "pale", "bright", "deep")

SIZES: dict[str, tuple[str, ...]] = {
    "large": ("large", "big", "huge", "wide", "long", "tall", "great", "broad", "vast", "giant"),
    "small": ("small", "little", "tiny", "narrow", "short", "compact"),
}
SHAPES = """
    round circular square rectangular oval curved straight winding triangular shaped l-shaped u-shaped t-shaped
    flat slender thin rounded
    gabled pitched elongated irregular diagonal horizontal vertical parallel dashed semicircular octagonal
    heart-shaped kidney-shaped cross-shaped fan-shaped sloped domed
""".split()
MATERIALS = (
    "concrete tin metal tiled clay wooden brick asphalt paved unpaved dirt gravel grassy sandy glass steel".split()
)
STATES = """
    parked moving empty full dry wet bare open closed busy muddy shallow calm dense sparse dead covered leafy
    smooth rough flooded abandoned residential industrial commercial agricultural public main minor old new clear
    visible whole complete single double multi-lane two-lane shaded sunlit striped painted worn faded cut
    commercial private solar adjacent isolated similar
    anchored attached detached joined joining lone only same different other another
""".split()

# place -> words for it as an adjective ("the upper left building").
PLACES: dict[str, tuple[str, ...]] = {
    "left": ("left", "left-hand", "western", "west"),
    "right": ("right", "right-hand", "eastern", "east"),
    "top": ("top", "upper", "northern", "north"),
    "bottom": ("bottom", "lower", "southern", "south"),
    "top left": ("top left", "upper left", "northwestern", "northwest"),
    "top right": ("top right", "upper right", "northeastern", "northeast"),
    "bottom left": ("bottom left", "lower left", "southwestern", "southwest"),
    "bottom right": ("bottom right", "lower right", "southeastern", "southeast"),
    "center": ("central", "middle", "center", "centre"),
}
EXTREMES: dict[str, tuple[str, ...]] = {
    "left": ("leftmost", "westernmost", "far left"),
    "right": ("rightmost", "easternmost", "far right"),
    "top": ("topmost", "uppermost", "northernmost", "highest"),
    "bottom": ("bottommost", "lowest", "lowermost", "southernmost"),
}
COMPARISONS = """
    largest biggest greatest smallest tiniest littlest longest shortest widest narrowest tallest brightest darkest
    closest nearest farthest furthest larger bigger smaller longer shorter wider narrower taller brighter darker
    closer nearer greener bluer redder whiter whitest
""".split()
NUMBERS = """
    one two three four five six seven eight nine ten dozen pair couple several many few both all every each any no
""".split()
ORDINALS = """
    first second third fourth fifth sixth seventh eighth ninth tenth last next
""".split()

RELATIONS = (
    "next to|near|beside|by|close to|adjacent to|left of|right of|to the left of|to the right of|above|"
    "below|over|under|north of|south of|east of|west of|between|inside|within|on|along|around|"
    "surrounded by|in front of|behind|across|opposite|touching|beyond|outside|against|at|beneath|"
    "underneath|amid|among|alongside|facing|connected to|crossing|parallel to|past|through|toward|towards|"
    "away from|far from|bordering|nearby|off|up|down|into|onto|out|apart"
).split("|")

PARTS = """
    side half corner edge part end middle center centre area region quarter section border zone row column group
    cluster line block strip piece pair bank image picture scene photo map view frame background foreground top
    bottom position place location spot patch stretch belt band lot complex object thing one bend curve branch
    wing tail nose tip gap loop arm cone frustum clearing barrier pad enclosure cab number letter plate rectangle circle
    surface meter metre meters metres kilometer kilometre foot feet shape color colour size length width kind type
    direction
""".split()

FUNCTION_WORDS = frozenset(
    """
    a an the of in on at to from with without and or but that which who is are was were be been being it its this
    these those there here not no than then as so very most more less least some such only just find show me
    please give get select segment locate where what search look for you see all i want need mark highlight map
    outline pick has have having can will do does by also too quite rather
    they them their much while either directly diagonally alone whose further m km cm ft yd ha sqm
    """.split()
)

VERB_FORMS = """
    parked parking lying lies located situated standing stands running runs crossing crosses leading leads going
    goes sitting sits facing surrounded surrounding connected connecting touching covered covering lined pointing
    points docked moored painted cut cutting divided separated separating casting cast made built placed found
    shown seen driving drives travelling traveling heading coming entering leaving turning curving winding passing
    following bordering stretching extending spanning occupying enclosed fenced marked planted ploughed mown
    flowing bending
""".split()


# British spelling -> the one that the tables above hold.
AMERICAN = {
    "grey": "gray",
    "greyish": "grayish",
    "centre": "center",
    "harbour": "harbor",
    "harbours": "harbors",
    "metre": "meter",
    "metres": "meters",
    "kilometre": "kilometer",
    "kilometres": "kilometers",
    "colour": "color",
    "coloured": "colored",
    "plowed": "ploughed",
    "theatre": "theater",
    "traveling": "travelling",
}

# Real words, one letter away from a word of the lexicon, that may stand in a phrase: no slips.
REAL_WORDS = frozenset(
    """
    airline airway airways arbor arrow ashore atoll badge badges bakes baron barrow basic baths beech bells
    bench benches berries berry boarder brass bricks bride brides brush build burning cakes carrier caves chart
    chips chores class clock clocks clover coarse cores count counts cover cracks crank crate crest damps decks
    digger ditch diver divers diving downs drain drains ducks dusty faced fairs father fifty finding firms firth
    flames fleet flight float flock flour flower fount frees fridge fronts fuels gable galley garbage given
    gloves goats goods grain groove grooves grounds hatch hatches heads heard heating hides hills holes hoofs
    horse horses inland insides joints latch later links litter liver loading locked lotus lumber makes making
    manor march marine marines market masked match medal metro miles mixes moats molar mother mount mounts mouse
    mouses mouth nearly needs neither nodes order orders others outlined outlines packed packs palace parting
    peace pilot pilots piper planned point polar polls posts power printed printing proof proofs props racing
    rakes ranch range ratio ravel rending rests riders ridge ridges rings rivet rooms rooted rovers rudder ruins
    runaway scent score scores scrub seals seats seeds sending services setting shake shopping shops shred sixty
    skips slack slanted slate sleds slide slips slope slopes slower snowy soils solos sonar spare spark stamp
    stamps steam steep steer stele store stores strands streak streaks stride strides strike strikes stripped
    surroundings swallow swing takes tapes tasks tents thinks though ticket tiles tilted toads toils tolls tools
    tooth tower trace traces tract tracts trams travel trawler troll trunk trunks tubes tyres valley valleys
    vending venue venues walks wards watch weaving wells wheat whips wields windy winning wooded woodlands words
    worth write writer yield yields youth
    """.split()
)


# Nouns that are the same in the singular and the plural.
_PLURAL_NOUNS = frozenset(
    "aircraft woods series stairs sheep tennis athletics people men women children "
    "barracks crossroads headquarters".split()
)


def plural(noun: str) -> str:
    """Return the plural of a noun phrase by the regular English rules; mass nouns stay as they are."""
    first, of, rest = noun.partition(" of ")
    if of:
        return plural(first) + of + rest
    if noun.split()[-1] in MASS_NOUNS | _PLURAL_NOUNS:
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith(("s", "x", "ch", "sh", "z")):
        return noun + "es"
    return noun + "s"


_SINGULARS = {"people": "person", "men": "man", "women": "woman", "children": "child", "leaves": "leaf", "gas": "gas"}
_SINGULARS |= {"bus": "bus", "lens": "lens", "canvas": "canvas", "semis": "semi"}


def singular(noun: str) -> str:
    """Return the singular of a noun phrase; a singular one stays as it is ("tennis court", "bus", "a woods")."""
    first, of, rest = noun.partition(" of ")
    before, space, word = first.rpartition(" ")
    return before + space + _singular_word(word) + of + rest


def _singular_word(word: str) -> str:
    if word in _SINGULARS:
        return _SINGULARS[word]
    if word in _PLURAL_NOUNS or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "buses", "zzes")):
        return word[:-2]
    return word[:-1]


@cache
def content_words() -> frozenset[str]:
    """Return every known word that carries meaning, lower case, inflections included."""
    nouns = [noun for names in NOUNS.values() for noun in names] + PARTS
    phrases = [*nouns, *map(plural, nouns), *NOUNS, *COMPARISONS, *NUMBERS, *ORDINALS, *RELATIONS]
    phrases += [*SHADES, *SHAPES, *MATERIALS, *STATES, *VERB_FORMS]
    for table in (COLORS, SIZES, PLACES, EXTREMES):
        phrases += [word for words in table.values() for word in words]
    words = {word for phrase in phrases for word in phrase.split()}
    words |= {part for word in words for part in word.replace("'s", "").split("-")}
    words |= {f"{color}-{part}" for color in COLORS for part in ("roofed", "colored", "coloured")}
    words |= {
        "roofed",
        "colored",
        "coloured",
        "reddish",
        "greenish",
        "bluish",
        "brownish",
        "grayish",
        "whitish",
        "yellowish",
    }
    return frozenset(words - FUNCTION_WORDS)


@cache
def color_of() -> dict[str, str]:
    """Map every word for a colour to its name."""
    return {word: name for name, words in COLORS.items() for word in words}


@cache
def category_of() -> dict[str, str]:
    """Map every noun phrase, singular and plural, to its category."""
    table: dict[str, str] = {}
    for category, nouns in NOUNS.items():
        for noun in (category, *nouns):
            table.setdefault(noun, category)
            table.setdefault(plural(noun), category)
    return table
