/* p2phlssrc: the gateway program's settings: the element's properties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "config.h"
#include "props.h"

G_BEGIN_DECLS

/**
 * P2pToolSettings:
 * @p2p: what can be set about peers
 * @http: how the origin is asked
 */
typedef struct
{
  P2pSettings p2p;
  P2pHttpProps http;
} P2pToolSettings;

/* The element's defaults, but for iradio-mode: no player behind us takes
 * titles out of a radio's data. */
void p2p_tool_settings_init (P2pToolSettings *settings);
void p2p_tool_settings_clear (P2pToolSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2pToolSettings, p2p_tool_settings_clear)

/**
 * p2p_tool_settings_set:
 * @settings: the settings
 * @assignment: "name=value"; name is a property's, value is written as in
 *   gst-launch-1.0, without quotes. Several cookies have ';' in between
 * @error: names what cannot be used, in the domain P2P_CONFIG_ERROR
 *
 * Returns: whether @assignment was understood.
 */
gboolean p2p_tool_settings_set (
    P2pToolSettings *settings, const char *assignment, GError **error);

/* Returns: (transfer full): a line for each setting, for --help. */
char *p2p_tool_settings_describe (void);

G_END_DECLS
