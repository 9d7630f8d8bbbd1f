"""Where rows come from: each kind of source hands over the raw rows of what it has, and how they are read."""
