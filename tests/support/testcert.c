/* p2phlssrc: certificates for one test run.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "testcert.h"

#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S (24 * 60 * 60)

struct _TestAuthority
{
  EVP_PKEY *key;
  X509 *x509;
  char *path;
};

static void
add_extension (X509 *certificate, int nid, const char *value)
{
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, NULL, nid, value);

  X509_add_ext (certificate, extension, -1);
  X509_EXTENSION_free (extension);
}

/* Not yet signed. */
static X509 *
draft (EVP_PKEY *key, const char *common_name)
{
  X509 *certificate = X509_new ();

  X509_set_version (certificate, 2);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), g_random_int ());
  X509_gmtime_adj (X509_getm_notBefore (certificate), -DAY_S);
  X509_gmtime_adj (X509_getm_notAfter (certificate), DAY_S);
  X509_set_pubkey (certificate, key);
  X509_NAME_add_entry_by_txt (X509_get_subject_name (certificate), "CN",
      MBSTRING_ASC, (const unsigned char *) common_name, -1, -1, 0);

  return certificate;
}

static void
sign (X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key)
{
  X509_set_issuer_name (certificate, X509_get_subject_name (issuer));
  g_assert_cmpint (X509_sign (certificate, issuer_key, EVP_sha256 ()), >, 0);
}

/* Takes both. */
static GTlsCertificate *
to_gio (X509 *x509, EVP_PKEY *key)
{
  g_autoptr (GError) error = NULL;
  BIO *pem = BIO_new (BIO_s_mem ());
  GTlsCertificate *certificate;
  char *data;
  long length;

  PEM_write_bio_PrivateKey (pem, key, NULL, NULL, 0, NULL, NULL);
  PEM_write_bio_X509 (pem, x509);
  length = BIO_get_mem_data (pem, &data);
  certificate = g_tls_certificate_new_from_pem (data, length, &error);
  g_assert_no_error (error);
  BIO_free (pem);
  X509_free (x509);
  EVP_PKEY_free (key);

  return certificate;
}

GTlsCertificate *
test_certificate_new (void)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *x509 = draft (key, "localhost");

  add_extension (x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  sign (x509, x509, key);

  return to_gio (x509, key);
}

/* --- an authority ---------------------------------------------------------*/

static void
write_authority (TestAuthority *authority)
{
  g_autoptr (GError) error = NULL;
  int fd =
      g_file_open_tmp ("p2phls-trust-XXXXXX.pem", &authority->path, &error);
  BIO *pem = BIO_new_fd (fd, BIO_CLOSE);

  g_assert_no_error (error);
  g_assert_cmpint (PEM_write_bio_X509 (pem, authority->x509), >, 0);
  BIO_free (pem);
}

TestAuthority *
test_authority_new (void)
{
  TestAuthority *authority = g_new0 (TestAuthority, 1);

  authority->key = EVP_EC_gen ("P-256");
  authority->x509 = draft (authority->key, "Authority for tests");
  add_extension (authority->x509, NID_basic_constraints, "critical,CA:TRUE");
  add_extension (
      authority->x509, NID_key_usage, "critical,keyCertSign,cRLSign");
  sign (authority->x509, authority->x509, authority->key);
  write_authority (authority);

  return authority;
}

void
test_authority_free (TestAuthority *authority)
{
  g_unlink (authority->path);
  g_free (authority->path);
  X509_free (authority->x509);
  EVP_PKEY_free (authority->key);
  g_free (authority);
}

const char *
test_authority_get_path (TestAuthority *authority)
{
  return authority->path;
}

GTlsCertificate *
test_authority_sign (TestAuthority *authority, const char *names)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *x509 = draft (key, "Server for tests");

  add_extension (x509, NID_subject_alt_name, names);
  sign (x509, authority->x509, authority->key);

  return to_gio (x509, key);
}
