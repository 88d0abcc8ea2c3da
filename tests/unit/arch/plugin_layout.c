/* SPDX-License-Identifier: BSD-3-Clause
 *
 * plugin_layout.c - where the words of evs/plugin.h's datagram tables and of later extensions stand, as plugins built long ago expect them. A minor version
 * adds at the end and gives reserved words a meaning; it moves nothing.
 */
#include <evs/plugin.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)

_Static_assert(EVS_PLUGIN_ABI_MAJOR == 1u && EVS_PLUGIN_ABI_MINOR >= 2u, "the minor rises, the major is another header");
_Static_assert(EVS_PEER_ALL == 0xffffffffu && EVS_DATAGRAM_TO_ALL == 1u, "words on the boundary");

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(evs_datagram) == 24, "evs_datagram has no struct_size: it never grows");
AT(evs_datagram, peer, 0);
AT(evs_datagram, flags, 4); /* reserved until minor 1 */
AT(evs_datagram, data, 8);
AT(evs_datagram, size, 16);
AT(evs_datagram_ops, struct_size, 0);
AT(evs_datagram_ops, largest_frame, 8);
AT(evs_datagram_ops, send, 16);
AT(evs_datagram_ops, receive, 24);
AT(evs_datagram_ops, peer_name, 32);
AT(evs_datagram_ops, receive_fd, 40);
AT(evs_peers_extension, struct_size, 0);
AT(evs_peers_extension, mark, 8);
AT(evs_peers_extension, forget, 16);
AT(evs_membership, struct_size, 0);
AT(evs_membership, change, 16);
AT(evs_membership, members, 40);
AT(evs_membership, left, 48);
AT(evs_membership, epoch, 56); /* since minor 2 */
AT(evs_role_extension, struct_size, 0); /* since minor 2 */
AT(evs_role_extension, open, 8);
AT(evs_role_extension, keep, 16);
AT(evs_role_extension, begin_at, 24);
AT(evs_role_extension, settle, 32);
AT(evs_stats_extension, words, 4); /* since minor 3 */
AT(evs_stats_extension, add, 8);
#endif

int main(void) { return 0; }
