#include "sluice/gate.h"

#include <stdlib.h>

#include "base/assert.h"

/* A commit, to be sorted. */
struct commit {
    sl_ts    commit_ts;
    uint32_t index;
};

static int compare_commits(const void *a, const void *b)
{
    sl_ts left = ((const struct commit *)a)->commit_ts;
    sl_ts right = ((const struct commit *)b)->commit_ts;

    return (left > right) - (left < right);
}

/* Indexes of the commits by commit ts; the caller's. */
static uint32_t *sorted_commits(const struct corpus *corpus)
{
    struct commit *all = calloc(corpus->commits + UINT32_C(1), sizeof *all);
    uint32_t      *sorted = calloc(corpus->commits + UINT32_C(1), sizeof *sorted);
    uint32_t       count = 0;

    SL_ASSERT(all != NULL);
    SL_ASSERT(sorted != NULL);
    for (uint32_t i = 0; i < corpus->count; i++) {
        if (corpus->records[i].type == SL_RECORD_COMMIT)
            all[count++] = (struct commit){corpus->records[i].commit_ts, i};
    }
    SL_ASSERT(count == corpus->commits);
    qsort(all, count, sizeof *all, compare_commits);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = all[i].index;
    free(all);
    return sorted;
}

static sl_ts commit_ts_at(const struct gate *gate, uint32_t place)
{
    SL_ASSERT(place < gate->corpus->commits);
    return gate->corpus->records[gate->commits[place]].commit_ts;
}

/* Step over records that no commit has to wait for. */
static void move_open(struct gate *gate)
{
    const struct corpus *corpus = gate->corpus;

    while (gate->open < corpus->count &&
           (corpus->records[gate->open].type != SL_RECORD_PREWRITE || gate->answered[gate->open]))
        gate->open++;
}

/* Step over commits whose prewrite is answered. Of equal commit ts none is below the ceiling before
 * all are. */
static void move_driven(struct gate *gate)
{
    const struct corpus *corpus = gate->corpus;

    while (gate->driven < corpus->commits &&
           gate->answered[corpus->records[gate->commits[gate->driven]].prewrite]) {
        sl_ts passed = commit_ts_at(gate, gate->driven);

        gate->driven++;
        if (gate->driven == corpus->commits || commit_ts_at(gate, gate->driven) != passed)
            gate->floor = passed;
    }
}

struct gate gate_new(const struct corpus *corpus)
{
    struct gate gate = {.corpus = corpus, .unanswered = corpus->prewrites};

    gate.answered = calloc(corpus->count, sizeof *gate.answered);
    SL_ASSERT(gate.answered != NULL);
    gate.commits = sorted_commits(corpus);
    move_open(&gate);
    return gate;
}

void gate_free(struct gate *gate)
{
    free(gate->answered);
    free(gate->commits);
    *gate = (struct gate){0};
}

void gate_answer(struct gate *gate, uint32_t index)
{
    SL_ASSERT(index < gate->corpus->count);
    SL_ASSERT(gate->corpus->records[index].type == SL_RECORD_PREWRITE);
    if (gate->answered[index])
        return;
    gate->answered[index] = true;
    gate->unanswered--;
    move_open(gate);
    move_driven(gate);
}

bool gate_may_send(const struct gate *gate, uint32_t index)
{
    SL_ASSERT(index < gate->corpus->count);
    return gate->corpus->records[index].type == SL_RECORD_PREWRITE || index < gate->open;
}

struct gate_drive gate_drive(const struct gate *gate)
{
    struct gate_drive drive = {.floor = gate->floor};

    drive.ceiling = gate->driven < gate->corpus->commits ? commit_ts_at(gate, gate->driven)
                                                         : gate_last_commit(gate) + 1;
    SL_ASSERT(drive.floor < drive.ceiling);
    return drive;
}

sl_ts gate_first_commit(const struct gate *gate)
{
    return gate->corpus->commits > 0 ? commit_ts_at(gate, 0) : 0;
}

sl_ts gate_last_commit(const struct gate *gate)
{
    return gate->corpus->commits > 0 ? commit_ts_at(gate, gate->corpus->commits - 1) : 0;
}
