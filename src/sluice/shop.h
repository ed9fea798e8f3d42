#ifndef SL_SLUICE_SHOP_H
#define SL_SLUICE_SHOP_H

/* The mix of a small shop: stock, orders and payments, in the database `shop`. Orders are placed,
 * paid, shipped, cancelled and put away, stock runs out and comes back: inserts, updates and
 * deletes, several rows of several tables in a transaction, some rolled back; no two transactions
 * that are under way touch one row, as TiDB's would not both commit. Now and then a DDL job changes
 * a table: columns and an index come and go.
 *
 * The shop keeps a model of its tables: what was acknowledged, and so must be in the target. It
 * begins with an empty database; a history that has a database `shop` is refused. */

#include "base/env.h"
#include "sluice/compare.h"
#include "sluice/mix.h"

/* callers: as many as the loader has. ddl_history: path, or NULL; borrowed for the life of the mix.
 * SL_EXISTS, or as reading the file fails. Blocks. *out: mix_free. */
enum sl_err shop_new(const struct sl_env *env, uint64_t cluster_id, uint32_t callers,
                     const char *ddl_history, struct mix **out, struct sl_why *why);

/* Let a comparison expect the tables as the model has them. When nothing is under way. */
void shop_expect(const struct mix *shop, struct compare *compare);

#endif
