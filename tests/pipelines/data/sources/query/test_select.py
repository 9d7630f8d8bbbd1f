from __future__ import annotations

import re

import pytest

from features.errors import SettingsError
from pipelines.data.sources.query.select import Select


def select(text: str) -> Select:
    return Select.of(text, where="orders.sql")


def test_the_files_of_a_query_are_those_that_it_names_in_from_and_not_its_own_tables() -> None:
    found = select("""
        WITH export AS (FROM 'orders.csv'), people AS (SELECT * FROM "people.json" WHERE id IN (FROM 'ids/*.csv'))
        SELECT id, (SELECT max(day) FROM 'orders.csv') FROM export JOIN people USING (id)  -- FROM 'none.csv'
        UNION ALL SELECT * FROM (VALUES (1, 2)) AS more
    """)
    assert sorted(found.files) == ["ids/*.csv", "orders.csv", "people.json"]


def test_the_columns_of_a_query_are_those_that_it_names() -> None:
    found = select("SELECT o.Id, lower(\"E Mail\") AS mail FROM 'a.csv' AS o WHERE Status = 'paid'")
    assert (set(found.columns), found.stars) == ({"id", "e mail", "status"}, False)
    assert select("SELECT * EXCLUDE (a) FROM 'a.csv'").stars


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not one SELECT|is not valid SQL|holds 0 statements"),
        ("SELECT 1", "names no file; name those that it reads in quotes"),
        ("SELECT 1 FROM 'a.csv'; SELECT 2 FROM 'a.csv'", "holds 2 statements; a source is one SELECT"),
        ("SELEC 1", 'is not valid SQL: syntax error at or near "SELEC"'),
        ("COPY (FROM 'a.csv') TO 'b.csv'", "is not one SELECT; a source may read, and neither write, load nor set"),
        ("PIVOT 'a.csv' ON x USING sum(y)", r"Write PIVOT as sum\(\.\.\.\) FILTER"),
        ("FROM read_csv('a.csv')", r"read_csv\(\.\.\.\) is not allowed in FROM; name a file"),
        ("FROM information_schema.tables", r"reads information_schema\.tables, and there are no tables but files"),
        ("DESCRIBE 'a.csv'", "DESCRIBE and SUMMARIZE give no rows"),
        ("FROM 'a.csv' USING SAMPLE 3", "takes a sample, so the same files would give other rows"),
        ("SELECT * FROM 'a.csv' TABLESAMPLE 10%", "takes a sample"),
        ("SELECT $1 FROM 'a.csv'", r"has a parameter \(\$1 or \?\)"),
        ("SELECT random() FROM 'a.csv'", r"random\(\) depends on when and where it runs"),
        ("SELECT * FROM 'a.csv' WHERE day < current_date", "current_date depends on when"),
        ("SELECT now() FROM 'a.csv'", r"now\(\) depends on when"),
        ("SELECT gen_random_uuid() FROM 'a.csv'", "depends on when"),
        ("SELECT 1" + " + 1" * 3000 + " FROM 'a.csv'", "nested too deep|depth limit|not valid SQL"),
    ],
)
def test_what_is_not_one_select_of_files_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"^orders\.sql: .*({said})"):
        select(text)


def test_every_function_whose_result_changes_by_itself_is_known() -> None:
    for name in ("now", "random", "uuid", "today", "get_current_timestamp", "nextval", "setseed", "write_log"):
        with pytest.raises(SettingsError, match=re.escape(f"{name}() depends on")):
            select(f"SELECT {name}() FROM 'a.csv'")
