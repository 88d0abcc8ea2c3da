/* SPDX-License-Identifier: BSD-3-Clause
 *
 * corosync/evs.h - the name under which programs written for Corosync 1.x include the API. All of it stands in
 * <evs/evs.h>.
 */
#ifndef COROSYNC_EVS_H_DEFINED
#define COROSYNC_EVS_H_DEFINED
#include "../evs/evs.h"
#endif
