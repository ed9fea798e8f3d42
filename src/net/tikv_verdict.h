#ifndef SL_NET_TIKV_VERDICT_H
#define SL_NET_TIKV_VERDICT_H

/* What TiKV's answers mean (pump spec 3.4, pd spec 5.4), without I/O. Private to the files tikv*.c
 * and their tests. */

#include "net/tikv_wire.h"

/* After the look-up. True: *out is the verdict. False: the transaction is to be checked. */
bool tikv_judge_found(const struct sl_tikv_question *question, const struct tikv_found *found,
                      struct sl_tikv_verdict *out);
/* After KvCheckTxnStatus. */
void tikv_judge_checked(const struct sl_tikv_question *question, const struct tikv_checked *checked,
                        struct sl_tikv_verdict *out);
/* After KvCleanup. */
void tikv_judge_cleaned(const struct sl_tikv_question *question, const struct tikv_checked *cleaned,
                        struct sl_tikv_verdict *out);

#endif
