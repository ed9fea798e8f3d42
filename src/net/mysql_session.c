#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/mysql_errors.h"
#include "net/mysql_private.h"

enum { SET_BYTES = 2 * SL_MYSQL_VARIABLE_BYTES_MAX + SL_MYSQL_MODE_BYTES_MAX, NO_ZONE_WORDS = 2 };

/* Of a packet: the command is a byte, and the server wants another one to be free. */
enum { PACKET_SPENT_BYTES = 2 };

/* Of the server; the two that a configuration meets. */
enum { ERROR_UNKNOWN_VARIABLE = 1193, ERROR_UNKNOWN_CHARSET = 1115 };

/* ---- what may be sent ---- */

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\'' || *text == '\\' || *text == 0x7f)
            return false;
    return true;
}

static bool is_name(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static bool is_number(const char *text)
{
    if (*text == '-')
        text++;
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* The library would read other characters as a list of hosts, a list of options or the name of a
 * plug-in. */
static bool is_host(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("-._:%[]", *at) == NULL)
            return false;
    return *text != '\0' && strlen(text) < SL_MYSQL_HOST_BYTES_MAX && strstr(text, "://") == NULL;
}

static enum sl_err check_variable(const struct sl_mysql_variable *variable, struct sl_why *why)
{
    static const char *const no_zones[NO_ZONE_WORDS] = {"SYSTEM", "Local"};

    if (!is_name(variable->name) || strlen(variable->name) >= SL_MYSQL_VARIABLE_BYTES_MAX)
        return sl_fail(why, SL_CONFIG,
                       "'%.64s' is no name of a session variable: letters, digits and _",
                       variable->name);
    if (!is_plain(variable->value) || strlen(variable->value) >= SL_MYSQL_VARIABLE_BYTES_MAX)
        return sl_fail(why, SL_CONFIG,
                       "the value of %s has quotes, backslashes or control characters, or is longer"
                       " than %d bytes",
                       variable->name, SL_MYSQL_VARIABLE_BYTES_MAX - 1);
    if (strcasecmp(variable->name, "time_zone") != 0)
        return SL_OK;
    for (size_t i = 0; i < NO_ZONE_WORDS; i++)
        if (strcasecmp(variable->value, no_zones[i]) == 0)
            return sl_fail(why, SL_CONFIG,
                           "'SYSTEM' or 'Local' time_zone is not supported: name"
                           " one, or give its distance from UTC as \"+08:00\"");
    return SL_OK;
}

enum sl_err mysql_session_check(const struct sl_mysql_options *options, struct sl_why *why)
{
    enum sl_err err;

    if (options->socket == NULL && !is_host(options->host))
        return sl_fail(why, SL_CONFIG, "'%.64s' is no host name or address", options->host);
    if (options->password != NULL && strlen(options->password) >= SL_MYSQL_PASSWORD_BYTES_MAX)
        return sl_fail(why, SL_CONFIG, "the password is longer than %d bytes",
                       SL_MYSQL_PASSWORD_BYTES_MAX - 1);
    if (options->connect_timeout_ms == 0 || options->connect_timeout_ms > SL_MYSQL_TIMEOUT_MS_MAX ||
        options->read_timeout_ms > SL_MYSQL_TIMEOUT_MS_MAX ||
        options->write_timeout_ms > SL_MYSQL_TIMEOUT_MS_MAX)
        return sl_fail(why, SL_CONFIG,
                       "time limits of a connection go up to %d s, and connecting"
                       " has one",
                       SL_MYSQL_TIMEOUT_MS_MAX / 1000);
    if (options->sql_mode != NULL &&
        (!is_plain(options->sql_mode) || strlen(options->sql_mode) >= SL_MYSQL_MODE_BYTES_MAX / 2))
        return sl_fail(why, SL_CONFIG, "sql-mode is a list of names with commas between");
    if (options->variable_count > SL_MYSQL_VARIABLES_MAX)
        return sl_fail(why, SL_CONFIG, "%zu session variables; at most %d can be set",
                       options->variable_count, SL_MYSQL_VARIABLES_MAX);
    for (size_t i = 0; i < options->variable_count; i++)
        if ((err = check_variable(&options->variables[i], why)) != SL_OK)
            return err;
    return SL_OK;
}

/* ---- setting ---- */

static enum sl_err run(struct sl_mysql *mysql, const char *sql, struct sl_why *why)
{
    return sl_mysql_exec(mysql, sql, strlen(sql), NULL, why);
}

/* The server refused a statement with an error that is not known to pass. */
static bool is_refusal(const struct sl_mysql *mysql, enum sl_err err)
{
    const struct sl_mysql_error *error = sl_mysql_error(mysql);

    return err == SL_INVALID || (err != SL_OK && error->number != 0 && !error->is_lost &&
                                 sl_mysql_meaning(error->number) == NULL);
}

/* Set one variable; what the server says of its name or value is a matter of configuration. */
static enum sl_err set_variable(struct sl_mysql *mysql, const char *name, const char *value,
                                struct sl_why *why)
{
    char        sql[SET_BYTES];
    const char *quote = is_number(value) ? "" : "'";
    enum sl_err err;

    (void)snprintf(sql, sizeof sql, "SET SESSION %s=%s%s%s", name, quote, value, quote);
    err = run(mysql, sql, why);
    if (is_refusal(mysql, err))
        err = SL_CONFIG;
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "set the session variable %s", name);
}

static enum sl_err set_variables(struct sl_mysql *mysql, const struct sl_mysql_options *options,
                                 struct sl_mysql_session *session, struct sl_why *why)
{
    for (size_t i = 0; i < options->variable_count; i++) {
        const struct sl_mysql_variable *v = &options->variables[i];
        enum sl_err                     err = set_variable(mysql, v->name, v->value, why);

        if (err == SL_CONFIG && v->is_optional &&
            (sl_mysql_error(mysql)->number == ERROR_UNKNOWN_VARIABLE ||
             strstr(sl_mysql_error(mysql)->text, "Unknown system variable") != NULL))
            continue;
        if (err != SL_OK)
            return err;
        if (v->is_optional)
            session->optional_set |= UINT64_C(1) << i;
        if (strcasecmp(v->name, "time_zone") == 0)
            (void)snprintf(session->zone, sizeof session->zone, "%s", v->value);
    }
    return SL_OK;
}

static enum sl_err set_names(struct sl_mysql *mysql, struct sl_mysql_session *session,
                             struct sl_why *why)
{
    enum sl_err err = run(mysql, "SET NAMES utf8mb4", why);

    session->has_utf8mb4 = err == SL_OK;
    if (err != SL_OK && sl_mysql_error(mysql)->number == ERROR_UNKNOWN_CHARSET)
        err = run(mysql, "SET NAMES utf8", why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "set the character set");
}

/* ---- learning ---- */

/* The first cell of the only row. */
struct fact {
    char  *text;
    size_t room;
};

static enum sl_err take_fact(void *arg, const struct sl_mysql_cell *cells, size_t count,
                             struct sl_why *why)
{
    struct fact *fact = arg;

    if (count == 0 || cells[0].text == NULL || cells[0].len >= fact->room)
        return sl_fail(why, SL_UNSUPPORTED, "the server's answer is not what was asked for");
    memcpy(fact->text, cells[0].text, cells[0].len + 1);
    return SL_OK;
}

static enum sl_err ask(struct sl_mysql *mysql, const char *sql, char *text, size_t room,
                       struct sl_why *why)
{
    struct fact fact = {text, room};
    enum sl_err err;

    text[0] = '\0';
    err = sl_mysql_query(mysql, sql, strlen(sql), take_fact, &fact, why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "ask \"%s\"", sql);
}

static enum sl_err learn_kind(struct sl_mysql *mysql, struct sl_mysql_session *session,
                              struct sl_why *why)
{
    enum sl_err err =
        ask(mysql, "SELECT VERSION()", session->version, sizeof session->version, why);

    session->kind = strcasestr(session->version, "tidb") != NULL      ? SL_MYSQL_IS_TIDB
                    : strcasestr(session->version, "mariadb") != NULL ? SL_MYSQL_IS_MARIADB
                                                                      : SL_MYSQL_IS_MYSQL;
    return err;
}

static enum sl_err learn_packet(struct sl_mysql *mysql, struct sl_mysql_session *session,
                                struct sl_why *why)
{
    char        text[32];
    uint64_t    bytes;
    enum sl_err err = ask(mysql, "SELECT @@max_allowed_packet", text, sizeof text, why);

    if (err != SL_OK)
        return err;
    bytes = strtoull(text, NULL, 10);
    if (bytes < SL_MYSQL_PACKET_BYTES_MIN)
        return sl_fail(why, SL_CONFIG,
                       "max_allowed_packet of the server is %" PRIu64
                       " bytes; it must be at least %d",
                       bytes, SL_MYSQL_PACKET_BYTES_MIN);
    if (bytes > SL_MYSQL_PACKET_BYTES_MAX)
        bytes = SL_MYSQL_PACKET_BYTES_MAX;
    session->statement_bytes_max = bytes - PACKET_SPENT_BYTES;
    return SL_OK;
}

/* The distance of the server's clock from UTC in whole minutes, of "-03:29:59.999999". False: it is
 * none. */
static bool read_offset(const char *text, int *minutes)
{
    int  hour;
    int  minute;
    int  second;
    bool is_west = *text == '-';

    if (is_west)
        text++;
    if (sscanf(text, "%2d:%2d:%2d", &hour, &minute, &second) != 3)
        return false;
    *minutes = hour * 60 + minute + (second >= 30);
    if (*minutes > 14 * 60)
        return false;
    if (is_west)
        *minutes = -*minutes;
    return true;
}

/* Without a configured zone the session's is fixed to what the server's is now. */
static enum sl_err fix_zone(struct sl_mysql *mysql, struct sl_mysql_session *session,
                            struct sl_why *why)
{
    char        text[32];
    int         minutes;
    enum sl_err err;

    if (session->zone[0] != '\0')
        return SL_OK;
    err = ask(mysql, "SELECT CAST(TIMEDIFF(NOW(6), UTC_TIMESTAMP(6)) AS TIME)", text, sizeof text,
              why);
    if (err != SL_OK)
        return err;
    if (!read_offset(text, &minutes))
        return sl_fail(why, SL_CONFIG,
                       "the server's clock is %s away from UTC, which is no time"
                       " zone; set time_zone in [syncer.to.params]",
                       text);
    (void)snprintf(session->zone, sizeof session->zone, "%c%02d:%02d", minutes < 0 ? '-' : '+',
                   abs(minutes) / 60, abs(minutes) % 60);
    return set_variable(mysql, "time_zone", session->zone, why);
}

/* ---- sql_mode ---- */

static bool word_is(const char *word, size_t len, const char *name)
{
    return len == strlen(name) && strncasecmp(word, name, len) == 0;
}

/* The modes of `from` into `to`, which is as large as from may be long, less those that the options
 * take out. */
static void filter_modes(const char *from, bool without_strict, char *to)
{
    size_t used = 0;

    while (*from != '\0') {
        size_t len = strcspn(from, ",");
        bool   drop = len == 0 || (without_strict && (word_is(from, len, "STRICT_TRANS_TABLES") ||
                                                    word_is(from, len, "STRICT_ALL_TABLES") ||
                                                    word_is(from, len, "TRADITIONAL")));

        if (!drop) {
            if (used > 0)
                to[used++] = ',';
            memcpy(to + used, from, len);
            used += len;
        }
        from += len + (from[len] == ',');
    }
    to[used] = '\0';
}

/* Rows come with the values that the upstream gave them: 0 in an AUTO_INCREMENT column is 0, and
 * not a request for the next number. */
#define OUR_MODE "NO_AUTO_VALUE_ON_ZERO"

static enum sl_err set_modes(struct sl_mysql *mysql, const struct sl_mysql_options *options,
                             struct sl_mysql_session *session, struct sl_why *why)
{
    char        modes[SL_MYSQL_MODE_BYTES_MAX];
    char        kept[SL_MYSQL_MODE_BYTES_MAX + sizeof OUR_MODE + 1];
    size_t      len;
    enum sl_err err = SL_OK;

    if (options->sql_mode != NULL)
        (void)snprintf(modes, sizeof modes, "%s", options->sql_mode);
    else
        err = ask(mysql, "SELECT @@SESSION.sql_mode", modes, sizeof modes, why);
    if (err != SL_OK)
        return err;
    filter_modes(modes, options->without_strict, kept);
    len = strlen(kept);
    (void)snprintf(kept + len, sizeof kept - len, "%s", len == 0 ? OUR_MODE : "," OUR_MODE);
    if ((err = set_variable(mysql, "sql_mode", kept, why)) != SL_OK ||
        (err = ask(mysql, "SELECT @@SESSION.sql_mode", session->sql_mode, sizeof session->sql_mode,
                   why)) != SL_OK)
        return err;
    session->no_backslash_escapes = strstr(session->sql_mode, "NO_BACKSLASH_ESCAPES") != NULL;
    return SL_OK;
}

enum sl_err mysql_session_set_up(struct sl_mysql *mysql, const struct sl_mysql_options *options,
                                 struct sl_mysql_session *session, struct sl_why *why)
{
    enum sl_err err;

    if ((err = set_names(mysql, session, why)) != SL_OK ||
        (err = learn_kind(mysql, session, why)) != SL_OK ||
        (err = set_variable(mysql, "autocommit", "1", why)) != SL_OK ||
        (err = set_variables(mysql, options, session, why)) != SL_OK ||
        (err = set_modes(mysql, options, session, why)) != SL_OK ||
        (err = fix_zone(mysql, session, why)) != SL_OK)
        return err;
    return learn_packet(mysql, session, why);
}
