#include "net/tikv_verdict.h"

#include <inttypes.h>
#include <stdio.h>

static void decide(struct sl_tikv_verdict *out, enum sl_tikv_fate fate, const char *text)
{
    *out = (struct sl_tikv_verdict){.fate = fate};
    (void)snprintf(out->why.text, sizeof out->why.text, "%s", text);
}

/* A commit ts that cannot be is no answer. */
static void decide_commit(const struct sl_tikv_question *question, uint64_t commit_ts,
                          struct sl_tikv_verdict *out)
{
    decide(out, SL_TIKV_COMMITTED, "");
    if (commit_ts <= INT64_MAX && (sl_ts)commit_ts > question->start_ts) {
        out->commit_ts = (sl_ts)commit_ts;
        return;
    }
    out->fate = SL_TIKV_UNKNOWN;
    (void)sl_fail(&out->why, SL_INVALID,
                  "TiKV says that it was committed at %" PRIu64 ", not after its start", commit_ts);
}

/* A lock that is past its time is nobody's, and the check removes it. */
static bool lock_lives(const struct sl_tikv_question *question, uint64_t ttl_ms)
{
    int64_t age_ms =
        sl_ts_physical_ms(question->current_ts) - sl_ts_physical_ms(question->start_ts);

    return age_ms < 0 || (uint64_t)age_ms < ttl_ms;
}

bool tikv_judge_found(const struct sl_tikv_question *question, const struct tikv_found *found,
                      struct sl_tikv_verdict *out)
{
    bool failed = found->text[0] != '\0';

    if (!failed && found->committed) {
        decide_commit(question, found->commit_ts, out);
        return true;
    }
    if (!failed && found->rolled_back) {
        decide(out, SL_TIKV_ROLLED_BACK, "");
        return true;
    }
    if (failed)
        decide(out, SL_TIKV_UNKNOWN, found->text);
    else if (found->locked)
        decide(out, SL_TIKV_LOCKED, "its lock is there");
    else
        decide(out, SL_TIKV_UNKNOWN, "there is neither a record nor a lock of it");
    switch (question->may) {
    case SL_TIKV_LOOK: return true;
    case SL_TIKV_ROLL_BACK_ABSENT: return failed || found->locked;
    case SL_TIKV_ROLL_BACK:
        return !failed && found->locked && lock_lives(question, found->lock_ttl_ms);
    }
    return true;
}

/* Neither lock nor commit: what was done about it decides. */
static enum sl_tikv_fate fate_of(uint32_t action)
{
    switch ((enum tikv_action)action) {
    case TIKV_NO_ACTION: /* there was a record of its rollback */
    case TIKV_TTL_EXPIRE_ROLLBACK:
    case TIKV_LOCK_NOT_EXIST_ROLLBACK: return SL_TIKV_ROLLED_BACK;
    case TIKV_MIN_COMMIT_TS_PUSHED:
    case TIKV_TTL_EXPIRE_PESSIMISTIC_ROLLBACK:
    case TIKV_LOCK_NOT_EXIST_DO_NOTHING: break;
    }
    return SL_TIKV_UNKNOWN;
}

void tikv_judge_checked(const struct sl_tikv_question *question, const struct tikv_checked *checked,
                        struct sl_tikv_verdict *out)
{
    if (checked->failed)
        decide(out, SL_TIKV_UNKNOWN, checked->text);
    else if (checked->commit_ts > 0)
        decide_commit(question, checked->commit_ts, out);
    else if (checked->async_commit)
        decide(out, SL_TIKV_UNKNOWN, "it uses async commit, which binlog rules out");
    else if (checked->lock_ttl_ms > 0)
        decide(out, SL_TIKV_LOCKED, "its lock lives");
    else
        decide(out, fate_of(checked->action),
               fate_of(checked->action) == SL_TIKV_UNKNOWN
                   ? "TiKV did with it what was not asked for"
                   : "");
}

void tikv_judge_cleaned(const struct sl_tikv_question *question, const struct tikv_checked *cleaned,
                        struct sl_tikv_verdict *out)
{
    if (cleaned->commit_ts > 0)
        decide_commit(question, cleaned->commit_ts, out);
    else if (cleaned->locked)
        decide(out, SL_TIKV_LOCKED, cleaned->text);
    else if (cleaned->failed)
        decide(out, SL_TIKV_UNKNOWN, cleaned->text);
    else
        decide(out, SL_TIKV_ROLLED_BACK, "");
}
