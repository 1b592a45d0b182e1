"""Words that often begin a sentence and are not names."""

WORDS = """
a about above according across additionally advice after again against all almost along already also although always
among an and another any are around as at based because been before behind being below besides between beyond both
but by can chapter clearly company compared conclusion consequently could decision despite did do does during each
earlier either else especially even eventually every everyone everything examples except few finally first for from
further furthermore generally given had has have he hence her here him his how however if in indeed initially
instead into is it its itself just last lastly later least less like likely many meanwhile might more moreover most
much must near neither never nevertheless next no nobody none nonetheless nor not nothing now nowhere of off often
on once one only or other others otherwise our out over overall paper part people perhaps previously question
questions rather report reports results second section several she should show shows similarly since so some someone
something sometimes soon specifically still strengths subsequently such summary table taken than that the their them
then there thereafter therefore these they third this those though three through throughout thus to together too
toward two under unless unlike until up upon us usually very was we weaknesses were what when where whereas whether
which while who whom whose why will with within without would year years yes yet you your
"""
COMMON = frozenset(WORDS.split())
