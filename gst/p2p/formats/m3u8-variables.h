/* p2phlssrc: variables of HLS playlists (EXT-X-DEFINE).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Source: RFC 8216bis-15, 4.3; NAME with VALUE only, see
 * docs/design/registry.md.
 */
#pragma once

#include "formats/m3u8-lex.h"

G_BEGIN_DECLS

/**
 * P2pM3u8Variables:
 *
 * Those of one playlist. All zero is none.
 */
typedef struct
{
  GHashTable *values; /* (nullable) name to value */
  gsize substituted;  /* bytes that they have become */
} P2pM3u8Variables;

void p2p_m3u8_variables_clear (P2pM3u8Variables *variables);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2pM3u8Variables, p2p_m3u8_variables_clear)

/* Takes an EXT-X-DEFINE's attribute list; at most P2P_PLAYLIST_MAX_VARIABLES
 * count. */
void p2p_m3u8_define (P2pM3u8Variables *variables, P2pM3u8Span list);

/* @text with each {$name} that is defined replaced. A short text may name a
 * long value many times, so what all of them become is bounded as a playlist
 * is; beyond that texts are empty. Returns: (transfer full) (nullable):
 * %NULL: there is nothing to replace. */
char *p2p_m3u8_substitute (P2pM3u8Variables *variables, P2pM3u8Span text);

G_END_DECLS
