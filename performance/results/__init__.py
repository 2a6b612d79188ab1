"""What came of evaluations, to read: heat map, peers, movements, scorecards as documents."""
