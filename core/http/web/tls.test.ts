import assert from "node:assert/strict"
import { test } from "node:test"
import { authority, PAIR, readExample, server, testRefusals } from "./config.testing.ts"

test("certificate, key and authority may stand in the file itself", async (t) => {
  const indent = (text: string): string => text.trimEnd().replaceAll(/^/gm, "    ")
  const { config, faults } = await readExample(
    t,
    `tls_server_config:
  cert: |\n${indent(server.cert)}
  key: |\n${indent(server.key)}
  client_ca: |\n${indent(authority.cert)}
  client_auth_type: VerifyClientCertIfGiven
`,
  )
  assert.equal(faults, "")
  assert.deepEqual(config?.tls?.clients, { auth: "VerifyClientCertIfGiven", allowedSans: undefined })
})

test("suites of TLS 1.3 alone leave only TLS 1.3, as in Go", async (t) => {
  const { config } = await readExample(t, `${PAIR}  cipher_suites: [TLS_AES_256_GCM_SHA384]\n`)
  assert.equal(config?.tls?.context.minVersion, "TLSv1.3")
})

testRefusals([
  {
    what: "missing files",
    yaml: "tls_server_config: {cert_file: no.crt, key_file: tls}",
    faults: `web.yml:1:21 tls_server_config.cert_file: the file no.crt cannot be read: ENOENT: no such file or directory
web.yml:1:40 tls_server_config.key_file: the file tls cannot be read: it is a folder; name a file in it`,
  },
  {
    what: "settings without a certificate: no silent plain HTTP",
    yaml: "tls_server_config: {min_version: TLS13}",
    faults: `web.yml:1:1 tls_server_config.cert_file: is missing: give cert_file or cert
web.yml:1:1 tls_server_config.key_file: is missing: give key_file or key`,
  },
  {
    what: "both forms of one thing",
    yaml: `${PAIR}  cert: x`,
    faults: "web.yml:4:3 tls_server_config.cert: give either cert or cert_file",
  },
  {
    what: "text in place of certificates",
    yaml: "tls_server_config: {cert_file: tls/text, key_file: tls/text, client_ca_file: tls/text, client_auth_type: RequireAndVerifyClientCert}",
    faults: `web.yml:1:21 tls_server_config.cert_file: holds no certificate in PEM format
web.yml:1:42 tls_server_config.key_file: holds no private key in PEM format without a passphrase
web.yml:1:62 tls_server_config.client_ca_file: holds no certificate in PEM format`,
  },
  {
    what: "a key of another certificate",
    yaml: "tls_server_config: {cert_file: tls/server.crt, key_file: tls/other.key}",
    faults: "web.yml:1:48 tls_server_config.key_file: does not belong to the certificate",
  },
  {
    what: "an expired certificate",
    yaml: "tls_server_config: {cert_file: tls/old.crt, key_file: tls/old.key}",
    faults: "web.yml:1:21 tls_server_config.cert_file: the certificate expired on 2020-02-03T04:05:06.000Z",
  },
  {
    what: "an authority without a policy",
    yaml: `${PAIR}  client_ca_file: tls/ca.crt`,
    faults:
      "web.yml:1:1 tls_server_config.client_auth_type: is missing: without one no client certificate is requested",
  },
  {
    what: "verification without an authority",
    yaml: `${PAIR}  client_auth_type: RequireAndVerifyClientCert`,
    faults:
      "web.yml:4:3 tls_server_config.client_auth_type: RequireAndVerifyClientCert needs client_ca_file or client_ca: whose certificates are accepted",
  },
  {
    what: "names that a client can avoid by sending no certificate",
    yaml: `${PAIR}  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]`,
    faults:
      "web.yml:5:3 tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert",
  },
  {
    what: "versions upside down",
    yaml: `${PAIR}  min_version: TLS13\n  max_version: TLS12`,
    faults: "web.yml:4:3 tls_server_config.min_version: is above max_version",
  },
])
