/* A pump that says what a file says, for tests of what a drainer does with a bad one:
 *
 *     feedpump FILE honest     each stream: the payloads of FILE above where it begins
 *     feedpump FILE stubborn   each stream: all payloads of FILE
 *
 * FILE is a sequence of u32 little endian and so many bytes, a payload each, valid or not; it is
 * read again for every payload, so it may grow while a drainer waits for more, or be replaced. The
 * address is printed on standard output. Runs until it is killed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/env_os.h"
#include "lib/fake_pump.h"

enum { HEAD_BYTES = 4, STEP_MS = 2 };

struct feed {
    struct sl_fs *fs;
    const char   *path;
    bool          is_honest;
    /* Where the next payload of the newest stream stands, or any before it. */
    sl_ts    from;
    unsigned sent;
    uint64_t at;
};

/* The payload at *at, which moves behind it; NULL: none, or not whole yet. */
static struct sl_buf *read_payload(struct sl_file *file, uint64_t *at)
{
    uint8_t        head[HEAD_BYTES];
    struct sl_buf *payload;
    size_t         got;

    if (sl_file_read_at(file, *at, head, sizeof head, &got, NULL) != SL_OK || got < sizeof head)
        return NULL;
    payload = sl_buf_new(sl_bytes_get_u32(head));
    if (sl_file_read_at(file, *at + sizeof head, payload->data, payload->len, &got, NULL) !=
            SL_OK ||
        got < payload->len) {
        sl_buf_free(&payload);
        return NULL;
    }
    *at += sizeof head + payload->len;
    return payload;
}

/* What cannot be read is above everything. */
static bool is_passed(const struct sl_buf *payload, sl_ts from)
{
    struct sl_record record;

    return sl_record_decode(sl_slice_from_buf(payload), &record, NULL) == SL_OK &&
           record.commit_ts <= from;
}

static struct sl_buf *next_payload(void *context, uint64_t cluster_id, sl_ts from, unsigned sent)
{
    struct feed    *feed = context;
    struct sl_file *file;
    struct sl_buf  *payload;
    uint64_t        at = 0;
    unsigned        skip = sent;

    (void)cluster_id;
    if (sent > 0 && from == feed->from && sent >= feed->sent) {
        at = feed->at;
        skip = sent - feed->sent;
    }
    if (sl_fs_open(feed->fs, feed->path, SL_OPEN_READ, &file, NULL) != SL_OK)
        return NULL;
    for (;;) {
        payload = read_payload(file, &at);
        if (payload == NULL)
            break;
        if (feed->is_honest && is_passed(payload, from))
            sl_buf_free(&payload);
        else if (skip-- == 0)
            break;
        else
            sl_buf_free(&payload);
    }
    sl_file_close(&file);
    if (payload != NULL) {
        feed->from = from;
        feed->sent = sent;
        feed->at = at - HEAD_BYTES - payload->len;
    }
    return payload;
}

int main(int argc, char **argv)
{
    const struct sl_env    *env = sl_env_os();
    struct feed             feed;
    struct fake_pump_events events = {.pull = next_payload, .streams_stay = true, .context = &feed};
    struct fake_pump       *pump;

    if (argc != 3)
        return EXIT_FAILURE;
    feed =
        (struct feed){.fs = env->fs, .path = argv[1], .is_honest = strcmp(argv[2], "honest") == 0};
    pump = fake_pump_new(env, 0, &events);
    printf("%s\n", fake_pump_address(pump));
    (void)fflush(stdout);
    for (;;) {
        fake_pump_step(pump);
        sl_net_wait(env->net, NULL, 0, sl_env_now(env) + STEP_MS * (sl_nanos)SL_NANOS_PER_MS);
    }
}
