"""What the company's data become: landed rows, snapshots, figures; and what the law asks of them."""
