#ifndef SL_NET_GRPC_STATUS_H
#define SL_NET_GRPC_STATUS_H

/* What a call's end means when it is not said, or said by a stranger: gRPC over HTTP/2, "Responses"
 * and "Errors". */

#include "net/grpc.h"

/* From the code of RST_STREAM. */
enum sl_grpc_status grpc_status_of_reset(uint32_t h2_code);
/* From an HTTP status other than 200. */
enum sl_grpc_status grpc_status_of_http(struct sl_slice http_status);
/* From the value of grpc-status; UNKNOWN for what is no known number. */
enum sl_grpc_status grpc_status_of_text(struct sl_slice text);

#endif
