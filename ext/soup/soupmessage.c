/* p2phlssrc: between the HTTP port's values and SoupMessage.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "soupmessage.h"

/* --- asking ------------------------------------------------------------- */

static gboolean
authenticate (SoupMessage *message, SoupAuth *auth, gboolean retrying,
    P2pHttpProfile *profile)
{
  gboolean proxy = soup_auth_is_for_proxy (auth);
  const char *id = proxy ? profile->proxy_id : profile->user_id;
  const char *pw = proxy ? profile->proxy_pw : profile->user_pw;

  if (retrying || id == NULL || pw == NULL)
    return FALSE;

  soup_auth_authenticate (auth, id, pw);

  return TRUE;
}

static gboolean
accept_any_certificate (SoupMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer user_data)
{
  return TRUE;
}

static void
unref_profile (gpointer profile, GClosure *closure)
{
  p2p_http_profile_unref (profile);
}

static void
connect_profile (SoupMessage *message, P2pHttpProfile *profile)
{
  if (profile->user_id != NULL || profile->proxy_id != NULL)
    g_signal_connect_data (message, "authenticate", G_CALLBACK (authenticate),
        p2p_http_profile_ref (profile), unref_profile, 0);
  if (!profile->ssl_strict)
    g_signal_connect (message, "accept-certificate",
        G_CALLBACK (accept_any_certificate), NULL);
}

/* On the message, not on the session: elements with different agents share
 * their connections. Like libsoup, a trailing space asks for its name. */
static void
append_user_agent (SoupMessageHeaders *headers, const char *user_agent)
{
  g_autofree char *text = NULL;

  if (user_agent == NULL)
    user_agent = "";
  if (*user_agent == '\0' || g_str_has_suffix (user_agent, " "))
    text = g_strdup_printf ("%slibsoup/%u.%u.%u", user_agent,
        soup_get_major_version (), soup_get_minor_version (),
        soup_get_micro_version ());
  soup_message_headers_append (
      headers, "User-Agent", text != NULL ? text : user_agent);
}

static void
append_range (SoupMessageHeaders *headers, const P2pRange *range)
{
  char text[64];

  if (p2p_range_is_all (range))
    return;

  if (range->end == P2P_SIZE_UNKNOWN)
    g_snprintf (
        text, sizeof text, "bytes=%" G_GUINT64_FORMAT "-", range->start);
  else
    g_snprintf (text, sizeof text,
        "bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, range->start,
        range->end);
  soup_message_headers_append (headers, "Range", text);
}

static void
append_headers (SoupMessage *message, const P2pHttpProfile *profile)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  char **item;

  append_user_agent (headers, profile->user_agent);
  if (!profile->keep_alive)
    soup_message_headers_append (headers, "Connection", "close");
  if (profile->iradio_mode)
    soup_message_headers_append (headers, "icy-metadata", "1");
  if (profile->cookies != NULL) {
    for (item = profile->cookies; *item != NULL; item++)
      soup_message_headers_append (headers, "Cookie", *item);
    soup_message_disable_feature (message, SOUP_TYPE_COOKIE_JAR);
  }
  /* libsoup's decoder offers its encodings when nobody else says anything. */
  if (!profile->compress)
    soup_message_headers_append (headers, "Accept-Encoding", "identity");
  for (item = profile->extra_headers;
       item != NULL && item[0] != NULL && item[1] != NULL; item += 2)
    soup_message_headers_append (headers, item[0], item[1]);
}

GUri *
p2p_soup_parse_uri (const char *text, const char *scheme, const char *secure)
{
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || *host == '\0'
      || (strcmp (g_uri_get_scheme (uri), scheme) != 0
          && strcmp (g_uri_get_scheme (uri), secure) != 0))
    return NULL;

  return g_steal_pointer (&uri);
}

SoupMessage *
p2p_soup_message_build (
    const char *uri, const P2pRange *range, P2pHttpProfile *profile)
{
  const char *method = profile->method != NULL ? profile->method : "GET";
  g_autoptr (GUri) parsed = p2p_soup_parse_uri (uri, "http", "https");
  g_autoptr (SoupMessage) message = NULL;

  if (parsed == NULL)
    return NULL;

  message = soup_message_new_from_uri (method, parsed);
  if (!profile->automatic_redirect)
    soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  /* An application's cache answers from files, which cannot be polled. */
  if (profile->soup_session != NULL)
    soup_message_disable_feature (message, SOUP_TYPE_CACHE);
  append_headers (message, profile);
  append_range (soup_message_get_request_headers (message), range);
  connect_profile (message, profile);

  return g_steal_pointer (&message);
}

/* --- answers ------------------------------------------------------------ */

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  GPtrArray *array = user_data;

  g_ptr_array_add (array, g_strdup (name));
  g_ptr_array_add (array, g_strdup (value));
}

static char **
copy_headers (SoupMessageHeaders *headers)
{
  GPtrArray *array = g_ptr_array_sized_new (24);

  soup_message_headers_foreach (headers, append_header, array);
  g_ptr_array_add (array, NULL);

  return (char **) g_ptr_array_free (array, FALSE);
}

/* What was asked in its own spelling, as long as nobody sent us elsewhere. */
static char *
final_uri (SoupMessage *message, const char *asked_uri,
    const P2pSoupRedirects *redirects)
{
  if (redirects->hops == 0)
    return g_strdup (asked_uri);

  return g_uri_to_string_partial (
      soup_message_get_uri (message), G_URI_HIDE_PASSWORD);
}

static char *
reason_phrase (SoupMessage *message)
{
  const char *reason = soup_message_get_reason_phrase (message);

  if (reason == NULL || !g_utf8_validate (reason, -1, NULL))
    reason = soup_status_get_phrase (soup_message_get_status (message));

  return g_strdup (reason);
}

/* libsoup decodes a compressed body, and then its length says nothing. */
static gboolean
is_encoded (SoupMessageHeaders *headers)
{
  const char *encoding =
      soup_message_headers_get_list (headers, "Content-Encoding");

  return encoding != NULL && *encoding != '\0'
      && g_ascii_strcasecmp (encoding, "identity") != 0;
}

static void
read_extent (P2pHttpResponse *response, SoupMessageHeaders *headers,
    const P2pRange *asked)
{
  goffset start, end, total;

  if (!is_encoded (headers)
      && soup_message_headers_get_encoding (headers)
          == SOUP_ENCODING_CONTENT_LENGTH)
    response->content_length =
        soup_message_headers_get_content_length (headers);

  if (response->status != SOUP_STATUS_PARTIAL_CONTENT) {
    response->total_size = response->content_length;
  } else if (soup_message_headers_get_content_range (
                 headers, &start, &end, &total)) {
    response->range_start = start;
    if (total >= 0)
      response->total_size = total;
  } else {
    response->range_start = asked->start;
  }
}

P2pHttpResponse *
p2p_soup_message_response (SoupMessage *message, const char *asked_uri,
    const P2pRange *range, const P2pSoupRedirects *redirects)
{
  P2pHttpResponse *response = p2p_http_response_new ();
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  const char *accept_ranges =
      soup_message_headers_get_one (headers, "Accept-Ranges");

  response->status = soup_message_get_status (message);
  response->reason = reason_phrase (message);
  response->uri = final_uri (message, asked_uri, redirects);
  response->redirected = redirects->hops > 0;
  response->permanent_redirect =
      redirects->hops > 0 && redirects->permanent_hops == redirects->hops;
  response->content_type =
      g_strdup (soup_message_headers_get_one (headers, "Content-Type"));
  read_extent (response, headers, range);
  response->accepts_ranges =
      accept_ranges == NULL || g_ascii_strcasecmp (accept_ranges, "none") != 0;
  response->request_headers =
      copy_headers (soup_message_get_request_headers (message));
  response->response_headers = copy_headers (headers);

  return response;
}

/* --- failures ----------------------------------------------------------- */

static void
describe (P2pHttpFailure *failure, SoupMessage *message, const char *asked_uri,
    const P2pSoupRedirects *redirects)
{
  failure->status = soup_message_get_status (message);
  failure->uri = final_uri (message, asked_uri, redirects);
  if (redirects->hops > 0)
    failure->redirection_uri = g_strdup (failure->uri);
  failure->request_headers =
      copy_headers (soup_message_get_request_headers (message));
  failure->response_headers =
      copy_headers (soup_message_get_response_headers (message));
}

P2pHttpFailure *
p2p_soup_message_refusal (SoupMessage *message, const char *asked_uri,
    const P2pSoupRedirects *redirects)
{
  guint status = soup_message_get_status (message);
  P2pHttpFailure *failure = p2p_http_failure_new (
      SOUP_STATUS_IS_REDIRECTION (status) ? P2P_HTTP_FAILURE_REDIRECT
                                          : P2P_HTTP_FAILURE_STATUS);

  describe (failure, message, asked_uri, redirects);
  failure->reason = reason_phrase (message);

  return failure;
}

P2pHttpFailure *
p2p_soup_message_breakage (SoupMessage *message, const char *asked_uri,
    const P2pSoupRedirects *redirects, const GError *error)
{
  P2pHttpFailure *failure =
      p2p_http_failure_new (p2p_soup_failure_kind (error));

  describe (failure, message, asked_uri, redirects);
  failure->reason =
      failure->kind == P2P_HTTP_FAILURE_REDIRECT && failure->status != 0
      ? reason_phrase (message)
      : g_strdup (error->message);
  /* Our own cancels end a transfer before this: it was the application, with
   * soup_session_abort() on a session of its. */
  if (failure->kind == P2P_HTTP_FAILURE_CANCELLED)
    failure->kind = P2P_HTTP_FAILURE_IO;
  /* Past the handshake, TLS is only how a broken connection shows. */
  if (failure->kind == P2P_HTTP_FAILURE_TLS && failure->status != 0)
    failure->kind = P2P_HTTP_FAILURE_IO;

  return failure;
}

static P2pHttpFailureKind
io_failure_kind (int code)
{
  switch (code) {
    case G_IO_ERROR_CANCELLED:
      return P2P_HTTP_FAILURE_CANCELLED;
    case G_IO_ERROR_TIMED_OUT:
      return P2P_HTTP_FAILURE_TIMEOUT;
    case G_IO_ERROR_PARTIAL_INPUT:
      return P2P_HTTP_FAILURE_SHORT;
    case G_IO_ERROR_HOST_NOT_FOUND:
      return P2P_HTTP_FAILURE_RESOLVE;
    case G_IO_ERROR_CONNECTION_REFUSED:
    case G_IO_ERROR_HOST_UNREACHABLE:
    case G_IO_ERROR_NETWORK_UNREACHABLE:
    case G_IO_ERROR_PROXY_FAILED:
    case G_IO_ERROR_PROXY_AUTH_FAILED:
    case G_IO_ERROR_PROXY_NEED_AUTH:
    case G_IO_ERROR_PROXY_NOT_ALLOWED:
      return P2P_HTTP_FAILURE_CONNECT;
    default:
      return P2P_HTTP_FAILURE_IO;
  }
}

static P2pHttpFailureKind
session_failure_kind (int code)
{
  switch (code) {
    case SOUP_SESSION_ERROR_TOO_MANY_REDIRECTS:
    case SOUP_SESSION_ERROR_TOO_MANY_RESTARTS:
    case SOUP_SESSION_ERROR_REDIRECT_NO_LOCATION:
    case SOUP_SESSION_ERROR_REDIRECT_BAD_URI:
      return P2P_HTTP_FAILURE_REDIRECT;
    default:
      return P2P_HTTP_FAILURE_IO;
  }
}

P2pHttpFailureKind
p2p_soup_failure_kind (const GError *error)
{
  if (error->domain == G_RESOLVER_ERROR)
    return P2P_HTTP_FAILURE_RESOLVE;
  if (error->domain == G_TLS_ERROR)
    return P2P_HTTP_FAILURE_TLS;
  if (error->domain == SOUP_SESSION_ERROR)
    return session_failure_kind (error->code);
  if (error->domain == G_IO_ERROR)
    return io_failure_kind (error->code);

  return P2P_HTTP_FAILURE_IO;
}
