/* Prometheus' text exposition format 0.0.4. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/metric_parts.h"

/* ---- numbers ---- */

void metric_number_format(double value, char *out)
{
    long exponent;
    int  decimals = 0;

    if (isnan(value) || isinf(value)) {
        (void)snprintf(out, METRIC_NUMBER_BYTES, "%s",
                       isnan(value) ? "NaN" : (value > 0 ? "+Inf" : "-Inf"));
        return;
    }
    do { /* 17 significant digits always read back */
        (void)snprintf(out, METRIC_NUMBER_BYTES, "%.*e", decimals, value);
    } while (strtod(out, NULL) != value && ++decimals < 17);
    exponent = strtol(strchr(out, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        (void)snprintf(out, METRIC_NUMBER_BYTES, "%.*f",
                       decimals > exponent ? decimals - (int)exponent : 0, value);
}

static void write_number(double value, FILE *out)
{
    char text[METRIC_NUMBER_BYTES];

    metric_number_format(value, text);
    (void)fputs(text, out);
}

/* ---- samples ---- */

/* Backslash and newline are escaped everywhere, double quotes only between double quotes. */
static void write_escaped(const char *text, bool quoted, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            (void)fputs("\\n", out);
        else if (*text == '\\' || (*text == '"' && quoted))
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

/* {a="x",le="0.1"}; nothing at all without labels. le: NULL, or the bucket's bound. */
static void write_labels(const struct sl_metric_series *series, const double *le, FILE *out)
{
    const char *before = "{";

    for (unsigned i = 0; i < SL_METRIC_LABELS_MAX && series->values[i] != NULL; i++) {
        (void)fprintf(out, "%s%s=\"", before, series->family->row->labels[i].name);
        write_escaped(series->values[i], true, out);
        (void)fputc('"', out);
        before = ",";
    }
    if (le != NULL) {
        (void)fprintf(out, "%sle=\"", before);
        write_number(*le, out);
        (void)fputc('"', out);
        before = ",";
    }
    if (before[0] == ',')
        (void)fputc('}', out);
}

static void write_sample(const struct sl_metric_series *series, const char *suffix,
                         const double *le, double value, FILE *out)
{
    (void)fprintf(out, "%s%s", series->family->row->name, suffix);
    write_labels(series, le, out);
    (void)fputc(' ', out);
    write_number(value, out);
    (void)fputc('\n', out);
}

/* The count is the sum of the buckets just read, so that it equals the bucket +Inf. */
static void write_histogram(const struct sl_metric_series *series, FILE *out)
{
    const struct metric_family *family = series->family;
    unsigned                    bounds = family->row->buckets.count;
    uint64_t                    count = 0;

    for (unsigned i = 0; i <= bounds; i++) {
        double le = i < bounds ? family->bounds[i] : INFINITY;

        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        write_sample(series, "_bucket", &le, (double)count, out);
    }
    write_sample(series, "_sum", NULL, atomic_load_explicit(&series->value, memory_order_relaxed),
                 out);
    write_sample(series, "_count", NULL, (double)count, out);
}

/* ---- families ---- */

static const char *kind_name(enum sl_metric_kind kind)
{
    switch (kind) {
    case SL_METRIC_COUNTER: return "counter";
    case SL_METRIC_GAUGE: return "gauge";
    case SL_METRIC_HISTOGRAM: return "histogram";
    }
    SL_UNREACHABLE("not a kind of metric");
}

static void write_head(const struct sl_metric_row *row, FILE *out)
{
    (void)fprintf(out, "# HELP %s ", row->name);
    write_escaped(row->help, false, out);
    (void)fprintf(out, "\n# TYPE %s %s\n", row->name, kind_name(row->kind));
}

static bool read_value(const struct sl_metric_series *series, double *out)
{
    const struct sl_metric_row *row = series->family->row;
    const char *const           values[] = {series->values[0], series->values[1]};

    if (row->read != NULL)
        return row->read(series->family->context, values, out);
    *out = row->kind == SL_METRIC_COUNTER
               ? (double)atomic_load_explicit(&series->count, memory_order_relaxed)
               : atomic_load_explicit(&series->value, memory_order_relaxed);
    return true;
}

static int by_values(const void *a, const void *b)
{
    const struct sl_metric_series *left = *(struct sl_metric_series *const *)a;
    const struct sl_metric_series *right = *(struct sl_metric_series *const *)b;

    for (unsigned i = 0; i < SL_METRIC_LABELS_MAX && left->values[i] != NULL; i++) {
        int order = strcmp(left->values[i], right->values[i]);

        if (order != 0)
            return order;
    }
    return 0;
}

static void write_family(const struct metric_family *family, struct sl_metric_series **series,
                         unsigned count, FILE *out)
{
    bool headed = false;

    qsort(series, count, sizeof series[0], by_values);
    for (unsigned i = 0; i < count; i++) {
        double value = 0;
        bool   histogram = family->row->kind == SL_METRIC_HISTOGRAM;

        if (!histogram && !read_value(series[i], &value))
            continue;
        if (!headed)
            write_head(family->row, out);
        headed = true;
        if (histogram)
            write_histogram(series[i], out);
        else
            write_sample(series[i], "", NULL, value, out);
    }
}

/* The lock is held only to copy pointers: nobody waits for `out` or a read function. */
void sl_metric_write(struct sl_metric_registry *registry, FILE *out)
{
    struct sl_metric_series *series[SL_METRIC_SERIES_MAX];

    for (unsigned i = 0; i < registry->family_count; i++) {
        const struct metric_family *family = registry->families[i];
        unsigned                    count;

        (void)pthread_mutex_lock(&registry->lock);
        count = family->series_count;
        memcpy(series, family->series, count * sizeof series[0]);
        (void)pthread_mutex_unlock(&registry->lock);
        write_family(family, series, count, out);
    }
}

/* ---- manual ---- */

/* A bar would end the cell. */
static void write_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            (void)fputc('\\', out);
        (void)fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void write_label_cell(const struct sl_metric_row *row, FILE *out)
{
    for (unsigned i = 0; i < SL_METRIC_LABELS_MAX && row->labels[i].name != NULL; i++) {
        const char *const *value = row->labels[i].values;

        (void)fprintf(out, "%s`%s`", i > 0 ? ", " : "", row->labels[i].name);
        if (value == NULL)
            continue;
        for (const char *before = " ("; *value != NULL; value++, before = ", ") {
            (void)fputs(before, out);
            write_cell(*value, out);
        }
        (void)fputc(')', out);
    }
}

void sl_metric_manual(const struct sl_metric_table *table, FILE *out)
{
    (void)fprintf(out,
                  "## %s\n\n"
                  "| Name | Kind | Labels | Unit | Meaning |\n"
                  "|---|---|---|---|---|\n",
                  table->title);
    for (unsigned i = 0; i < table->row_count; i++) {
        const struct sl_metric_row *row = &table->rows[i];

        (void)fprintf(out, "| `%s` | %s", row->name, kind_name(row->kind));
        if (row->kind == SL_METRIC_HISTOGRAM) {
            (void)fprintf(out, ", %u buckets, doubling from ", row->buckets.count);
            write_number(row->buckets.start, out);
        }
        (void)fputs(" | ", out);
        write_label_cell(row, out);
        (void)fprintf(out, " | %s | ", row->unit);
        write_cell(row->help, out);
        (void)fputs(" |\n", out);
    }
}
