//! When to tell which tracker what: tiers, intervals, back-off and scrapes (BEP 3, 12, 31, 48).
