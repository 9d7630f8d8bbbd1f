"""HubSpot, through its vendor's client."""
