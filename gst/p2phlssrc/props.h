/* p2phlssrc: how the element asks over HTTP: souphttpsrc's properties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any, under the owner's lock.
 */
#pragma once

#include <gst/gst.h>

#include "ports/http.h"

G_BEGIN_DECLS

/**
 * P2pHttpProp:
 *
 * souphttpsrc's own properties (1.22 to 1.26), but for `location` and
 * `is-live`.
 */
typedef enum
{
  P2P_HTTP_PROP_USER_AGENT,
  P2P_HTTP_PROP_AUTOMATIC_REDIRECT,
  P2P_HTTP_PROP_PROXY,
  P2P_HTTP_PROP_USER_ID,
  P2P_HTTP_PROP_USER_PW,
  P2P_HTTP_PROP_PROXY_ID,
  P2P_HTTP_PROP_PROXY_PW,
  P2P_HTTP_PROP_COOKIES,
  P2P_HTTP_PROP_TIMEOUT,
  P2P_HTTP_PROP_EXTRA_HEADERS,
  P2P_HTTP_PROP_IRADIO_MODE,
  P2P_HTTP_PROP_HTTP_LOG_LEVEL,
  P2P_HTTP_PROP_COMPRESS,
  P2P_HTTP_PROP_KEEP_ALIVE,
  P2P_HTTP_PROP_SSL_STRICT,
  P2P_HTTP_PROP_SSL_CA_FILE,
  P2P_HTTP_PROP_SSL_USE_SYSTEM_CA_FILE,
  P2P_HTTP_PROP_TLS_DATABASE,
  P2P_HTTP_PROP_TLS_INTERACTION,
  P2P_HTTP_PROP_RETRIES,
  P2P_HTTP_PROP_RETRY_BACKOFF_FACTOR,
  P2P_HTTP_PROP_RETRY_BACKOFF_MAX,
  P2P_HTTP_PROP_METHOD,
  P2P_N_HTTP_PROPS,
} P2pHttpProp;

/* Returns: (transfer full): a new floating specification. */
GParamSpec *p2p_http_prop_spec (P2pHttpProp prop);

/**
 * P2pHttpProps:
 * @values: one for each property
 * @soup_session: (nullable): the application's SoupSession
 * @profile: (nullable): what requests are given, made again after a change
 */
typedef struct
{
  GValue values[P2P_N_HTTP_PROPS];
  GObject *soup_session;
  P2pHttpProfile *profile;
} P2pHttpProps;

void p2p_http_props_init (P2pHttpProps *props);
void p2p_http_props_clear (P2pHttpProps *props);

/* Returns: %FALSE if the value is no proxy's URI: the proxy is then unset, as
 * souphttpsrc does. */
gboolean p2p_http_props_set (
    P2pHttpProps *props, P2pHttpProp prop, const GValue *value);

/* Requests go through @session, as long as no property says otherwise of what a
 * session decides. (nullable) */
void p2p_http_props_set_soup_session (P2pHttpProps *props, GObject *session);

/* Whether the request asks for a body that peers could have. */
gboolean p2p_http_props_is_get (const P2pHttpProps *props);

/* Returns: (transfer full): the properties, frozen. */
P2pHttpProfile *p2p_http_props_get_profile (P2pHttpProps *props);

/* The same with method HEAD. Returns: (transfer full). */
P2pHttpProfile *p2p_http_props_get_head_profile (const P2pHttpProps *props);

G_END_DECLS
