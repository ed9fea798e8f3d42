#include "sluice/loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "sluice/stamps.h"

enum { ACKED_LINE_BYTES_MAX = 48, ACKED_BYTES = 1 << 16 };
static_assert(ACKED_BYTES >= ACKED_LINE_BYTES_MAX, "a line fits");

enum caller_state { CALLER_IDLE, CALLER_PREWRITING, CALLER_PREWRITTEN, CALLER_FINISHING };

struct caller {
    struct write        write;
    struct sl_list_node place; /* in `idle` or `prewritten`, when in that state */
    enum caller_state   state;
    bool                is_job; /* it plays a DDL job */
    sl_ts               start_ts;
    sl_ts               commit_ts; /* 0: rolled back */
};

struct loader {
    const struct sl_env  *env;
    struct loader_options options;
    struct mix           *mix; /* the options' */
    struct stamps         stamps;
    struct writer        *writer;
    struct caller        *callers; /* owned; options.callers */
    struct sl_list        idle;
    struct sl_list        prewritten;
    struct sl_file       *acked;              /* owned; NULL: none is written */
    char                  lines[ACKED_BYTES]; /* of acked, not written yet */
    size_t                lines_bytes;
    sl_nanos              began; /* after the last job that came before all transactions */
    bool                  stopping;
    struct loader_counts  counts;
    enum sl_err           failed; /* SL_OK: not yet */
    struct sl_why         why;
};

static void fail(struct loader *l, enum sl_err err, const struct sl_why *why)
{
    if (l->failed == SL_OK)
        l->failed = sl_fail(&l->why, err, "%s", why->text);
}

/* ---- acknowledged transactions ---- */

static void flush_lines(struct loader *l)
{
    struct sl_why why = {0};
    enum sl_err   err;

    if (l->lines_bytes == 0)
        return;
    if ((err = sl_file_write(l->acked, l->lines, l->lines_bytes, &why)) != SL_OK)
        fail(l, err, &why);
    l->lines_bytes = 0;
}

static void note_acked(struct loader *l, const struct caller *caller)
{
    int length;

    if (l->acked == NULL)
        return;
    if (l->lines_bytes + ACKED_LINE_BYTES_MAX > sizeof l->lines)
        flush_lines(l);
    length = snprintf(l->lines + l->lines_bytes, ACKED_LINE_BYTES_MAX, "%" PRId64 " %" PRId64 "\n",
                      caller->start_ts, caller->commit_ts);
    SL_ASSERT(length > 0 && length < ACKED_LINE_BYTES_MAX);
    l->lines_bytes += (size_t)length;
}

/* ---- a caller's way ---- */

static struct caller *caller_at(struct sl_list_node *node)
{
    return SL_CONTAINER_OF(node, struct caller, place);
}

/* Send what is next: a caller always speaks to the same pump. */
static void send_write(struct loader *l, struct caller *caller, enum write_kind kind,
                       struct sl_buf *request)
{
    uint32_t pump = (uint32_t)(caller - l->callers) % l->options.writer.pump_count;

    caller->write = (struct write){.request = request, .pump = pump, .kind = kind};
    caller->state = kind == WRITE_PREWRITE ? CALLER_PREWRITING : CALLER_FINISHING;
    writer_begin(l->writer, &caller->write);
}

static uint32_t number_of(const struct loader *l, const struct caller *caller)
{
    return (uint32_t)(caller - l->callers);
}

static void send_prewrite(struct loader *l, struct caller *caller, bool is_job, sl_ts start_ts,
                          struct sl_buf *request)
{
    caller->is_job = is_job;
    caller->start_ts = start_ts;
    caller->commit_ts = 0;
    l->counts.begun += !is_job;
    send_write(l, caller, WRITE_PREWRITE, request);
}

/* commit_ts 0: a rollback. */
static enum sl_err send_finish(struct loader *l, struct caller *caller, sl_ts commit_ts,
                               struct sl_why *why)
{
    const struct mix_ops *ops = l->mix->ops;
    struct sl_buf        *request;
    enum sl_err           err;

    caller->commit_ts = commit_ts;
    if (!caller->is_job)
        request = ops->finish(l->mix, number_of(l, caller), caller->start_ts, commit_ts);
    else if ((err = ops->job_finish(l->mix, caller->start_ts, commit_ts, &request, why)) != SL_OK)
        return err;
    if (commit_ts > l->counts.last_commit_ts)
        l->counts.last_commit_ts = commit_ts;
    send_write(l, caller, WRITE_FINISH, request);
    return SL_OK;
}

static void prewrite_done(struct loader *l, struct caller *caller)
{
    if (caller->write.err == SL_OK) {
        caller->state = CALLER_PREWRITTEN;
        sl_list_push_back(&l->prewritten, &caller->place);
        if (!caller->is_job)
            histogram_add(&l->counts.prewrites, sl_env_now(l->env) - caller->write.begun);
    } else if (caller->is_job) {
        fail(l, caller->write.err, &caller->write.why);
    } else {
        (void)send_finish(l, caller, 0, NULL); /* what TiDB says of a transaction that failed */
    }
}

static void count_finished(struct loader *l, const struct caller *caller)
{
    if (caller->commit_ts == 0) {
        l->counts.rolled_back++;
        return;
    }
    l->counts.acked++;
    histogram_add(&l->counts.commits, sl_env_now(l->env) - caller->write.begun);
    note_acked(l, caller);
}

static void finish_done(struct loader *l, struct caller *caller)
{
    const struct mix_ops *ops = l->mix->ops;
    bool                  well = caller->write.err == SL_OK;

    caller->state = CALLER_IDLE;
    sl_list_push_back(&l->idle, &caller->place);
    if (caller->is_job) {
        l->counts.jobs += well;
        if (well)
            ops->job_over(l->mix);
        else
            fail(l, caller->write.err, &caller->write.why);
        return;
    }
    if (well)
        count_finished(l, caller);
    if (ops->over != NULL)
        ops->over(l->mix, number_of(l, caller), well && caller->commit_ts != 0);
}

static void done(void *context, struct write *write)
{
    struct loader *l = context;
    struct caller *caller = SL_CONTAINER_OF(write, struct caller, write);

    sl_buf_free(&write->request);
    l->counts.given_up += write->err != SL_OK;
    if (caller->state == CALLER_PREWRITING)
        prewrite_done(l, caller);
    else
        finish_done(l, caller);
}

/* ---- timestamps for those that wait ---- */

static uint32_t count_list(const struct sl_list *list)
{
    uint32_t count = 0;

    for (struct sl_list_node *n = sl_list_first(list); n != NULL; n = sl_list_next(list, n))
        count++;
    return count;
}

static bool is_to_abort(const struct loader *l, const struct caller *caller)
{
    const struct mix_ops *ops = l->mix->ops;

    return !caller->is_job && ops->aborts != NULL && ops->aborts(l->mix, number_of(l, caller));
}

static enum sl_err commit_prewritten(struct loader *l, struct sl_why *why)
{
    uint32_t             count = count_list(&l->prewritten);
    struct sl_list_node *node;
    sl_ts                ts;
    enum sl_err          err;

    if (count == 0)
        return SL_OK;
    if ((err = stamps_take(&l->stamps, count, &ts, why)) != SL_OK)
        return err;
    while ((node = sl_list_pop_front(&l->prewritten)) != NULL) {
        sl_ts commit_ts = is_to_abort(l, caller_at(node)) ? 0 : ts++;

        if ((err = send_finish(l, caller_at(node), commit_ts, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}

/* How many transactions may begin now by rate and number; *until falls to when one more may. */
static uint32_t allowance(const struct loader *l, sl_nanos now, sl_nanos *until)
{
    uint32_t count = count_list(&l->idle);
    uint64_t left;

    if (count == 0)
        return 0;
    if (l->options.pairs > 0) {
        left = l->options.pairs - l->counts.begun;
        count = left < count ? (uint32_t)left : count;
    }
    if (l->options.rate > 0) {
        double   seconds = (double)(now - l->began) / (double)SL_NANOS_PER_S;
        uint64_t due = (uint64_t)(seconds * (double)l->options.rate) + 1;
        sl_nanos next = l->began + (sl_nanos)((double)due / (double)l->options.rate * 1e9) + 1;

        left = due > l->counts.begun ? due - l->counts.begun : 0;
        count = left < count ? (uint32_t)left : count;
        *until = next < *until ? next : *until;
    }
    return count;
}

static enum sl_err begin_rows(struct loader *l, sl_nanos *until, struct sl_why *why)
{
    uint32_t    count = allowance(l, sl_env_now(l->env), until);
    sl_ts       ts;
    enum sl_err err;

    if (count == 0)
        return SL_OK;
    if ((err = stamps_take(&l->stamps, count, &ts, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < count; i++) {
        struct caller *caller = caller_at(sl_list_first(&l->idle));
        struct sl_buf *request = l->mix->ops->begin(l->mix, number_of(l, caller), ts + i);

        if (request == NULL)
            break;
        (void)sl_list_pop_front(&l->idle);
        send_prewrite(l, caller, false, ts + i, request);
    }
    return SL_OK;
}

/* One job after the other, and nothing beside them. */
static enum sl_err begin_job(struct loader *l, struct sl_why *why)
{
    sl_ts       ts;
    enum sl_err err;

    if (l->counts.begun == 0)
        l->began = sl_env_now(l->env);
    if (writer_busy(l->writer) > 0)
        return SL_OK;
    if ((err = stamps_take(&l->stamps, 1, &ts, why)) != SL_OK)
        return err;
    send_prewrite(l, caller_at(sl_list_pop_front(&l->idle)), true, ts,
                  l->mix->ops->job_prewrite(l->mix, ts));
    return SL_OK;
}

/* ---- the loader ---- */

static enum sl_err open_acked(struct loader *l, struct sl_why *why)
{
    if (l->options.acked == NULL)
        return SL_OK;
    return sl_fs_create(l->env->fs, l->options.acked, &l->acked, why);
}

enum sl_err loader_new(const struct sl_env *env, const struct loader_options *options,
                       struct loader **out, struct sl_why *why)
{
    struct loader *l = calloc(1, sizeof *l);
    enum sl_err    err;

    SL_ASSERT(l != NULL);
    SL_ASSERT(options->callers > 0 && options->callers <= SL_LOAD_CALLERS_MAX);
    l->env = env;
    l->options = *options;
    l->mix = options->mix;
    l->options.writer.done = done;
    l->options.writer.context = l;
    l->stamps = (struct stamps){.env = env, .tso = options->tso};
    sl_list_init(&l->idle);
    sl_list_init(&l->prewritten);
    l->callers = calloc(options->callers, sizeof *l->callers);
    SL_ASSERT(l->callers != NULL);
    for (uint32_t i = 0; i < options->callers; i++)
        sl_list_push_back(&l->idle, &l->callers[i].place);
    if ((err = open_acked(l, why)) != SL_OK ||
        (err = writer_new(env, &l->options.writer, &l->writer, why)) != SL_OK) {
        loader_free(&l);
        return err;
    }
    l->began = sl_env_now(env);
    *out = l;
    return SL_OK;
}

void loader_free(struct loader **loader)
{
    struct loader *old = *loader;

    *loader = NULL;
    if (old == NULL)
        return;
    writer_free(&old->writer);
    for (uint32_t i = 0; i < old->options.callers; i++)
        sl_buf_free(&old->callers[i].write.request); /* of those still under way */
    sl_file_close(&old->acked);
    free(old->callers);
    free(old);
}

void loader_stop(struct loader *loader)
{
    loader->stopping = true;
}

/* Begin what may begin. */
static enum sl_err begin(struct loader *l, sl_nanos *until, struct sl_why *why)
{
    enum sl_err err = commit_prewritten(l, why);

    if (err != SL_OK || l->stopping)
        return err;
    return l->mix->ops->has_job(l->mix) ? begin_job(l, why) : begin_rows(l, until, why);
}

enum sl_err loader_step(struct loader *loader, sl_nanos until, struct sl_why *why)
{
    enum sl_err err = begin(loader, &until, why);

    if (err != SL_OK)
        return err;
    writer_step(loader->writer, until);
    flush_lines(loader);
    if (loader->failed != SL_OK)
        return sl_fail(why, loader->failed, "%s", loader->why.text);
    if (loader->options.pairs > 0 && loader->counts.begun == loader->options.pairs)
        loader->stopping = true;
    if (loader->stopping && writer_busy(loader->writer) == 0 && sl_list_empty(&loader->prewritten))
        return SL_OK;
    return SL_AGAIN;
}

const struct loader_counts *loader_counts(const struct loader *loader)
{
    return &loader->counts;
}

struct writer_counts loader_writes(const struct loader *loader)
{
    return writer_counts(loader->writer);
}

uint32_t loader_busy(const struct loader *loader)
{
    return writer_busy(loader->writer);
}
