"""The contract rule by rule: small replays whose changes were worked out by hand."""
