import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { createServer } from "node:https"
import { Socket } from "node:net"
import { type TestContext, test } from "node:test"
import { Agent, request } from "undici"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { listen } from "../../dev/testing/listen.ts"
import { authenticate, type Credentials } from "./authenticate.ts"
import { identifyCertificate } from "./certificates.ts"
import type { Issuer } from "./jwt/issuer.ts"
import type { Authentication, Owner } from "./owner.ts"
import type { TokenCredential } from "./token-table.ts"
import { noKeys } from "./jwt/remote-keys.ts"
import { sha256 } from "./secrets.ts"

const NOW = new Date("2026-11-21T12:00:00Z")
const credential = (
  token: string,
  name: string,
  dates: Partial<TokenCredential<Owner>> = {},
): TokenCredential<Owner> => ({
  sha256: sha256(token),
  owner: { name },
  where: name,
  ...dates,
})
const at = (text: string): Date => new Date(`2026-11-21T${text}Z`)
const CREDENTIALS: Credentials<Owner> = {
  tokens: [
    credential("first-token", "first"),
    credential("second-token", "second"),
    credential("old-token", "rotating", { notAfter: at("13:00") }),
    credential("new-token", "rotating", { validFrom: at("12:30") }),
  ],
  issuers: [],
  certificates: [],
}

/** The owner's name, or why there is none. */
const shown = (result: Authentication<Owner>): string => ("owner" in result ? result.owner.name : result.reason)

async function ownerOf(rawHeaders: readonly string[], now = NOW): Promise<string> {
  return shown(await authenticate({ rawHeaders: [...rawHeaders], socket: new Socket() }, CREDENTIALS, now))
}

const NO_BEARER = "the Authorization header holds no bearer token"
const HEADERS: readonly (readonly [headers: readonly string[], owner: string])[] = [
  [["Authorization", "Bearer first-token"], "first"],
  [["authorization", "bearer second-token"], "second"],
  [[], "no Authorization header"],
  [["Authorization", ""], NO_BEARER],
  [["Authorization", "Basic first-token"], NO_BEARER],
  [["Authorization", "Bearer  first-token"], NO_BEARER],
  [["Authorization", "Bearer first-token, Bearer x"], NO_BEARER],
  [["Authorization", "Bearer first-toke"], "an unknown token"],
  [["Authorization", "Bearer First-token"], "an unknown token"],
  [["Authorization", "Bearer first-token", "Authorization", "Bearer first-token"], "several Authorization headers"],
  [["Proxy-Authorization", "Bearer first-token"], "no Authorization header"],
  [["Authorization", `Bearer ${sha256("first-token").toString("hex")}`], "an unknown token"],
  ...["__proto__", "constructor", "undefined", "null", "0", "a.b.c"].map(
    (token) => [["Authorization", `Bearer ${token}`], "an unknown token"] as const,
  ),
]
for (const [headers, owner] of HEADERS) {
  test(`identifies ${JSON.stringify(headers)} as: ${owner}`, async () => assert.equal(await ownerOf(headers), owner))
}

const TIMES: readonly (readonly [token: string, time: string, owner: string])[] = [
  ["old-token", "12:59:59.999", "rotating"],
  ["old-token", "13:00", "a token of rotating that has expired"],
  ["new-token", "12:29:59.999", "a token of rotating that is not valid yet"],
  ["new-token", "12:30", "rotating"],
]
for (const [token, time, owner] of TIMES) {
  test(`identifies ${token} at ${time} as: ${owner}`, async () =>
    assert.equal(await ownerOf(["Authorization", `Bearer ${token}`], at(time)), owner))
}

test("looks at the token of each request of a connection", async () => {
  const socket = new Socket()
  const owners: string[] = []
  for (const token of ["first-token", "second-token", "first-tokem", "first-token", "tirst-foken", "old-token"]) {
    const rawHeaders = ["Host", "x", "Authorization", `Bearer ${token}`]
    owners.push(shown(await authenticate({ rawHeaders, socket }, CREDENTIALS, NOW)))
  }
  assert.deepEqual(owners, ["first", "second", "an unknown token", "first", "an unknown token", "rotating"])
  const rawHeaders = ["Authorization", "Bearer old-token"]
  assert.equal(
    shown(await authenticate({ rawHeaders, socket }, CREDENTIALS, at("13:00"))),
    "a token of rotating that has expired",
  )
  assert.equal(
    shown(await authenticate({ rawHeaders, socket }, { ...CREDENTIALS, tokens: [] }, NOW)),
    "an unknown token",
  )
})

const verifying: Issuer<Owner> = {
  owner: { name: "central" },
  issuer: "i",
  audience: ["a"],
  keys: noKeys,
  known: () => undefined,
  precheck: () => undefined,
  verify: () => Promise.resolve({ owner: { name: "central" }, validUntil: Infinity }),
}
for (const [name, payload, owner] of [
  ["its issuer", { iss: "i" }, "central"],
  ["another issuer", { iss: "x" }, "an unknown token"],
  ["its issuer as a list", { iss: ["i"] }, "an unknown token"],
  ["its issuer and more than 8,192 characters", { iss: "i", padding: "x".repeat(8192) }, "an unknown token"],
] as const) {
  test(`gives a token of ${name} to its issuer, or to none: ${owner}`, async () => {
    const parts = [{ alg: "ES256" }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    const rawHeaders = ["Authorization", `Bearer ${parts.join(".")}.c2ln`]
    const credentials = { ...CREDENTIALS, issuers: [verifying] }
    assert.equal(shown(await authenticate({ rawHeaders, socket: new Socket() }, credentials, NOW)), owner)
  })
}

const authority = makeAuthority("clients")
const RULES = [
  { owner: { name: "by-uri" }, names: ["URI:spiffe://a/portal"] },
  { owner: { name: "by-dns" }, names: ["DNS:portal.example.org"] },
  { owner: { name: "by-name" }, names: ["CN:portal"] },
]

/** The owner of this certificate for a server that requests one of `authority` and accepts others too. */
async function ownerOver(
  t: TestContext,
  client: { readonly cert: string; readonly key: string } | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const issued = authority.issue({ name: "server", sans: ["IP:127.0.0.1"] })
  const server = createServer(
    { ...issued, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
    (incoming, response) => {
      void Promise.resolve(authenticate(incoming, { ...CREDENTIALS, certificates: RULES }, new Date())).then((result) =>
        response.end(shown(result)),
      )
    },
  )
  const port = await listen(t, server)
  const agent = new Agent({ connect: { ca: authority.cert, ...client } })
  t.after(() => agent.destroy())
  return (await request(`https://127.0.0.1:${port}/`, { dispatcher: agent, headers })).body.text()
}

const issue = (name: string, ...sans: readonly string[]) => authority.issue({ name, sans })
const CERTIFICATES: readonly (readonly [
  name: string,
  certificate: ReturnType<typeof issue> | undefined,
  owner: string,
])[] = [
  ["a URI", issue("x", "URI:spiffe://a/portal"), "by-uri"],
  ["a DNS name", issue("x", "DNS:other", "DNS:portal.example.org"), "by-dns"],
  ["a common name", issue("portal"), "by-name"],
  ["no certificate", undefined, "no Authorization header and no client certificate"],
  ["no name of a rule", issue("x", "DNS:example.org"), "a client certificate that no rule names"],
  ["a URI as its DNS name", issue("x", "DNS:spiffe://a/portal"), "a client certificate that no rule names"],
  [
    "two names in one (CVE-2021-44532)",
    issue("x", "DNS:a, URI:spiffe://a/portal"),
    "a client certificate that no rule names",
  ],
  ["a common name with another in it", issue("x\nCN=portal"), "a client certificate that no rule names"],
  [
    "another authority",
    makeAuthority("clients").issue({ name: "portal", sans: ["URI:spiffe://a/portal"] }),
    "a client certificate that was not verified",
  ],
  [
    "a past end",
    authority.issue({ name: "portal", notAfter: new Date(Date.now() - 1000) }),
    "a client certificate that was not verified",
  ],
]
for (const [name, certificate, owner] of CERTIFICATES) {
  test(`identifies a certificate with ${name} as: ${owner}`, async (t) =>
    assert.equal(await ownerOver(t, certificate), owner))
}

test("refuses a certificate that expired while its connection was open", () => {
  const certificate = new X509Certificate(issue("portal").cert)
  const socket = { authorized: true, getPeerX509Certificate: () => certificate }
  const end = certificate.validToDate.getTime()
  assert.equal(shown(identifyCertificate(socket, RULES, new Date(end - 1))), "by-name")
  assert.equal(shown(identifyCertificate(socket, RULES, new Date(end))), "a client certificate that has expired")
})

test("prefers a bearer token to a certificate, and refuses a wrong token beside a valid certificate", async (t) => {
  const certificate = issue("portal")
  assert.equal(await ownerOver(t, certificate, { authorization: "Bearer first-token" }), "first")
  assert.equal(await ownerOver(t, certificate, { authorization: "Bearer wrong" }), "an unknown token")
  assert.equal(await ownerOver(t, certificate, { authorization: "Basic eDp5" }), NO_BEARER)
})
