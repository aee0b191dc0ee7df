"""What `wirewatch run` begins with: sample newsroom, real feeds, example alerts."""
