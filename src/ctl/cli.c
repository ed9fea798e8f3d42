#include "ctl/cli.h"

#include <stdio.h>
#include <string.h>

#include "net/local.h"

enum { URLS_BYTES_MAX = 4096 }; /* pd-urls with what is added to them, terminator included */

/* ---- command line ---- */

enum sl_ctl_exit ctl_fail(const struct sl_ctl_verb *verb, enum sl_err err, const struct sl_why *why)
{
    fprintf(stderr, "binlogctl %s: %s\n", verb->name,
            why->text[0] != '\0' ? why->text : sl_err_text(err));
    return err == SL_USAGE || err == SL_CONFIG ? SL_CTL_USAGE : SL_CTL_FAILED;
}

static void help(const struct sl_ctl_verb *verb, const struct sl_conf_table *table)
{
    printf("binlogctl %s%s%s [flags]\n\n%s\n\n", verb->name, verb->operand != NULL ? " " : "",
           verb->operand != NULL ? verb->operand : "", verb->text);
    sl_conf_help(table, stdout);
}

bool ctl_read(const struct sl_ctl_verb *verb, const struct sl_conf_table *table, int argc,
              const char *const *argv, const char **operand, void *config, enum sl_ctl_exit *code)
{
    struct sl_conf_report report;
    struct sl_conf_input  input = {.argc = argc, .argv = argv};
    struct sl_why         why = {0};
    bool                  has_operand = verb->operand != NULL && argc > 1 && argv[1][0] != '-';

    if (has_operand) { /* its place is where sl_conf_load expects a program's name */
        *operand = argv[1];
        input.argc--;
        input.argv++;
    }
    *code = SL_CTL_USAGE; /* there is nothing but the command line */
    if (sl_conf_load(table, &input, config, &report, &why) != SL_OK) {
        (void)ctl_fail(verb, SL_USAGE, &why);
        return false;
    }
    if (!report.help && (has_operand || verb->operand == NULL))
        return true;
    if (report.help) {
        *code = SL_CTL_OK;
        help(verb, table);
    } else {
        (void)sl_fail(&why, SL_USAGE, "%s must come first; see 'binlogctl %s --help'",
                      verb->operand, verb->name);
        (void)ctl_fail(verb, SL_USAGE, &why);
    }
    sl_conf_free(table, config);
    return false;
}

/* ---- the cluster ---- */

/* Each URL with its scheme. */
static enum sl_err complete(const char *urls, char *out, struct sl_why *why)
{
    size_t used = 0;

    out[0] = '\0';
    for (const char *at = urls;; at++) {
        size_t length = strcspn(at, ",");
        bool   bare = memmem(at, length, "://", 3) == NULL;
        int    count = snprintf(out + used, URLS_BYTES_MAX - used, "%s%s%.*s", used > 0 ? "," : "",
                             bare ? "http://" : "", (int)length, at);

        if (count < 0 || (size_t)count >= URLS_BYTES_MAX - used)
            return sl_fail(why, SL_TOO_LARGE, "pd-urls has more than %d bytes", URLS_BYTES_MAX - 1);
        used += (size_t)count;
        at += length;
        if (*at == '\0')
            return SL_OK;
    }
}

enum sl_err ctl_open(const struct sl_env *env, const char *pd_urls, struct sl_cluster **out,
                     struct sl_why *why)
{
    char        urls[URLS_BYTES_MAX];
    enum sl_err err;

    if (sl_local_dir_of_url(pd_urls) != NULL)
        return sl_cluster_open(env, pd_urls, out, why);
    if ((err = complete(pd_urls, urls, why)) != SL_OK)
        return err;
    return sl_cluster_open(env, urls, out, why);
}

enum sl_err ctl_now(struct sl_cluster *cluster, sl_ts *out, struct sl_why *why)
{
    struct sl_tso           *tso = sl_cluster_tso(cluster);
    struct sl_tso_drive_info drive;
    enum sl_err              err = sl_tso_now(tso, 1, out, why);

    if (err != SL_AGAIN)
        return err;
    if ((err = sl_tso_drive_info(tso, &drive, why)) == SL_OK && !drive.running)
        err = sl_tso_now(tso, 1, out, why); /* it has just ended */
    else if (err == SL_OK)
        *out = drive.floor;
    return err;
}

void ctl_pause(const struct sl_env *env, sl_nanos end)
{
    sl_nanos next = sl_env_now(env) + (sl_nanos)SL_CTL_POLL_MS * SL_NANOS_PER_MS;

    sl_net_wait(env->net, NULL, 0, next < end ? next : end);
}
