"""How properties are tried: for as long as it takes on a busy machine, and with nothing kept of it."""

from hypothesis import settings

settings.register_profile("muster", deadline=None, database=None)
settings.load_profile("muster")
