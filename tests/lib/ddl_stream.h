#ifndef SL_TESTS_LIB_DDL_STREAM_H
#define SL_TESTS_LIB_DDL_STREAM_H

/* The DDL of a recording as a drainer meets it: the records of tests/corpus/NAME by commit ts, each
 * with its job out of ddl-history.jsonl, and the tracker as the jobs before it have made it. */

#include "base/err.h"
#include "binlog/ddl.h"

/* Called for each DDL record before its job is applied. Anything but SL_OK ends the stream. */
typedef enum sl_err (*ddl_stream_visit)(void *context, const struct sl_ddl_input *input);

/* Play the recording in the folder. The target is put into each input. */
enum sl_err ddl_stream_play(const char *folder, enum sl_ddl_target target, ddl_stream_visit visit,
                            void *context, struct sl_why *why);

#endif
