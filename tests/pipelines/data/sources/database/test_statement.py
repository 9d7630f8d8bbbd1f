from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.dialects import mysql, postgresql, sqlite

from features.errors import SettingsError
from pipelines.data.sources.database.statement import Statement

SINCE = datetime(2024, 1, 2, 3, 4, 5)


def statement(text: str, system: str = "postgresql") -> Statement:
    return Statement.of(text, system=system, where="the query")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not one SELECT"),
        ("DELETE FROM t", "is not one SELECT"),
        ("EXPLAIN SELECT 1", "is not one SELECT"),
        ("SELECT 1; SELECT 2", "holds more than one statement"),
        ("SELECT 1; DROP TABLE t", "holds more than one statement"),
        ("SELECT * INTO other FROM t", "SELECT ... INTO writes"),
        ("SELECT 1) AS a, (SELECT 2", "its parentheses do not close as they open"),
        ("SELECT (1", "its parentheses do not close as they open"),
        ("SELECT 'ann", "a quote, a name or a comment is opened and never closed"),
    ],
)
def test_what_is_not_one_select_is_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as found:
        statement(text)
    assert words in str(found.value)
    assert "ann" not in str(found.value)


def test_a_comment_that_mysql_runs_is_refused() -> None:
    text = "SELECT 1 /*!50000 INTO OUTFILE 'x' */"
    assert statement(text).text
    with pytest.raises(SettingsError, match="a comment that MySQL runs"):
        statement(text, "mysql")


@pytest.mark.parametrize(
    "text", ["SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a;;", "(SELECT 1) UNION (SELECT 2) -- x"]
)
def test_one_select_stands_within_another(text: str) -> None:
    asked = str(statement(text).headings(SINCE).compile())
    assert asked == f"SELECT * FROM (\n{text.rstrip(';').removesuffix(' -- x')}\n) AS answer WHERE 1 = 0"


def test_since_is_the_only_parameter_and_stands_in_no_text_or_comment() -> None:
    asked = statement("SELECT a::int, ':since', '10:30', x[1:n] FROM t -- :since\nWHERE u >= :since OR v > :Since")
    compiled = asked.rows(SINCE).compile(dialect=postgresql.dialect())
    assert str(compiled) == (
        "SELECT * FROM (\nSELECT a::int, ':since', '10:30', x[1:n] FROM t -- :since\n"
        "WHERE u >= %(since)s::TIMESTAMP WITHOUT TIME ZONE OR v > %(since)s::TIMESTAMP WITHOUT TIME ZONE\n) AS answer"
    )
    assert compiled.params == {"since": SINCE}


def test_a_percent_sign_is_one() -> None:
    asked = statement("SELECT a FROM t WHERE b LIKE '50%' AND c >= :since", "mysql").rows(SINCE)
    assert "LIKE '50%%' AND c >= %s" in str(asked.compile(dialect=mysql.pymysql.dialect()))


def test_sqlite_compares_moments_as_text() -> None:
    asked = statement("SELECT a FROM t WHERE b >= :since", "sqlite").rows(SINCE)
    assert asked.compile(dialect=sqlite.dialect()).params == {"since": "2024-01-02 03:04:05"}
