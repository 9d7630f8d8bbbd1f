"""What is done with scores: plays, delivery, and a watch over what came of them."""
