/* door: the doors to a cluster (net/cluster.h) by hand, for tests: commands on standard input, one
 * answer line each.
 *
 *     open URLS            "ok CLUSTER_ID"
 *     put KIND ID HOST STATE TS
 *     get KIND ID          "ok JSON"
 *     list KIND            "ok ID ID ..."
 *     version              "ok N"
 *     tso COUNT            "ok FIRST"
 *     drive FIRST LAST, move FLOOR CEILING, end, leave
 *     info                 "ok RUNNING FLOOR CEILING LAST LOST"
 *     tikv URLS            opens TiKV
 *     read KEY TS          "ok VALUE": of a key (in hex) at that moment
 *     scan START END TS    "ok COUNT FIRST LAST": how many keys, and which
 *
 * KIND is pumps or drainers. What fails answers "CODE REASON". */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env_os.h"
#include "base/panic.h"
#include "net/cluster.h"
#include "net/tikv.h"

enum { LINE_BYTES = 4096, WORDS_MAX = 6, OUT_BYTES = 1 << 18 };

static struct sl_cluster   *cluster;
static struct sl_tso_drive *drive;
static struct sl_tikv      *store;
static char                 out[OUT_BYTES];
static size_t               used;

static void say(const char *text, size_t count)
{
    if (used + count < sizeof out) {
        memcpy(out + used, text, count);
        used += count;
    }
    out[used] = '\0';
}

static int64_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

static enum sl_node_kind kind_of(const char *word)
{
    return strcmp(word, sl_node_kind_name(SL_NODE_PUMP)) == 0 ? SL_NODE_PUMP : SL_NODE_DRAINER;
}

static enum sl_err say_number(enum sl_err err, uint64_t value)
{
    char text[32];

    if (err == SL_OK)
        say(text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
    return err;
}

static enum sl_err do_open(char **words, struct sl_why *why)
{
    enum sl_err err;

    sl_cluster_free(&cluster);
    err = sl_cluster_open(sl_env_os(), words[1], &cluster, why);
    return say_number(err, err == SL_OK ? sl_cluster_id(cluster) : 0);
}

static enum sl_err do_put(char **words, struct sl_why *why)
{
    struct sl_node node = {.max_commit_ts = number(words[5])};

    if (!sl_node_state_parse(words[4], &node.state))
        return sl_fail(why, SL_USAGE, "no state %s", words[4]);
    (void)snprintf(node.id, sizeof node.id, "%s", words[2]);
    (void)snprintf(node.host, sizeof node.host, "%s", words[3]);
    return sl_registry_put(sl_cluster_registry(cluster), kind_of(words[1]), &node, why);
}

static enum sl_err do_get(char **words, struct sl_why *why)
{
    struct sl_node node;
    char           json[SL_NODE_JSON_BYTES_MAX];
    enum sl_err    err =
        sl_registry_get(sl_cluster_registry(cluster), kind_of(words[1]), words[2], &node, why);

    if (err == SL_OK)
        say(json, sl_node_encode(&node, json));
    return err;
}

static enum sl_err do_list(char **words, struct sl_why *why)
{
    struct sl_node_list list = {0};
    enum sl_err err = sl_registry_list(sl_cluster_registry(cluster), kind_of(words[1]), &list, why);

    for (size_t i = 0; i < list.count; i++) {
        say(list.nodes[i].id, strlen(list.nodes[i].id));
        say(" ", 1);
    }
    sl_node_list_free(&list);
    return err;
}

static enum sl_err do_version(char **words, struct sl_why *why)
{
    uint64_t    version = 0;
    enum sl_err err = sl_registry_version(sl_cluster_registry(cluster), &version, why);

    (void)words;
    return say_number(err, version);
}

static enum sl_err do_tso(char **words, struct sl_why *why)
{
    sl_ts       first = 0;
    enum sl_err err = sl_tso_now(sl_cluster_tso(cluster), (uint32_t)number(words[1]), &first, why);

    return say_number(err, (uint64_t)first);
}

static enum sl_err do_drive(char **words, struct sl_why *why)
{
    return sl_tso_drive_begin(sl_cluster_tso(cluster), number(words[1]), number(words[2]), &drive,
                              why);
}

static enum sl_err do_move(char **words, struct sl_why *why)
{
    return sl_tso_drive_move(drive, number(words[1]), number(words[2]), why);
}

static enum sl_err do_end(char **words, struct sl_why *why)
{
    (void)words;
    return sl_tso_drive_end(&drive, why);
}

static enum sl_err do_leave(char **words, struct sl_why *why)
{
    (void)words, (void)why;
    sl_tso_drive_free(&drive);
    return SL_OK;
}

static enum sl_err do_info(char **words, struct sl_why *why)
{
    struct sl_tso_drive_info info = {0};
    char                     text[128];
    enum sl_err              err = sl_tso_drive_info(sl_cluster_tso(cluster), &info, why);

    (void)words;
    if (err == SL_OK)
        say(text, (size_t)snprintf(
                      text, sizeof text, "%d %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64,
                      info.running ? 1 : 0, info.floor, info.ceiling, info.last_commit, info.lost));
    return err;
}

/* ---- snapshots ---- */

enum { KEY_BYTES = 256, PATIENCE_S = 5 };

static struct sl_slice key_of(const char *hex, uint8_t *bytes)
{
    size_t count = strlen(hex) / 2;

    for (size_t i = 0; i < count && i < KEY_BYTES; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct sl_slice){bytes, count < KEY_BYTES ? count : KEY_BYTES};
}

static void say_hex(struct sl_slice key)
{
    char digits[4];

    say(" ", 1);
    for (size_t i = 0; i < key.len; i++)
        say(digits, (size_t)snprintf(digits, sizeof digits, "%02x", key.bytes[i]));
}

static enum sl_err do_tikv(char **words, struct sl_why *why)
{
    sl_tikv_free(&store);
    return sl_tikv_open(sl_env_os(), words[1], &store, why);
}

static enum sl_err do_read(char **words, struct sl_why *why)
{
    uint8_t        bytes[KEY_BYTES];
    struct sl_buf *value;
    enum sl_err    err = sl_tikv_get(store, key_of(words[1], bytes), number(words[2]),
                                     PATIENCE_S * (sl_nanos)SL_NANOS_PER_S, &value, why);

    if (err != SL_OK)
        return err;
    say((const char *)value->data, value->len);
    sl_buf_free(&value);
    return SL_OK;
}

struct span {
    uint32_t        count;
    struct sl_slice ends[2]; /* the first and the last, in `bytes` */
    uint8_t         bytes[2][KEY_BYTES];
};

static enum sl_err take_key(void *context, struct sl_slice key, struct sl_slice value)
{
    struct span *span = context;
    unsigned     to = span->count++ > 0;

    (void)value;
    if (key.len > KEY_BYTES)
        return SL_TOO_LARGE;
    memcpy(span->bytes[to], key.bytes, key.len);
    span->ends[to] = (struct sl_slice){span->bytes[to], key.len};
    return SL_OK;
}

static enum sl_err do_scan(char **words, struct sl_why *why)
{
    uint8_t     start[KEY_BYTES];
    uint8_t     end[KEY_BYTES];
    struct span span = {0};
    enum sl_err err =
        sl_tikv_scan(store, key_of(words[1], start), key_of(words[2], end), number(words[3]),
                     PATIENCE_S * (sl_nanos)SL_NANOS_PER_S, take_key, &span, why);

    if (err != SL_OK)
        return err;
    (void)say_number(SL_OK, span.count);
    say_hex(span.ends[0]);
    say_hex(span.ends[span.count > 1]);
    return SL_OK;
}

/* What each needs: its words, an open cluster, a drive. */
static const struct command {
    const char *name;
    unsigned    words;
    bool        opened;
    bool        driven;
    enum sl_err (*run)(char **words, struct sl_why *why);
} commands[] = {
    {"open", 2, false, false, do_open},      {"put", 6, true, false, do_put},
    {"get", 3, true, false, do_get},         {"list", 2, true, false, do_list},
    {"version", 1, true, false, do_version}, {"tso", 2, true, false, do_tso},
    {"drive", 3, true, false, do_drive},     {"move", 3, true, true, do_move},
    {"end", 1, true, true, do_end},          {"leave", 1, true, true, do_leave},
    {"info", 1, true, false, do_info},       {"tikv", 2, false, false, do_tikv},
    {"read", 3, false, false, do_read},      {"scan", 4, false, false, do_scan},
};

static enum sl_err run(char *line, struct sl_why *why)
{
    char    *words[WORDS_MAX] = {0};
    char    *rest = line;
    unsigned count = 0;

    while (count < WORDS_MAX && (words[count] = strsep(&rest, " \n")) != NULL)
        count += words[count][0] != '\0' ? 1 : 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *c = &commands[i];

        if (words[0] == NULL || strcmp(words[0], c->name) != 0)
            continue;
        if (count != c->words || (c->opened && cluster == NULL) || (c->driven && drive == NULL) ||
            (store == NULL && (c->run == do_read || c->run == do_scan)))
            break;
        return c->run(words, why);
    }
    return sl_fail(why, SL_USAGE, "not now, or not so");
}

int main(void)
{
    char line[LINE_BYTES];

    sl_panic_install("door");
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct sl_why why = {0};
        enum sl_err   err;

        used = 0;
        out[0] = '\0';
        err = run(line, &why);
        if (err == SL_OK)
            (void)printf("ok %s\n", out);
        else
            (void)printf("%s %s\n", sl_err_name(err), why.text);
        (void)fflush(stdout);
    }
    sl_tso_drive_free(&drive);
    sl_cluster_free(&cluster);
    sl_tikv_free(&store);
    return 0;
}
