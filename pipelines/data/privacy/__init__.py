"""How the processing of a customer ends: objections enforced, rows expired, people erased, data handed over."""
