/* SPDX-License-Identifier: BSD-3-Clause
 *
 * corosync/hdb.h - the handle type of the old services. Programs include this header for hdb_handle_t alone; the handle
 * database that stood behind it was private to Corosync. The include guard is the one of Corosync's own header, as in
 * corotypes.h.
 */
#ifndef HDB_H_DEFINED
#define HDB_H_DEFINED

#include <inttypes.h>
#include <stdint.h>

typedef uint64_t hdb_handle_t;

#define HDB_D_FORMAT PRIu64
#define HDB_X_FORMAT PRIx64

#endif /* HDB_H_DEFINED */
