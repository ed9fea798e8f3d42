/* Prints what the DDL of a recording does downstream, one JSON object a line:
 *
 *     ddl_statements FOLDER mysql|mariadb|tidb
 *
 *     {"job":32,"kind":"execute","repeat":"checkable","schema":"d1","use":"","may_fail":false,
 *      "texts":["create database d1"]} */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lib/ddl_stream.h"

enum { LINE_ROOM = 1 << 20 };

static const char *text_of(struct sl_slice slice)
{
    return slice.len > 0 ? (const char *)slice.bytes : "";
}

static enum sl_err print_action(void *context, const struct sl_ddl_input *input)
{
    static const char *const kinds[] = {
        [SL_DDL_EXECUTE] = "execute", [SL_DDL_SKIP] = "skip", [SL_DDL_STOP] = "stop"};
    static const char *const classes[] = {[SL_DDL_CHECKABLE] = "checkable",
                                          [SL_DDL_REPEATABLE] = "repeatable",
                                          [SL_DDL_INVISIBLE] = "invisible"};
    struct sl_json_out       out = {.bytes = malloc(LINE_ROOM), .room = LINE_ROOM};
    struct sl_ddl_action    *action = NULL;
    struct sl_why           *why = context;
    enum sl_err              err = sl_ddl_plan(input, &action, why);

    if (err != SL_OK || out.bytes == NULL) {
        free(out.bytes);
        return err == SL_OK ? SL_SYSTEM : err;
    }
    sl_json_put(&out, "{\"job\":");
    sl_json_put_int(&out, input->job->id);
    sl_json_put(&out, ",\"kind\":");
    sl_json_put_text(&out, kinds[action->kind]);
    sl_json_put(&out, ",\"repeat\":");
    sl_json_put_text(&out, classes[action->repeat]);
    sl_json_put(&out, ",\"schema\":");
    sl_json_put_text(&out, text_of(action->object.schema));
    sl_json_put(&out, ",\"use\":");
    sl_json_put_text(&out, text_of(action->use_database));
    sl_json_put(&out, action->may_fail ? ",\"may_fail\":true" : ",\"may_fail\":false");
    sl_json_put(&out, ",\"texts\":[");
    for (uint32_t i = 0; i < action->statement_count; i++) {
        sl_json_put(&out, i == 0 ? "" : ",");
        sl_json_put_text(&out, (const char *)action->statements[i].text.bytes);
    }
    sl_json_put(&out, "]}\n");
    (void)fwrite(out.bytes, 1, out.used, stdout);
    err = out.full ? SL_TOO_LARGE : SL_OK;
    free(out.bytes);
    sl_ddl_action_free(&action);
    return err;
}

int main(int argc, char **argv)
{
    struct sl_why      why = {0};
    enum sl_ddl_target target = SL_DDL_MYSQL;
    enum sl_err        err;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: ddl_statements FOLDER mysql|mariadb|tidb\n");
        return 2;
    }
    if (strcmp(argv[2], "mariadb") == 0)
        target = SL_DDL_MARIADB;
    else if (strcmp(argv[2], "tidb") == 0)
        target = SL_DDL_TIDB;
    err = ddl_stream_play(argv[1], target, print_action, &why, &why);
    if (err != SL_OK)
        (void)fprintf(stderr, "%s: %s\n", sl_err_name(err), why.text);
    return err != SL_OK;
}
