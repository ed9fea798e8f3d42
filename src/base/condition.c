#include "base/condition.h"

#include <strings.h>

#include "base/assert.h"

static const struct sl_condition_row rows[SL_CONDITIONS] = {
    /* ---- a pump refuses a write ---- */
    [SL_PUMP_WRONG_CLUSTER] =
        {.code = "SL-1101",
         .name = "cluster",
         .title = "a write of another cluster",
         .cause = "A TiDB of another cluster writes to this pump: it was given this pump's address "
                  "or socket, or the pump the pd-urls of another cluster.",
         .effect = "The write is refused; TiDB's commit fails, or goes on without a binlog if it "
                   "was told to ignore errors.",
         .remedy = "Compare the path of the TiDB with pd-urls of the pump. The message names both "
                   "cluster ids."},
    [SL_PUMP_BAD_PAYLOAD] =
        {.code = "SL-1102",
         .name = "payload",
         .title = "a write that is no binlog",
         .cause = "What came is not a binlog in the form that TiDB writes: another program, or "
                  "bytes that were changed on the way.",
         .effect = "The write is refused. Nothing of it is stored.",
         .remedy = "Find out who writes there: binlogs come from TiDB only."},
    [SL_PUMP_WRONG_STATE] =
        {.code = "SL-1103",
         .name = "state",
         .title = "the pump is not online",
         .cause = "It is pausing, closing or being born, and takes no new transactions; commits "
                  "and rollbacks of those it has are taken.",
         .effect = "TiDB writes to another pump, if there is one.",
         .remedy = "Nothing, if it was asked to pause or go offline and another pump is online. "
                   "Otherwise start it again."},
    [SL_PUMP_TOO_LARGE] =
        {.code = "SL-1104",
         .name = "size",
         .title = "a transaction above max-message-size",
         .cause = "The binlog is larger than max-message-size, which was set; the default takes "
                  "whatever gRPC can carry.",
         .effect = "The write is refused and the transaction fails.",
         .remedy = "Raise max-message-size or leave it out, and restart the pump."},
    [SL_PUMP_NO_SPACE] =
        {.code = "SL-1105",
         .name = "space",
         .title = "no room on the disk",
         .cause = "Not more than stop-write-at-available-space (10 GiB) is free on the file system "
                  "of data-dir.",
         .effect = "All writes are refused until there is more. What is stored stays and is read.",
         .remedy = "Make room on that file system, lower gc if all drainers are near, or add a "
                   "pump on another disk."},
    [SL_PUMP_WRONG_TIME] =
        {.code = "SL-1106",
         .name = "timestamp",
         .title = "a timestamp that the cluster has not given out",
         .cause =
             "The commit ts is beyond all that PD has handed out: PD was restored or replaced, "
             "or the write is not of this cluster.",
         .effect = "The write is refused: taken, it would hide everything that commits below it.",
         .remedy = "See to it that PD's timestamps did not go back."},
    [SL_PUMP_UNRESOLVED] =
        {.code = "SL-1107",
         .name = "unresolved",
         .title = "too many transactions without an outcome",
         .cause = "TiDB prepared many transactions whose commit or rollback never came, and TiKV, "
                  "which knows what became of them, does not answer.",
         .effect = "No new transactions are taken; commits and rollbacks are.",
         .remedy = "Look whether the pump reaches TiKV (query_tikv_count, its log). On local:DIR "
                   "there is no TiKV: end the writer that left them."},
    [SL_PUMP_BUSY] =
        {.code = "SL-1108",
         .name = "busy",
         .title = "the pump cannot store as fast as it is written to, or not at all",
         .cause = "Too many writes of one connection wait for the disk, or the log of a shard "
                  "cannot be written.",
         .effect = "TiDB tries again, and another pump.",
         .remedy = "Look at binlog_pump_storage_error_count and the log of the pump: with errors "
                   "the disk fails; without, it is too slow (fsync)."},
    [SL_PUMP_STOPPING] = {.code = "SL-1109",
                          .name = "stopping",
                          .title = "the pump is ending",
                          .cause = "It was told to end while writes were on their way.",
                          .effect = "TiDB writes to another pump.",
                          .remedy = "Nothing."},

    /* ---- a drainer waits, tries again, or is held ---- */
    [SL_DRAINER_REGISTRY_AWAITED] =
        {.code = "SL-2101",
         .name = "registry",
         .title = "PD does not answer",
         .cause = "No member of pd-urls gives timestamps and the list of pumps; with local:DIR, "
                  "the directory cannot be read.",
         .effect = "Nothing new is merged, since a pump that is not known could have something "
                   "older. What is merged is still applied.",
         .remedy = "Bring PD back; the drainer goes on by itself within seconds. If PD has other "
                   "addresses for good, change pd-urls and restart."},
    [SL_DRAINER_RECORD_NOT_WRITTEN] =
        {.code = "SL-2102",
         .name = "heartbeat",
         .title = "the record in the registry cannot be written",
         .cause = "PD's etcd does not take writes, or local:DIR is full or read-only.",
         .effect = "Replication goes on. Pumps that go offline wait, because they do not see how "
                   "far this drainer is.",
         .remedy = "Bring PD back; nothing is to be done at the drainer."},
    [SL_DRAINER_PUMP_AWAITED] =
        {.code = "SL-2201",
         .name = "pump",
         .title = "a pump is awaited",
         .cause = "A pump that is registered, and not offline, is paused, cannot be reached, or "
                  "waits itself for the outcome of a transaction. It may hold transactions that "
                  "come next.",
         .effect = "Nothing newer than what it sent is merged: the lag grows, nothing is lost.",
         .remedy = "Start the pump again; one that is connected and waits for an outcome asks "
                   "TiKV for it, which must answer. If it is gone for good: binlogctl offline "
                   "NODE --force; what it held and no drainer has read is given up then."},
    [SL_DRAINER_ORDER_BROKEN] =
        {.code = "SL-2202",
         .name = "order",
         .title = "a pump sent what breaks the order",
         .cause = "A transaction came at or below a timestamp up to which everything was merged, "
                  "or two transactions have one commit ts, or bytes that are no binlog came. PD's "
                  "time went back, a pump has the data of another one, or it is damaged.",
         .effect = "The stream is held in front of it; nothing is applied out of order. The pump "
                   "is asked again every second.",
         .remedy = "Keep the data of all pumps. Look at the pump that the reason names: its "
                   "/status and log. If the transaction is known to be right where it is, compare "
                   "its tables downstream and start the drainer again."},
    [SL_DRAINER_SPOOL_FAILS] =
        {.code = "SL-2203",
         .name = "spool",
         .title = "a large transaction cannot be spooled",
         .cause = "A transaction that is too large for memory goes to the folder spool of data-dir "
                  "first, and that file system is full or fails.",
         .effect = "The pump that has it waits, and with it all pumps, once what came before is "
                   "applied. It is tried again every second.",
         .remedy = "Make room on that file system, as much as the transaction has; the drainer "
                   "goes on by itself. Or stop it, and let data-dir be on another disk."},
    [SL_DRAINER_JOB_AWAITED] =
        {.code = "SL-2301",
         .name = "job",
         .title = "a DDL job cannot be read",
         .cause = "The job of a DDL is not in the history yet, which TiDB writes a moment after "
                  "the binlog; or schema-source (TiKV, a TiDB's status port, a file) does not "
                  "answer.",
         .effect = "Everything from that DDL on waits.",
         .remedy = "If it lasts longer than a minute: see that schema-source can be reached and "
                   "has the jobs of this cluster."},
    [SL_DRAINER_TABLE_UNKNOWN] =
        {.code = "SL-2302",
         .name = "table",
         .title = "rows of a table that no DDL job made",
         .cause = "The history that schema-source gave lacks the table: it is of another cluster, "
                  "cut, or older than the rows.",
         .effect = "The stream is held in front of the transaction.",
         .remedy =
             "Remove the file schema from data-dir, which keeps what the history said before, "
             "and start the drainer with the complete history; or leave the transaction out "
             "with ignore-txn-commit-ts and restart."},
    [SL_DRAINER_DDL_NOT_FOLLOWED] =
        {.code = "SL-2303",
         .name = "ddl",
         .title = "a DDL that cannot be followed",
         .cause = "RECOVER or FLASHBACK brings back rows that no binlog has, or the job is of a "
                  "kind or form that this version does not know.",
         .effect = "The stream is held in front of it.",
         .remedy = "Do by hand downstream what it means (the reason says what), add its job id to "
                   "ignore-txn-commit-ts, and restart."},
    [SL_DRAINER_BINLOG_NOT_UNDERSTOOD] =
        {.code = "SL-2304",
         .name = "binlog",
         .title = "a binlog that cannot be understood",
         .cause = "A row does not fit its table, or its bytes are damaged; or a filter takes too "
                  "long for a name.",
         .effect = "The stream is held in front of the transaction; no guess is applied.",
         .remedy = "Keep the data of the pump. Repair the rows by hand, leave the transaction out "
                   "with ignore-txn-commit-ts, and restart. Tell the maintainers."},
    [SL_DRAINER_DOWNSTREAM_FAILS] =
        {.code = "SL-2401",
         .name = "downstream",
         .title = "the downstream fails for now",
         .cause = "It is down, restarting, read-only, full, out of connections, or a lock was not "
                  "to be had. The reason has its words.",
         .effect = "What failed is tried again until it works. Memory is bounded; pumps keep the "
                   "rest.",
         .remedy = "Mend the downstream; the drainer goes on by itself within seconds."},
    [SL_DRAINER_DOWNSTREAM_FORBIDS] =
        {.code = "SL-2402",
         .name = "privilege",
         .title = "the downstream forbids it",
         .cause = "User or password is wrong, or the account lacks a privilege.",
         .effect = "The same is tried again every 5 seconds.",
         .remedy = "Grant the account what the reason names; the drainer goes on by itself. A "
                   "changed password needs a change of the configuration and a restart."},
    [SL_DRAINER_ROWS_REFUSED] =
        {.code = "SL-2403",
         .name = "rows",
         .title = "the downstream refuses rows",
         .cause = "The table there is not as upstream: a column is missing or narrower, a foreign "
                  "key or trigger forbids it, or sql-mode is stricter.",
         .effect = "These rows are tried again every 5 seconds; rows behind them wait.",
         .remedy =
             "Make the table fit; the drainer goes on by itself. Or leave the transaction out "
             "with ignore-txn-commit-ts and restart."},
    [SL_DRAINER_TABLE_MISSING] =
        {.code = "SL-2501",
         .name = "missing",
         .title = "the downstream lacks a table",
         .cause = "Rows of the table come, and it is not there: it is older than the pumps' data "
                  "and was not copied, or somebody dropped it.",
         .effect = "The stream waits in front of its rows.",
         .remedy =
             "Create the table there, or copy it; the drainer goes on by itself. Or filter it "
             "and restart."},
    [SL_DRAINER_DDL_IN_DOUBT] =
        {.code = "SL-2502",
         .name = "doubt",
         .title = "whether a DDL took effect cannot be seen",
         .cause =
             "A drainer died while a DDL ran that changes nothing which can be looked at, such "
             "as exchanging names. To run it twice would undo it.",
         .effect = "The stream is held in front of what follows.",
         .remedy = "Look whether it took effect, and say so with the UPDATE that the reason gives; "
                   "the drainer goes on by itself."},
    [SL_DRAINER_DDL_REFUSED] =
        {.code = "SL-2503",
         .name = "statement",
         .title = "the downstream refuses a DDL or the checkpoint",
         .cause = "The server does not know the syntax or type, or the objects there are not as "
                  "upstream. The reason has its words.",
         .effect = "The statement is tried again every 5 seconds; everything behind it waits.",
         .remedy = "Run a statement downstream that does the same, then leave the DDL out: its "
                   "commit ts, or job id, into ignore-txn-commit-ts, and restart. Or mend what "
                   "hinders it; then the drainer goes on by itself."},
};

const struct sl_condition_row *sl_condition_row(enum sl_condition condition)
{
    SL_ASSERT(condition < SL_CONDITIONS);
    return &rows[condition];
}

enum sl_condition sl_condition_find(const char *code_or_name)
{
    unsigned i = 0;

    while (i < SL_CONDITIONS && strcasecmp(rows[i].code, code_or_name) != 0 &&
           strcasecmp(rows[i].name, code_or_name) != 0)
        i++;
    return (enum sl_condition)i;
}
