import assert from "node:assert/strict"
import { test } from "node:test"
import { authority, PAIR, readExample, server, testRefusals } from "./config.testing.ts"

const HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"

test("an empty file sets nothing", async (t) => {
  const { config, files } = await readExample(t, "# nothing\n")
  assert.deepEqual(
    { ...config, files },
    { tls: undefined, users: new Map(), headers: [], rateLimit: undefined, warnings: [], files: ["web.yml"] },
  )
})

test("a whole file is read, with paths relative to it and Go's names turned into OpenSSL's", async (t) => {
  const { config, files, faults } = await readExample(
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
  assert.deepEqual(config.rateLimit, { perSecond: 10, burst: 20 })
  assert.deepEqual(files, ["web.yml", "tls/server.crt", "tls/server.key", "tls/ca.crt"])
})

for (const [yaml, warns] of [
  [`${PAIR}http_server_config: {http2: true}\n`, true],
  [`${PAIR}http_server_config: {http2: false}\n`, false],
  [PAIR, false],
  ["http_server_config: {http2: true}\n", false], // without TLS no client speaks it
] as const) {
  test(`${warns ? "warns" : "does not warn"} that HTTP/2 is not spoken: ${yaml.replaceAll("\n", " ")}`, async (t) => {
    const { config } = await readExample(t, yaml)
    assert.deepEqual(
      config?.warnings.map((text) => text.replace(/^.*\/(?=web)/, "")),
      warns
        ? [
            "web.yml:4:22 http_server_config.http2: HTTP/2 is not supported; clients negotiate HTTP/1.1 in the TLS handshake",
          ]
        : [],
    )
  })
}

test("reports every fault of form at once, with line and key, and no secret", async (t) => {
  const { faults } = await readExample(
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
    `web.yml:6:3 tls_server_config.client_auth_type: must be one of RequireClientCert, NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert
web.yml:3:3 tls_server_config.min_version: must be TLS12 or TLS13: older versions are broken and not offered
web.yml:4:19 tls_server_config.cipher_suites[0]: must be one of TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256
web.yml:5:23 tls_server_config.curve_preferences[0]: must be one of CurveP256, CurveP384, CurveP521, X25519
web.yml:2:3 tls_server_config.certfile: unknown key
web.yml:8:3 http_server_config.http2: must be true or false
web.yml:12:5 http_server_config.headers.Content-Security-Policy: must be one line of plain characters
web.yml:10:5 http_server_config.headers.X-Frame-Options: must be deny or sameorigin
web.yml:11:5 http_server_config.headers.Server: unknown key
web.yml:14:3 basic_auth_users.alice: must be a bcrypt hash such as $2y$10$…
web.yml:15:3 basic_auth_users.a:b: must not hold a colon
web.yml:16:14 rate_limit.interval: must be a duration with its unit, such as 1s or 100ms
web.yml:16:27 rate_limit.burst: must be at least 0
web.yml:17:1 tls: unknown key`,
  )
})

testRefusals([
  {
    what: "a burst of nothing",
    yaml: "rate_limit: {interval: 1s}",
    faults: "web.yml:1:1 rate_limit.burst: must be at least 1, otherwise every request is refused",
  },
  {
    what: "users where the server refuses them",
    yaml: `basic_auth_users: {a: ${HASH}}`,
    faults: "web.yml:1:1 basic_auth_users: the proxy reads Authorization itself",
    refuseBasicAuth: "the proxy reads Authorization itself",
  },
])

test("reads the example of the format's own documentation", async (t) => {
  const { faults, config } = await readExample(
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
