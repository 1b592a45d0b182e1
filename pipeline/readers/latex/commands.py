"""What the commands of LaTeX mean as text."""

ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "H": "\u030b", "u": "\u0306", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331", "t": "\u0361",
}  # fmt: skip
LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "i", "j": "j", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ",
}  # fmt: skip
SIGNS = {
    "dots": "…", "ldots": "…", "textellipsis": "…", "S": "§", "P": "¶", "copyright": "©", "textcopyright": "©",
    "pounds": "£", "textsterling": "£", "euro": "€", "texteuro": "€", "dag": "†", "ddag": "‡", "TeX": "TeX",
    "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "textendash": "–", "textemdash": "—", "slash": "/",
    "textbackslash": "\\", "textbar": "|", "textless": "<", "textgreater": ">", "textasciitilde": "~", "today": "",
    "textasciicircum": "^", "textbullet": "•", "textregistered": "®", "texttrademark": "™", "textdegree": "°",
    "textmu": "µ", "textpm": "±", "texttimes": "×", "textdiv": "÷", "textohm": "Ω", "textminus": "−",
    "textonehalf": "½", "textonequarter": "¼", "textthreequarters": "¾", "textunderscore": "_", "textdollar": "$",
    "textpercent": "%", "textdagger": "†", "textdaggerdbl": "‡", "textsection": "§", "textparagraph": "¶",
    "textcent": "¢", "textyen": "¥", "textmusicalnote": "♪", "textrightarrow": "→", "textleftarrow": "←",
    "textquestiondown": "¿", "textexclamdown": "¡", "textasciigrave": "`", "textasciiacute": "´",
    "textquotesingle": "'", "textquoteright": "’", "textquoteleft": "‘", "textbraceleft": "{",
    "textbraceright": "}", "textasteriskcentered": "*", "degree": "°", "checkmark": "✓", "cmark": "✓", "xmark": "✗",
    "textonesuperior": "¹", "texttwosuperior": "²", "lq": "‘", "rq": "’", "guillemotleft": "«",
    "guillemotright": "»", "textquotedblleft": "“", "textquotedblright": "”", "quad": " ", "qquad": " ",
    "textperiodcentered": "·", "newline": "\u2028", "linebreak": "\u2028", "hfill": " ", "par": "\n\n", "&": "&",
    "%": "%", "$": "$", "#": "#", "_": "_", "{": "{", "}": "}", " ": " ", "\n": " ", "\t": " ", ",": " ", ";": " ",
    ":": " ", ">": " ", "!": "", "/": "", "-": "", "@": "", "\\": "\u2028",
}  # fmt: skip
LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
CITES = {
    "cite", "citep", "citet", "citealt", "citealp", "citeauthor", "citeyear", "citeyearpar", "autocite", "textcite",
    "parencite", "smartcite", "supercite", "footcitetext", "Textcite", "Parencite", "Autocite", "citealias",
    "citetitle", "footcite", "fullcite", "Citet", "Citep", "shortcite", "citen", "onlinecite",
}  # fmt: skip
REFS = {"ref", "eqref", "pageref", "autoref", "cref", "Cref", "nameref", "vref", "subref", "hyperref"}
INPUTS = {"input", "include", "subfile", "import", "subimport", "InputIfFileExists"}
# Commands whose arguments are no text, and how many of them there are.
DROPPED = {
    "label": 1, "vspace": 1, "hspace": 1, "bibliographystyle": 1, "bibliography": 1, "pagestyle": 1, "index": 1,
    "thispagestyle": 1, "setlength": 2, "addtolength": 2, "setcounter": 2, "addtocounter": 2, "includegraphics": 1,
    "nocite": 1, "hypersetup": 1, "definecolor": 3, "colorlet": 2, "fontsize": 2, "addcontentsline": 3, "usepackage": 1,
    "documentclass": 1, "graphicspath": 1, "newtheorem": 2, "newenvironment": 3, "renewenvironment": 3, "newcounter": 1,
    "theoremstyle": 1, "phantom": 1, "hphantom": 1, "vphantom": 1, "pdfbookmark": 2, "renewcommand": 2, "newcommand": 2,
    "providecommand": 2, "DeclareMathOperator": 2, "title": 1, "author": 1, "date": 1, "affiliation": 1, "email": 1,
    "thanks": 1, "institute": 1, "address": 1, "keywords": 0, "rule": 2, "raisebox": 1, "resizebox": 2, "scalebox": 1,
    "parbox": 1, "multicolumn": 2, "multirow": 2, "hyphenation": 1, "bibdata": 1, "lstset": 1, "newlength": 1,
    "enlargethispage": 1, "crefname": 3, "DeclareRobustCommand": 2, "captionsetup": 1, "addbibresource": 1, "cline": 1,
    "cmidrule": 1, "tikzset": 1, "usetikzlibrary": 1, "pgfplotsset": 1, "markboth": 2, "markright": 1, "linespread": 1,
    "cellcolor": 1, "rowcolor": 1, "columncolor": 1, "rowcolors": 3, "arrayrulecolor": 1, "colorbox": 1, "fcolorbox": 2,
    "pagecolor": 1, "hskip": 0, "vskip": 0, "specialrule": 3, "addlinespace": 0, "setlist": 1, "newcolumntype": 2,
    "sisetup": 1, "DeclareSIUnit": 2, "newfloat": 1, "floatname": 2, "lstdefinestyle": 2, "newmdenv": 1, "tcbset": 1,
    "makeatletter": 0, "makeatother": 0, "newif": 0, "titleformat": 5, "titlespacing": 4, "fancyhead": 1,
    "fancyfoot": 1, "lhead": 1, "rhead": 1, "chead": 1, "lfoot": 1, "rfoot": 1, "cfoot": 1, "renewrobustcmd": 2,
    "newrobustcmd": 2, "LTcapwidth": 0, "tabletypesize": 1, "tablewidth": 1, "tablenum": 1, "tablecolumns": 1,
    "foreignlanguage": 1, "selectlanguage": 1, "rotatebox": 1, "href": 1, "stepcounter": 1, "refstepcounter": 1,
}  # fmt: skip
MATH = {
    "equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign", "dmath",
    "subequations", "IEEEeqnarray",
}  # fmt: skip
CODE = {"verbatim", "lstlisting", "Verbatim", "minted", "alltt", "BVerbatim"}
PICTURES = {"tikzpicture", "picture", "pgfpicture", "pspicture", "forest", "comment", "filecontents", "CCSXML"}
TABLES = {"tabu", "longtabu", "NiceTabular", "tabular", "tabularx", "tabulary", "longtable", "supertabular", "xtabular"}
# Environments whose arguments are no text, and how many of them there are.
DESIGN_ARGUMENTS = {
    "thebibliography": 1, "minipage": 1, "multicols": 1, "wrapfigure": 2, "wraptable": 2, "adjustbox": 1, "list": 2,
    "adjustwidth": 2, "subfigure": 1, "subtable": 1, "spacing": 1, "threeparttable": 0,
}  # fmt: skip
STATEMENTS = {
    "theorem", "lemma", "proof", "definition", "corollary", "proposition", "remark", "example", "claim", "conjecture",
    "exercise", "note", "assumption", "axiom",
}  # fmt: skip
QUANTITIES = {"SI", "qty", "si", "unit", "num", "ang", "tablenum", "SIrange", "qtyrange", "numrange"}
SHAPES = {  # commands that set their argument otherwise, and say nothing themselves
    *("textbf", "textit", "emph", "texttt", "textsc", "textrm", "textsf", "textsl", "textup", "textmd", "textnormal"),
    *("underline", "mbox", "hbox", "fbox", "text", "mathrm", "uline", "sout", "enquote", "hl", "centering", "makecell"),
    *(
        "subfloat",
        "subcaption",
        "captionof",
        "bf",
        "it",
        "tt",
        "sc",
        "em",
        "small",
        "footnotesize",
        "ul",
        "so",
        "chapter",
    ),
}
