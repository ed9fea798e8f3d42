#ifndef SL_TESTS_TOOLS_FAKETIKV_H
#define SL_TESTS_TOOLS_FAKETIKV_H

/* A stand-in for TiKV, as far as the fate of transactions and the history of DDL jobs go. It knows
 * the transactions of a recording (sluice/corpus.h), by primary key, as committed or rolled back,
 * just as recorded; one whose end is not recorded has neither lock nor record. A test changes that
 * by commands, a line each:
 *
 *     lock START_TS TTL_MS   it has a lock and no record
 *     hide START_TS          it has neither
 *     show START_TS          it is as recorded
 *     error KIND COUNT       so many requests get that region error: not-leader, other-leader,
 *                            epoch, not-found, busy
 *     silent on|off          requests get no answer
 *     old on|off             it knows no KvCheckTxnStatus
 *     locked COUNT           so many reads meet a lock
 *     counts                 answers "ok LOOKS CHECKS CLEANS": requests so far
 *
 * The history (tools/fakemeta.h) is what lies beside the recording as ddl-history.jsonl.
 *
 * What is checked and is not committed, or locked and alive, is rolled back from then on. */

#include "base/env.h"
#include "base/err.h"
#include "net/grpc.h"

struct faketikv;

/* Load the recording; corpus_load says how that fails. */
enum sl_err faketikv_open(const struct sl_env *env, const char *path, struct faketikv **out,
                          struct sl_why *why);

/* Does it serve this method? */
bool faketikv_serves(struct sl_slice path);

/* Answer a request: *out is the caller's. SL_GRPC_OK with *out NULL: be silent. */
enum sl_grpc_status faketikv_answer(struct faketikv *tikv, const char *path,
                                    const struct sl_buf *request, struct sl_buf **out);

/* One command; the answer to be printed, with its line end, into out. */
void faketikv_command(struct faketikv *tikv, const char *line, char *out, size_t room);

#endif
