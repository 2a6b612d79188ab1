"""The demo network: generated, deterministic, labelled as generated.

Nobody and no company in it exists. `network.build` makes everything out of a seed and an end date;
the modules beside it each know one thing: names, people, regions, products, plans of partners, the
market, sales, targets, schemes, and the story that plays it all in the order of time.
"""
