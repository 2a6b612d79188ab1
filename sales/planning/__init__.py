"""Planning targets: splitting an amount, proposals, signing, and the grid of the page."""
