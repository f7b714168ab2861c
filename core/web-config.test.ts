import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { readWebConfig, type WebConfigOptions } from "#core/web-config.ts"
import { makeAuthority } from "../dev/testing/certificates.ts"
import { temporaryFolder } from "../dev/testing/folder.ts"

const HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
const authority = makeAuthority("Test CA")
const server = authority.issue({ name: "server" })

async function read(t: TestContext, yaml: string, options: WebConfigOptions = {}) {
  const folder = temporaryFolder(t)
  const other = authority.issue({ name: "other" })
  const expired = authority.issue({ name: "old", notAfter: new Date("2020-02-03T04:05:06Z") })
  const files = {
    "tls/server.crt": server.cert,
    "tls/server.key": server.key,
    "tls/other.key": other.key,
    "tls/old.crt": expired.cert,
    "tls/old.key": expired.key,
    "tls/ca.crt": authority.cert,
    "tls/text": "hello",
  }
  for (const [name, text] of Object.entries(files)) await folder.write(name, text)
  const file = await folder.write("web.yml", yaml)
  const relative = (text: string): string => text.replaceAll(`${folder.path}/`, "")
  try {
    const config = await readWebConfig(file, options)
    return { config, files: config.files.map(relative), faults: "" }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { config: undefined, files: [], faults: relative(error.message) }
  }
}

const PAIR = "tls_server_config:\n  cert_file: tls/server.crt\n  key_file: tls/server.key\n"

test("an empty file asks for nothing", async (t) => {
  const { config, files } = await read(t, "# nothing\n")
  assert.deepEqual(
    { ...config, files },
    { tls: undefined, users: new Map(), headers: [], rateLimit: undefined, warnings: [], files: ["web.yml"] },
  )
})

test("a whole file is read, with paths relative to it and Go's names turned into OpenSSL's", async (t) => {
  const { config, files, faults } = await read(
    t,
    `${PAIR}  client_ca_file: tls/ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [portal.example.org]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: true
  headers: {X-Frame-Options: deny, X-XSS-Protection: "", Strict-Transport-Security: max-age=60}
basic_auth_users: {alice: ${HASH}}
rate_limit: {interval: 100ms, burst: 20}
`,
  )
  assert.equal(faults, "")
  assert.deepEqual(config?.tls?.context, {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    honorCipherOrder: false,
    ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
    ecdhCurve: "X25519:P-256",
    cert: server.cert,
    key: server.key,
    ca: authority.cert,
  })
  assert.deepEqual(config.tls.clients, { auth: "RequireAndVerifyClientCert", allowedSans: ["portal.example.org"] })
  assert.deepEqual(config.headers, [
    ["X-Frame-Options", "deny"],
    ["Strict-Transport-Security", "max-age=60"],
  ])
  assert.deepEqual(config.users, new Map([["alice", HASH]]))
  assert.deepEqual(config.rateLimit, { interval: 0.1, burst: 20 })
  assert.deepEqual(files, ["web.yml", "tls/server.crt", "tls/server.key", "tls/ca.crt"])
})

for (const [yaml, warns] of [
  [`${PAIR}http_server_config: {http2: true}\n`, true],
  [`${PAIR}http_server_config: {http2: false}\n`, false],
  [PAIR, false],
  ["http_server_config: {http2: true}\n", false], // without TLS nobody speaks it
] as const) {
  test(`${warns ? "warns" : "does not warn"} that HTTP/2 is not spoken: ${yaml.replaceAll("\n", " ")}`, async (t) => {
    const { config } = await read(t, yaml)
    assert.deepEqual(
      config?.warnings.map((text) => text.replace(/^.*\/(?=web)/, "")),
      warns
        ? [
            "web.yml:4:22 http_server_config.http2: HTTP/2 is not spoken here; clients are told so in the TLS handshake and use HTTP/1.1",
          ]
        : [],
    )
  })
}

test("certificate, key and authority may stand in the file itself", async (t) => {
  const indent = (text: string): string => text.trimEnd().replaceAll(/^/gm, "    ")
  const { config, faults } = await read(
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
  const { config } = await read(t, `${PAIR}  cipher_suites: [TLS_AES_256_GCM_SHA384]\n`)
  assert.equal(config?.tls?.context.minVersion, "TLSv1.3")
})

test("reports every fault of form at once, with line and key, and no secret", async (t) => {
  const { faults } = await read(
    t,
    `tls_server_config:
  certfile: a
  min_version: TLS10
  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]
  curve_preferences: [P256]
  client_auth_type: Always
http_server_config:
  http2: "yes"
  headers:
    X-Frame-Options: allow
    Server: me
    Content-Security-Policy: "a\\nb: c"
basic_auth_users:
  alice: password123
  "a:b": ${HASH}
rate_limit: {interval: 5, burst: -1}
tls: {}
`,
  )
  assert.equal(
    faults,
    `web.yml:6:3 tls_server_config.client_auth_type: Invalid option: expected one of ""|"RequireClientCert"|"NoClientCert"|"RequestClientCert"|"RequireAnyClientCert"|"VerifyClientCertIfGiven"|"RequireAndVerifyClientCert"
web.yml:3:3 tls_server_config.min_version: must be TLS12 or TLS13: older versions are broken and not offered
web.yml:4:19 tls_server_config.cipher_suites[0]: Invalid option: expected one of "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"|"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"|"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"|"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"|"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"|"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"|"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"|"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"|"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"|"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"|"TLS_AES_128_GCM_SHA256"|"TLS_AES_256_GCM_SHA384"|"TLS_CHACHA20_POLY1305_SHA256"
web.yml:5:23 tls_server_config.curve_preferences[0]: Invalid option: expected one of "CurveP256"|"CurveP384"|"CurveP521"|"X25519"
web.yml:2:3 tls_server_config.certfile: unknown key
web.yml:8:3 http_server_config.http2: Invalid input: expected boolean, received string
web.yml:12:5 http_server_config.headers.Content-Security-Policy: must be one line of plain characters
web.yml:10:5 http_server_config.headers.X-Frame-Options: must be deny or sameorigin
web.yml:11:5 http_server_config.headers.Server: unknown key
web.yml:14:3 basic_auth_users.alice: must be a bcrypt hash such as $2y$10$…
web.yml:15:3 basic_auth_users.a:b: must not hold a colon
web.yml:16:14 rate_limit.interval: must be a duration with its unit, such as 1s or 100ms
web.yml:16:27 rate_limit.burst: Too small: expected number to be >=0
web.yml:17:1 tls: unknown key`,
  )
})

const faultsOfMeaning: readonly (readonly [what: string, yaml: string, faults: string, options?: WebConfigOptions])[] =
  [
    [
      "missing files",
      "tls_server_config: {cert_file: no.crt, key_file: tls}",
      `web.yml:1:21 tls_server_config.cert_file: can't be read: ENOENT: no such file or directory, open 'no.crt'
web.yml:1:40 tls_server_config.key_file: can't be read: EISDIR: illegal operation on a directory, read`,
    ],
    [
      "settings without a certificate: no silent plain HTTP",
      "tls_server_config: {min_version: TLS13}",
      `web.yml:1:1 tls_server_config.cert_file: is missing: give cert_file or cert
web.yml:1:1 tls_server_config.key_file: is missing: give key_file or key`,
    ],
    [
      "both forms of one thing",
      `${PAIR}  cert: x`,
      "web.yml:4:3 tls_server_config.cert: give either cert or cert_file",
    ],
    [
      "text in place of certificates",
      "tls_server_config: {cert_file: tls/text, key_file: tls/text, client_ca_file: tls/text, client_auth_type: RequireAndVerifyClientCert}",
      `web.yml:1:21 tls_server_config.cert_file: holds no certificate in PEM format
web.yml:1:42 tls_server_config.key_file: holds no private key in PEM format without a passphrase
web.yml:1:62 tls_server_config.client_ca_file: holds no certificate in PEM format`,
    ],
    [
      "a key of another certificate",
      "tls_server_config: {cert_file: tls/server.crt, key_file: tls/other.key}",
      "web.yml:1:48 tls_server_config.key_file: does not belong to the certificate",
    ],
    [
      "an expired certificate",
      "tls_server_config: {cert_file: tls/old.crt, key_file: tls/old.key}",
      "web.yml:1:21 tls_server_config.cert_file: the certificate expired on 2020-02-03T04:05:06.000Z",
    ],
    [
      "an authority without a policy",
      `${PAIR}  client_ca_file: tls/ca.crt`,
      "web.yml:1:1 tls_server_config.client_auth_type: is missing: without one no client certificate is asked for",
    ],
    [
      "verification against nobody",
      `${PAIR}  client_auth_type: RequireAndVerifyClientCert`,
      "web.yml:4:3 tls_server_config.client_auth_type: RequireAndVerifyClientCert needs client_ca_file or client_ca: whose certificates are accepted",
    ],
    [
      "names that a client can avoid by sending no certificate",
      `${PAIR}  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]`,
      "web.yml:5:3 tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert",
    ],
    [
      "versions upside down",
      `${PAIR}  min_version: TLS13\n  max_version: TLS12`,
      "web.yml:4:3 tls_server_config.min_version: is above max_version",
    ],
    [
      "a burst of nothing",
      "rate_limit: {interval: 1s}",
      "web.yml:1:1 rate_limit.burst: must be at least 1, otherwise nobody is served",
    ],
    [
      "users where the server refuses them",
      `basic_auth_users: {a: ${HASH}}`,
      "web.yml:1:1 basic_auth_users: the proxy reads Authorization itself",
      { refuseBasicAuth: "the proxy reads Authorization itself" },
    ],
  ]
for (const [what, yaml, expected, options] of faultsOfMeaning) {
  test(`refuses ${what}`, async (t) => {
    const { faults } = await read(t, yaml, options)
    assert.equal(faults.replaceAll(/open '.*\//g, "open '"), expected)
  })
}

test("reads the example of the format's own documentation", async (t) => {
  const { faults, config } = await read(
    t,
    `tls_server_config:
  cert_file: tls/server.crt
  key_file: tls/server.key
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
  bob: $2y$10$hLqFl9jSjoAAy95Z/zw8Ye8wkdMBM8c5Bn1ptYqP/AXyV0.oy0S8m
rate_limit:
  interval: "1s"
  burst: 20
`,
  )
  assert.equal(faults, "")
  assert.deepEqual([...(config?.users.keys() ?? [])], ["alice", "bob"])
})
