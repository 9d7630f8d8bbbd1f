"""What texts in a file mean: spaces, true, false."""

from __future__ import annotations

# What str.strip() removes, and the two marks without width that files leave around ids.
SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
)
TRUE, FALSE = ("true", "yes", "oui", "vrai", "1"), ("false", "no", "non", "faux", "0")
