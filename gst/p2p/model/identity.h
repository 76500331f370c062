/* p2phlssrc: swarm ids and info hashes, byte for byte as browsers make them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Source: docs/design/identity.md; golden vectors in
 * tests/vectors/identity.json, never refreshed.
 */
#pragma once

#include "base/types.h"

G_BEGIN_DECLS

/**
 * P2pStreamProperties:
 *
 * What a stream's identity is made of. Strings as the manifest writes them
 * (after the reader's filtering), %NULL where missing; a number is missing
 * unless its `has_` is set. A missing bitrate counts as 0, and NaN prints as
 * JavaScript prints it. The frame rate is a number (@frame_rate) or a text
 * (@frame_rate_text), as the reader of that generation leaves it: v3 takes the
 * number first, v2 the text.
 */
typedef struct
{
  double bitrate;
  gboolean has_bitrate;
  char *codecs;
  double width;
  gboolean has_width;
  double height;
  gboolean has_height;
  char *language;
  char *channels;
  char *name;
  double frame_rate;
  gboolean has_frame_rate;
  char *frame_rate_text;
  char *video_range;
} P2pStreamProperties;

void p2p_stream_properties_clear (P2pStreamProperties *properties);

/* The text that is hashed. Returns: (transfer full). */
char *p2p_identity_input (
    P2pProtocol protocol, const P2pStreamProperties *properties);

/* base64 of its SHA-1, 28 characters. Returns: (transfer full). */
char *p2p_identity_hash (
    P2pProtocol protocol, const P2pStreamProperties *properties);

/* "v3-<swarm>-main-<hash>". Returns: (transfer full). */
char *p2p_identity_stream_swarm_id (P2pProtocol protocol, const char *swarm_id,
    P2pStreamType type, const char *identity_hash);

void p2p_identity_info_hash (const char *stream_swarm_id, P2pInfoHash *out);

/* A URL up to its first "?". Returns: (transfer full). */
char *p2p_identity_swarm_id_from_url (const char *url);

/* Shortest text that reads back as @value, as JavaScript's String(number).
 * Returns: (transfer full). */
char *p2p_identity_number (double value);

G_END_DECLS
