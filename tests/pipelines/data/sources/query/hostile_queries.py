"""Queries that try what a source may not, in groups. OUTSIDE stands for a folder beside the workspace."""

from __future__ import annotations

C = "order_id, customer_id, ordered_at, amount"
ALL = f"SELECT {C} FROM 'orders.csv'"


def _with(expression: str, *, more: str = "") -> str:
    """The orders, and beside them what an expression over their columns gives."""
    return f"SELECT {C}, {expression} AS x FROM 'orders.csv' {more}"


def _from(table: str) -> str:
    return f"SELECT o.order_id, o.customer_id, o.ordered_at, o.amount FROM 'orders.csv' AS o, {table}"


# Nothing of these may land.
# fmt: off
REFUSED: dict[str, list[str]] = {
    "files outside, by the name of a file": [
        _from("'/etc/passwd'"),
        _from("'OUTSIDE/secret.csv'"),
        _from("'../outside/secret.csv'"),
        _from("'./../outside/secret.csv'"),
        _from("'sub/../../outside/secret.csv'"),
        _from("'.//..//outside//secret.csv'"),
        _from('"../outside/secret.csv"'),
        _from("'file://OUTSIDE/secret.csv'"),
        _from("'file:OUTSIDE/secret.csv'"),
        _from("'~/secret.csv'"),
        _from("'../*/secret.csv'"),
        _from("'**/../*.csv'"),
        _from("'{orders,../outside/secret}.csv'"),
        _from("'..%2foutside%2fsecret.csv'"),
        _from("'..\\outside\\secret.csv'"),
        _from("'\u2024\u2024/outside/secret.csv'"),
        _from("'/proc/self/environ'"),
        _from("'/proc/self/cwd/secret.csv'"),
        _from("'/dev/stdin'"),
        _from("'https://127.0.0.1:9/secret.csv'"),
        _from("'s3://bucket/secret.parquet'"),
        _from("'hf://datasets/a/b.csv'"),
        _from("'link.csv'"),
        _from("'linked/secret.csv'"),
        _from("'linked/*.csv'"),
        _from("'lin*.csv'"),
        _from("'.'"),
        _from("''"),
        _from("'/'"),
        _from("'**'"),
        _from("'a**.csv'"),
        _from("'[.csv'"),
        _from("'" + "n" * 300 + ".csv'"),
        _from("'" + "d/" * 600 + "n.csv'"),
        _from("'orders.csv\0.csv'"),
        _from("'orders\n.csv'"),
        _from("'ORDERS.CSV'"),
        _from(r"E'..\x2foutside/secret.csv'"),
        _from(r"U&'..\002Foutside/secret.csv'"),
        _from("$$../outside/secret.csv$$"),
        "TABLE '../outside/secret.csv'",
        "FROM 'OUTSIDE/secret.csv' SELECT *",
        f"{ALL} UNION ALL SELECT {C} FROM '../outside/secret.csv'",
        f"{ALL} WHERE amount IN (SELECT amount FROM 'OUTSIDE/secret.csv')",
        f"{ALL} ORDER BY (SELECT amount FROM 'OUTSIDE/secret.csv')",
        _with("(SELECT list_transform([1], lambda x: (SELECT max(amount) FROM 'OUTSIDE/secret.csv')))"),
        _with("EXISTS (FROM 'OUTSIDE/secret.csv')"),
        f"{ALL} LIMIT (SELECT count(*) FROM 'OUTSIDE/secret.csv')",
    ],
    "files of attrition's own": [
        _from("'attrition.sqlite'"),
        _from("'landed/own.csv'"),
        _from("'landed/*.csv'"),
        _from("'./landed/own.csv'"),
        _from("'*/own.csv'"),
        _from("'snapshots/own.csv'"),
        _from("'.attrition-erased.key'"),
        _from("'.attrition-own.csv'"),
        _from("'.*.csv'"),
        _from("'plays.toml'"),
        _from("'attrition.toml'"),
        _from("'own.csv'"),
        _from("'mine/own.csv'"),
        _from("'summary.json'"),
    ],
    "names that a WITH elsewhere makes": [
        "WITH duckdb_views AS (FROM duckdb_views) SELECT sql AS order_id FROM duckdb_views, 'orders.csv'",
        _from("(WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views"),
        _from("(WITH pg_settings AS (SELECT 1) FROM pg_settings), pg_settings"),
        _from("(WITH leaked AS (SELECT 1) FROM leaked), leaked"),
        _from("(WITH job AS (SELECT 1) FROM job), job"),
        _from("(WITH \"OUTSIDE/secret.csv\" AS (SELECT 1) FROM \"OUTSIDE/secret.csv\"), 'OUTSIDE/secret.csv'"),
        _from("(WITH \"/etc/passwd\" AS (SELECT 1) SELECT 1), '/etc/passwd'"),
        f"WITH \"\u017fqlite_master\" AS (SELECT 1) {_from('sqlite_master')}",
        "WITH a AS (FROM sqlite_master), sqlite_master AS (SELECT 1) SELECT * FROM a, 'orders.csv'",
        "WITH RECURSIVE pg_class AS (FROM pg_class UNION ALL FROM pg_class) FROM pg_class, 'orders.csv'",
        f"WITH o AS (WITH duckdb_tables AS (SELECT 1) FROM duckdb_tables) {_from('o, duckdb_tables')}",
    ],
    "tables that are none of ours": [
        _from("duckdb_settings"),
        _from("information_schema.tables"),
        _from("pg_catalog.pg_class"),
        _from("system.main.duckdb_views"),
        _from("sqlite_master"),
        _from("leaked"),
        _from("connection"),
        _from("tables"),
        _from('main."orders.csv"'),
        _from('memory.main."orders.csv"'),
        f"WITH RECURSIVE t(a) USING KEY (a) AS (SELECT 1 UNION SELECT a FROM recurring.t) {_from('t')}",
    ],
    "functions that read, in FROM": [
        *(
            _from(call)
            for call in (
                "read_csv('OUTSIDE/secret.csv')", "read_csv_auto('orders.csv')", "\"READ_CSV\"('OUTSIDE/secret.csv')",
                "main.read_text('/etc/passwd')", "read_text('OUTSIDE/*')", "read_blob('/etc/passwd')",
                "read_json('OUTSIDE/secret.json')", "read_parquet('landed/*.parquet')", "parquet_scan('x.parquet')",
                "parquet_metadata('x.parquet')", "parquet_schema('x.parquet')", "parquet_kv_metadata('x.parquet')",
                "read_duckdb('OUTSIDE/x.db')", "glob('/*')", "sniff_csv('OUTSIDE/secret.csv')",
                "query('FROM ''OUTSIDE/secret.csv''')", "query_table('OUTSIDE/secret.csv')",
                "query_table(['orders.csv', 'OUTSIDE/secret.csv'])",
                "json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", "duckdb_settings()",
                "duckdb_secrets()", "duckdb_views()", "duckdb_extensions()", "duckdb_variables()", "duckdb_logs()",
                "pragma_database_size()", "pragma_table_info('orders.csv')", "pragma_version()",
                "sqlite_scan('attrition.sqlite', 'files')", "sqlite_query('attrition.sqlite', 'SELECT 1')",
                "postgres_scan('host=127.0.0.1', 'public', 'x')", "mysql_query('db', 'SELECT 1')",
                "iceberg_scan('x')", "delta_scan('x')", "st_read('OUTSIDE/secret.csv')",
                "read_xlsx('OUTSIDE/secret.xlsx')", "arrow_scan(140000000, 140000000, 140000000)",
                "arrow_scan_dumb(1, 2, 3)", "pandas_scan(140000000)", "python_map_function(1)",
                "which_secret('s3://a', 's3')", "enable_logging()", "enable_profiling()", "checkpoint()",
                "force_checkpoint()", "histogram('OUTSIDE/secret.csv', a)", "summary('orders.csv')",
                "test_all_types()", "repeat(1, 100000000000)", "seq_scan('x')", "load_aws_credentials()",
                "LATERAL (FROM read_text('/etc/passwd'))",
            )
        ),
        _with("(SELECT content FROM read_text('/etc/passwd'))"),
        "WITH a AS (FROM read_text('/etc/passwd')) SELECT * FROM a, 'orders.csv'",
        "FROM 'orders.csv' SEMI JOIN glob('/etc/*') ON true",
    ],
    "what writes, loads, attaches or sets": [
        *(
            text
            for statement in (
                "COPY (FROM 'orders.csv') TO 'OUTSIDE/out.csv'", "COPY (FROM 'orders.csv') TO '/dev/stdout'",
                "EXPORT DATABASE 'OUTSIDE/db'", "IMPORT DATABASE 'OUTSIDE/db'", "ATTACH 'OUTSIDE/x.db' AS x",
                "ATTACH 'attrition.sqlite' AS x (TYPE sqlite)", "CREATE TABLE x AS FROM 'orders.csv'",
                "CREATE MACRO f() AS 1", "CREATE PERSISTENT SECRET s (TYPE s3)", "INSERT INTO x FROM 'orders.csv'",
                'DROP VIEW "orders.csv"', "INSTALL httpfs", "LOAD httpfs", "LOAD 'OUTSIDE/x.duckdb_extension'",
                "SET enable_external_access = true", "RESET lock_configuration", "SET VARIABLE x = 1",
                "PRAGMA enable_profiling = 'json'", "CALL enable_logging()", "PREPARE p AS SELECT 1", "EXECUTE p",
                "VACUUM", "CHECKPOINT", "USE x", "BEGIN", "EXPLAIN ANALYZE FROM 'orders.csv'",
            )
            for text in (statement, f"{ALL}; {statement}")
        ),
        f"{ALL}\n-- \n;;;COPY (SELECT 1) TO 'OUTSIDE/out.csv'",
        f"{ALL} /* */; /* */ SELECT 2 FROM 'orders.csv'",
        f"{ALL}) TO 'OUTSIDE/out.csv'; SELECT (1",
        f"{ALL}) UNION ALL (FROM 'OUTSIDE/secret.csv'",
        f"{ALL} /* never ends",
        "WITH x AS (INSERT INTO y VALUES (1) RETURNING *) SELECT * FROM x, 'orders.csv'",
        "WITH x AS (DELETE FROM 'orders.csv' RETURNING *) SELECT * FROM x",
        "SELECT * INTO OUTSIDE FROM 'orders.csv'",
        "DESCRIBE 'orders.csv'",
        "SUMMARIZE 'orders.csv'",
        "FROM (DESCRIBE 'orders.csv')",
        "FROM (SHOW ALL TABLES), 'orders.csv'",
        "PIVOT 'orders.csv' ON customer_id",
        "FROM 'orders.csv' TABLESAMPLE 50%",
        f"{ALL} WHERE amount = $1",
        f"{ALL} WHERE amount = ?",
    ],
    "the clock, chance, settings, the environment": [
        *(
            _with(call)
            for call in (
                "current_setting('temp_directory')", "\"Current_Setting\"('home_directory')",
                "pg_catalog.current_setting('memory_limit')", "getvariable('x')", "getenv('CANARY')", "version()",
                "current_database()", "current_schemas(true)", "current_query()", "pg_get_viewdef(1)",
                "pg_get_constraintdef(1)", "get_block_size('memory')", "format_type(1, 1)",
                "pg_postmaster_start_time()", "pg_conf_load_time()", "ago(INTERVAL 1 DAY)",
                "age(TIMESTAMP '2020-01-01')", "system.main.now()", '"NOW"()', "current_localtimestamp()",
                "current_localtime()", "current_timestamp", "localtimestamp", "today()", "random()",
                "list_transform([1], lambda y: random())", "uuidv7()", "setseed(0.5)", "nextval('s')",
                "write_log('x')", "sleep_ms(100000)", "stats(order_id)", "error('no: ' || customer_id)",
                "txid_current()", "set_config('threads', '1', false)", "in_search_path('memory', 'main')",
            )
        ),
        f"{ALL} ORDER BY random()",
        f"{ALL} QUALIFY random() > row_number() OVER ()",
        f"{ALL} LIMIT (random() * 10)::INT",
    ],
    "values that would be quoted": [
        *(
            _with(call)
            for call in (
                "customer_id::INT", "customer_id::DATE", "customer_id::UUID", "customer_id::JSON",
                "customer_id::INT[]", "customer_id::ENUM ('a')", "json_extract('{}', '$.[' || customer_id)",
                "json_deserialize_sql(customer_id)", "date_part(customer_id, DATE '2020-01-01')",
                "date_trunc(customer_id, DATE '2020-01-01')", "timezone(customer_id, TIMESTAMP '2020-01-01')",
                "regexp_matches('x', '(' || customer_id)", "format('{' || customer_id, 1)",
                "map([customer_id, customer_id], [1, 2])", "from_base64(customer_id)", "strptime(customer_id, '%Y')",
                "CASE WHEN customer_id = 'x' THEN 1 ELSE customer_id::BIGINT END",
                "(SELECT customer_id FROM 'orders.csv')", "list_aggregate([1], customer_id)",
                "struct_extract({'a': 1}, customer_id)", "json_transform('{}', customer_id)",
                "customer_id COLLATE canary_of_the_query.x", "strptime('2020', customer_id)", "customer_id + 1",
                "columns(customer_id)",
            )
        ),
        "SELECT * FROM 'orders.csv' GROUP BY 1",
        f"SELECT {C}, unnest(x).nothing FROM 'orders.csv', 'people.json'",
        "SELECT id::INT AS order_id, mail::DATE AS customer_id, mail AS ordered_at, 1 AS amount FROM 'people.json'",
        "SELECT id AS order_id, mail AS customer_id, mail::TIMESTAMP AS ordered_at, 1 AS amount FROM 'items.parquet'",
    ],
    "more of everything": [
        "SELECT " + "(" * 50_000 + "1" + ")" * 50_000 + " FROM 'orders.csv'",
        "SELECT 1" + " + 1" * 50_000 + " FROM 'orders.csv'",
        "SELECT " + "CASE WHEN true THEN " * 400 + "1" + " END" * 400 + " FROM 'orders.csv'",
        "SELECT 1 FROM " + "(FROM " * 400 + "'orders.csv'" + ")" * 400,
        "SELECT 1 FROM 'orders.csv'" + ", 'orders.csv'" * 2_000,
        "WITH a AS (" * 300 + ALL + ") FROM a" * 300,
        "SELECT NULL::" + "STRUCT(a " * 400 + "INT" + ")" * 400 + " FROM 'orders.csv'",
        f"{ALL} -- {'x' * (1 << 20)}",
        f"{ALL} WHERE order_id IN ({', '.join(['1'] * 300_000)}",
        "\0", "\ufeff", ";", "--", "''", "\x1b[2J", "\u202e FROM",
    ],
}
# fmt: on

# These are stopped, whatever they are busy with.
ENDLESS = [
    f"WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n % 7 FROM t) {_from('t')}",
    _with("(WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t)"),
    _with("levenshtein(repeat('a', 900000), repeat('b', 900000))"),
    _with("levenshtein(repeat(order_id, 900000), repeat(customer_id, 900000))"),
    _with("strptime(order_id, CASE WHEN levenshtein(repeat('a', 900000), repeat('b', 900000)) > 1 THEN '%Y' END)"),
    f"{ALL} LIMIT (levenshtein(repeat('a', 900000), repeat('b', 900000)))",
    f"SELECT {C}, count(*) FROM 'orders.csv', range(10000000000) AS a, range(10000000000) AS b GROUP BY ALL",
    _with("list_sum(list_transform(range(40000000), lambda y: sin(y) * cos(y)))"),
    "WITH a0 AS (FROM 'orders.csv')"
    + "".join(f", a{number + 1} AS (FROM a{number} AS x, a{number} AS y)" for number in range(40))
    + " SELECT count(*) AS order_id, 1 AS customer_id, 1 AS ordered_at, 1 AS amount FROM a40",
]

# These ask for more memory than there is.
BOMBS = [
    _with("repeat('x', 3000000000)"),
    _with("repeat(order_id, 1000000000000)"),
    _with("range(1000000000000)"),
    _with("damerau_levenshtein(repeat(order_id, 90000), repeat('b', 900000))"),
    _with("list_resize([1], 1000000000000)"),
    _with("string_agg(repeat('x', 100000000), ',') OVER ()", more=", range(1000)"),
]

# These may be refused, or land: rows of the workspace's own exports alone.
HARMLESS = [
    f"{ALL};",
    f"{ALL} ; ; -- ends",
    f"({ALL})",
    f"{ALL} -- ') TO 'OUTSIDE/out.csv'",
    f"/* ; COPY (SELECT 1) TO 'OUTSIDE/out.csv' */ {ALL}",
    f"SELECT {C} FROM 'it''s; DROP TABLE x --.csv'",
    f"SELECT {C} FROM 'a.csv; DROP.csv'",
    f'SELECT {C} FROM "quo""te.csv"',
    f'SELECT {C} FROM \'orders.csv\', (WITH "orders.csv" AS (SELECT 1) FROM "orders.csv")',
    f'WITH "orders.csv" AS (FROM \'orders.csv\') SELECT {C} FROM "orders.csv"',
    f"WITH secret AS (FROM 'orders.csv'), \"/etc/passwd\" AS (FROM secret) SELECT {C} FROM '/etc/passwd'",
    f"SELECT {C}\u00a0FROM\u3000'orders.csv'",
    _with("json_serialize_sql('FROM ''/etc/passwd''')"),
    _with("'/etc/passwd' COLLATE nocase"),
    _with('customer_id COLLATE "tr_TR"'),
    _with("timezone('Europe/Berlin', TIMESTAMP '2020-03-29 02:30:00')"),
    _with("1 / 0"),
    _with("INTERVAL 1 DAY"),
    _with("NULL::UNION(a INT, b VARCHAR)"),
    _with("'101'::BIT"),
    _with("170141183460469231731687303715884105727::HUGEINT"),
    _with("'12:00:00+02'::TIMETZ"),
    _with("MAP {customer_id: order_id}"),
    _with("{'a': customer_id}"),
    _with("customer_id::BLOB"),
    _with("chr(0) || customer_id"),
    _with('1 AS "", 1 AS "order_id"'),
    f"SELECT {', '.join(f'{number} AS c{number}' for number in range(3_000))}, {C} FROM 'orders.csv'",
    f"{ALL} WHERE order_id NOT IN ({', '.join(['1'] * 100_000)})",
    "SELECT order_id, customer_id, DATE '300000-01-01' AS ordered_at, amount FROM 'orders.csv'",
    "SELECT order_id, customer_id, 'infinity'::TIMESTAMP AS ordered_at, 'nan'::DOUBLE AS amount FROM 'orders.csv'",
    "SELECT order_id, customer_id, 'infinity'::DATE AS ordered_at, 1e308 AS amount FROM 'orders.csv'",
    "SELECT order_id, customer_id, '290000-01-01'::TIMESTAMP_S AS ordered_at, 1 AS amount FROM 'orders.csv'",
    f"{ALL} WHERE regexp_replace(repeat(order_id, 3000), '(a*)*(a*)*b', 'x', 'g') <> ''",
]
