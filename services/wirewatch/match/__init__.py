"""match: articles x subscriptions -> alerts."""
