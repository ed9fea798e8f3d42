#include "base/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/metric_parts.h"
#include "base/utf8.h"

static_assert(SL_METRIC_LABELS_MAX == 2, "sl_metric_series takes two values");

#define OTHER "other"

static const struct sl_metric_row own_rows[] = {
    {
        .name = "sluice_metric_overflow_total",
        .kind = SL_METRIC_COUNTER,
        .unit = "",
        .help = "Look-ups of series that found no room or had an unusable label value and were "
                "given the series \"other\".",
    },
};
static const struct sl_metric_table own_table = {"Metrics", own_rows, 1};

/* ---- rows ---- */

static bool is_open(const struct sl_metric_label *label)
{
    return label->name != NULL && label->values == NULL;
}

static bool has_open_label(const struct sl_metric_row *row)
{
    return is_open(&row->labels[0]) || is_open(&row->labels[1]);
}

static bool is_listed(const struct sl_metric_label *label, const char *value)
{
    for (const char *const *v = label->values; *v != NULL; v++) {
        if (strcmp(*v, value) == 0)
            return true;
    }
    return false;
}

static bool is_name(const char *text)
{
    if (text[0] >= '0' && text[0] <= '9')
        return false;
    return text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:")] == '\0';
}

static void check_row(const struct sl_metric_row *row)
{
    SL_ASSERT(is_name(row->name));
    SL_ASSERT(row->help != NULL && row->unit != NULL);
    SL_ASSERT(SL_IMPLIES(row->labels[0].name == NULL, row->labels[1].name == NULL));
    SL_ASSERT(SL_IMPLIES(row->read != NULL, row->kind != SL_METRIC_HISTOGRAM));
    SL_ASSERT(SL_IMPLIES(row->read != NULL, !has_open_label(row)));
    if (row->kind == SL_METRIC_HISTOGRAM) {
        SL_ASSERT(row->buckets.start > 0);
        SL_ASSERT(row->buckets.count > 0 && row->buckets.count <= SL_METRIC_BUCKETS_MAX);
    } else {
        SL_ASSERT(row->buckets.count == 0);
    }
}

/* ---- series ---- */

static char *copy_text(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    SL_ASSERT((copy == NULL) == (text == NULL));
    return copy;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct sl_metric_series *find_series(const struct metric_family *family, const char *first,
                                            const char *second)
{
    for (unsigned i = 0; i < family->series_count; i++) {
        struct sl_metric_series *series = family->series[i];

        if (same_text(series->values[0], first) && same_text(series->values[1], second))
            return series;
    }
    return NULL;
}

static struct sl_metric_series *add_series(struct metric_family *family, const char *first,
                                           const char *second)
{
    bool                     histogram = family->row->kind == SL_METRIC_HISTOGRAM;
    unsigned                 buckets = histogram ? family->row->buckets.count + 1 : 0;
    struct sl_metric_series *series =
        calloc(1, sizeof *series + buckets * sizeof series->buckets[0]);

    SL_ASSERT(series != NULL);
    SL_ASSERT(family->series_count < SL_METRIC_SERIES_MAX);
    series->family = family;
    series->values[0] = copy_text(first);
    series->values[1] = copy_text(second);
    family->series[family->series_count++] = series;
    return series;
}

/* All combinations of listed values; a row without labels has one. */
static void add_listed_series(struct metric_family *family)
{
    static const char *const      nothing[] = {NULL};
    const struct sl_metric_label *labels = family->row->labels;
    const char *const            *first = labels[0].name != NULL ? labels[0].values : nothing;
    const char *const            *seconds = labels[1].name != NULL ? labels[1].values : nothing;

    do {
        const char *const *second = seconds;

        do {
            add_series(family, *first, *second);
        } while (*second != NULL && *++second != NULL);
    } while (*first != NULL && *++first != NULL);
}

static void free_series(struct sl_metric_series *series)
{
    for (unsigned i = 0; i < SL_METRIC_LABELS_MAX; i++)
        free(series->values[i]);
    free(series);
}

/* ---- registry ---- */

static struct metric_family *find_family(const struct sl_metric_registry *registry,
                                         const struct sl_metric_row      *row)
{
    for (unsigned i = 0; i < registry->family_count; i++) {
        if (registry->families[i]->row == row)
            return registry->families[i];
    }
    SL_UNREACHABLE("the row is of no table in this registry");
}

static void add_family(struct sl_metric_registry *registry, const struct sl_metric_row *row,
                       void *context)
{
    struct metric_family *family = calloc(1, sizeof *family);
    double                bound = row->buckets.start;

    SL_ASSERT(family != NULL);
    SL_ASSERT(registry->family_count < SL_METRIC_FAMILIES_MAX);
    check_row(row);
    for (unsigned i = 0; i < registry->family_count; i++)
        SL_ASSERT(strcmp(registry->families[i]->row->name, row->name) != 0);
    family->row = row;
    family->context = context;
    for (unsigned i = 0; i < row->buckets.count; i++, bound *= 2)
        family->bounds[i] = bound;
    if (!has_open_label(row))
        add_listed_series(family);
    registry->families[registry->family_count++] = family;
}

struct sl_metric_registry *sl_metric_registry_new(void)
{
    struct sl_metric_registry *registry = calloc(1, sizeof *registry);

    SL_ASSERT(registry != NULL);
    (void)pthread_mutex_init(&registry->lock, NULL);
    sl_metric_registry_add(registry, &own_table, NULL);
    registry->overflow = sl_metric_series(registry, &own_rows[0], NULL, NULL);
    return registry;
}

void sl_metric_registry_free(struct sl_metric_registry **registry)
{
    struct sl_metric_registry *r = *registry;

    if (r == NULL)
        return;
    for (unsigned i = 0; i < r->family_count; i++) {
        for (unsigned s = 0; s < r->families[i]->series_count; s++)
            free_series(r->families[i]->series[s]);
        free(r->families[i]);
    }
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
    *registry = NULL;
}

void sl_metric_registry_add(struct sl_metric_registry    *registry,
                            const struct sl_metric_table *table, void *context)
{
    for (unsigned i = 0; i < table->row_count; i++)
        add_family(registry, &table->rows[i], context);
}

/* ---- look-up ---- */

/* A listed label takes what its list has; an open one what the text format can carry. */
static bool is_usable(const struct sl_metric_label *label, const char *value)
{
    size_t bytes;

    if (label->name == NULL || label->values != NULL)
        return true;
    bytes = strnlen(value, SL_METRIC_LABEL_BYTES_MAX);
    return bytes < SL_METRIC_LABEL_BYTES_MAX && sl_utf8_valid(value, bytes);
}

/* The last place is kept for "other". */
static struct sl_metric_series *admit_series(struct sl_metric_registry *registry,
                                             struct metric_family *family, const char *first,
                                             const char *second)
{
    const struct sl_metric_label *labels = family->row->labels;
    struct sl_metric_series      *other;

    SL_ASSERT(has_open_label(family->row));
    if (family->series_count < SL_METRIC_SERIES_MAX - 1 && is_usable(&labels[0], first) &&
        is_usable(&labels[1], second))
        return add_series(family, first, second);
    sl_metric_add(registry->overflow, 1);
    first = OTHER;
    second = labels[1].name != NULL ? OTHER : NULL;
    other = find_series(family, first, second);
    return other != NULL ? other : add_series(family, first, second);
}

struct sl_metric_series *sl_metric_series(struct sl_metric_registry  *registry,
                                          const struct sl_metric_row *row, const char *first,
                                          const char *second)
{
    const char *const        values[SL_METRIC_LABELS_MAX] = {first, second};
    struct metric_family    *family;
    struct sl_metric_series *series;

    SL_ASSERT(row->read == NULL);
    for (unsigned i = 0; i < SL_METRIC_LABELS_MAX; i++) {
        const struct sl_metric_label *label = &row->labels[i];

        SL_ASSERT((label->name == NULL) == (values[i] == NULL));
        SL_ASSERT(SL_IMPLIES(label->values != NULL, is_listed(label, values[i])));
    }
    (void)pthread_mutex_lock(&registry->lock);
    family = find_family(registry, row);
    series = find_series(family, first, second);
    if (series == NULL)
        series = admit_series(registry, family, first, second);
    (void)pthread_mutex_unlock(&registry->lock);
    return series;
}

/* ---- updates ---- */

void sl_metric_add(struct sl_metric_series *series, uint64_t n)
{
    SL_ASSERT(series->family->row->kind == SL_METRIC_COUNTER);
    (void)atomic_fetch_add_explicit(&series->count, n, memory_order_relaxed);
}

void sl_metric_set(struct sl_metric_series *series, double value)
{
    SL_ASSERT(series->family->row->kind == SL_METRIC_GAUGE);
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

static void add_double(_Atomic double *sum, double value)
{
    double old = atomic_load_explicit(sum, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(sum, &old, old + value, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
}

void sl_metric_move(struct sl_metric_series *series, double by)
{
    SL_ASSERT(series->family->row->kind == SL_METRIC_GAUGE);
    add_double(&series->value, by);
}

void sl_metric_observe(struct sl_metric_series *series, double value)
{
    const struct metric_family *family = series->family;
    unsigned                    low = 0;
    unsigned                    high = family->row->buckets.count; /* +Inf */

    SL_ASSERT(family->row->kind == SL_METRIC_HISTOGRAM);
    SL_ASSERT(!isnan(value));
    while (low < high) { /* the first bound that is not below value */
        unsigned middle = low + (high - low) / 2;

        if (family->bounds[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    (void)atomic_fetch_add_explicit(&series->buckets[low], 1, memory_order_relaxed);
    add_double(&series->value, value);
}
