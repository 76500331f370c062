/* p2phlssrc: SCTP's checksum.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * p2p_crc32c:
 *
 * Returns: CRC32c of @data (RFC 9260, appendix A), in the processor's order.
 * By the processor's own instruction where there is one: usrsctp's table
 * walk was a tenth of the time of a bulk transfer.
 */
guint32 p2p_crc32c (const guint8 *data, gsize length);

/* The same, for processors without the instruction. */
guint32 p2p_crc32c_portable (const guint8 *data, gsize length);

G_END_DECLS
