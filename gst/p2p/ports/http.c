/* p2phlssrc: values that cross the HTTP port.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "http.h"

P2pHttpProfile *
p2p_http_profile_new (void)
{
  return g_atomic_rc_box_new0 (P2pHttpProfile);
}

P2pHttpProfile *
p2p_http_profile_ref (P2pHttpProfile *profile)
{
  return g_atomic_rc_box_acquire (profile);
}

static void
profile_clear (gpointer data)
{
  P2pHttpProfile *profile = data;

  g_free (profile->user_agent);
  g_strfreev (profile->cookies);
  g_strfreev (profile->extra_headers);
  g_free (profile->method);
  g_free (profile->proxy);
  g_free (profile->proxy_id);
  g_free (profile->proxy_pw);
  g_free (profile->user_id);
  g_free (profile->user_pw);
  g_free (profile->ssl_ca_file);
  g_clear_object (&profile->tls_database);
  g_clear_object (&profile->tls_interaction);
  g_clear_object (&profile->soup_session);
}

void
p2p_http_profile_unref (P2pHttpProfile *profile)
{
  g_atomic_rc_box_release_full (profile, profile_clear);
}

P2pHttpResponse *
p2p_http_response_new (void)
{
  P2pHttpResponse *response = g_atomic_rc_box_new0 (P2pHttpResponse);

  response->content_length = P2P_SIZE_UNKNOWN;
  response->total_size = P2P_SIZE_UNKNOWN;

  return response;
}

P2pHttpResponse *
p2p_http_response_ref (P2pHttpResponse *response)
{
  return g_atomic_rc_box_acquire (response);
}

static void
response_clear (gpointer data)
{
  P2pHttpResponse *response = data;

  g_free (response->reason);
  g_free (response->uri);
  g_free (response->content_type);
  g_strfreev (response->request_headers);
  g_strfreev (response->response_headers);
}

void
p2p_http_response_unref (P2pHttpResponse *response)
{
  g_atomic_rc_box_release_full (response, response_clear);
}

P2pHttpFailure *
p2p_http_failure_new (P2pHttpFailureKind kind)
{
  P2pHttpFailure *failure = g_atomic_rc_box_new0 (P2pHttpFailure);

  failure->kind = kind;

  return failure;
}

P2pHttpFailure *
p2p_http_failure_ref (P2pHttpFailure *failure)
{
  return g_atomic_rc_box_acquire (failure);
}

static void
failure_clear (gpointer data)
{
  P2pHttpFailure *failure = data;

  g_free (failure->reason);
  g_free (failure->uri);
  g_free (failure->redirection_uri);
  g_strfreev (failure->request_headers);
  g_strfreev (failure->response_headers);
}

void
p2p_http_failure_unref (P2pHttpFailure *failure)
{
  g_atomic_rc_box_release_full (failure, failure_clear);
}
