"""The market indicators in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, exact, newest, own
from tests.features.oracles.offers import used
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    seen: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    watched: dict[str, int] = defaultdict(int)
    for row in view["competitor_prices"]:
        watched[row["competitor"]] = max(watched[row["competitor"]], age(row["observed_at"]))
        item = f"product:{row['product_id']}" if row["product_id"] else f"plan:{row['plan']}" if row["plan"] else None
        if item:
            seen[row["competitor"], row["competitor_item"], item].append(row)
    return {customer: _one(used(mine, customer), seen, watched) for customer, mine in own(view, customers).items()}


def _one(uses: Row, seen: Mapping[tuple[str, str, str], list[Row]], watched: Mapping[str, int]) -> Row:
    cheapest: Row = {}
    for (_, _, item), rows in seen.items():
        price = exact(newest(rows, "observed_at")["price"])
        cheapest[item] = min(price, cheapest.get(item, price))
    over = [
        round(own / float(cheapest[item]) * 1e6) for item, own in uses.items() if own is not None and cheapest.get(item)
    ]
    result: Row = {"price_over_competitors": sum(over) / 1e6 / len(over) if over else None}
    for span in lookbacks():
        cuts, new = [], set()
        for (_, _, item), rows in seen.items():
            if item not in uses:
                continue
            old = [row for row in rows if age(row["observed_at"]) > span]
            if old and (then := float(exact(newest(old, "observed_at")["price"]))):
                cuts.append(max(1 - float(exact(newest(rows, "observed_at")["price"])) / then, 0.0))
        for competitor, name in {(c, n) for c, n, item in seen if item in uses}:
            first = max(
                age(row["observed_at"])
                for (c, n, item), rows in seen.items()
                if (c, n) == (competitor, name) and item in uses
                for row in rows
            )
            if first <= span < watched[competitor]:
                new.add((competitor, name))
        result[f"competitor_cut_{span}d"] = max(cuts, default=None)
        result[f"new_competitor_items_{span}d"] = len(new)
    return result
