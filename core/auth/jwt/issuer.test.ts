import assert from "node:assert/strict"
import { createHmac, sign as signBytes } from "node:crypto"
import { test } from "node:test"
import { sha256 } from "../secrets.ts"
import { parseKeys } from "./keys.ts"
import {
  NOW,
  SECONDS,
  OWNER,
  CLAIMS,
  rsa,
  ec,
  stranger,
  published,
  KEYS,
  keySet,
  issuerWith,
  sign,
  forge,
  outcome,
  VALID,
  UNKNOWN_KEY,
} from "./testing.ts"

for (const [name, token] of [
  ["a signature by elliptic curve", await sign()],
  ["an RSA signature", await sign(CLAIMS, { alg: "RS256", kid: "r" }, rsa.privateKey)],
  ["one of several audiences", await sign({ ...CLAIMS, aud: ["other", "all-sites"] })],
  ["no kid where one key fits", await sign(CLAIMS, { kid: undefined })],
  ["the type of an access token", await sign(CLAIMS, { typ: "at+JWT" })],
  [
    "embedded keys that it does not need",
    await sign(CLAIMS, { jku: "https://evil.example.org", x5u: "https://evil.example.org" }),
  ],
] as const) {
  test(`accepts ${name}`, async () => assert.equal(await outcome(token), VALID))
}

const publicPem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString()
const hmac = (secret: string) => (body: string) => createHmac("sha256", secret).update(body).digest("base64url")
const rightful = (body: string) =>
  signBytes("sha256", Buffer.from(body), { key: ec.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")
const OTHER_ISSUER = 'a token of central: unexpected "iss" claim value'
const ALGORITHM = 'a token of central: "alg" (Algorithm) Header Parameter value not allowed'

const ATTACKS: readonly (readonly [name: string, token: string, reason: string])[] = [
  ["alg none", forge({ alg: "none" }, CLAIMS), ALGORITHM],
  ["alg None, as some libraries did not expect (CVE-2020-28042)", forge({ alg: "nOnE" }, CLAIMS), ALGORITHM],
  [
    "the public key as the secret of HS256 (CVE-2016-5431)",
    forge({ alg: "HS256", kid: "r" }, CLAIMS, hmac(publicPem)),
    ALGORITHM,
  ],
  ["an empty secret of HS256", forge({ alg: "HS256" }, CLAIMS, hmac("")), ALGORITHM],
  [
    "an algorithm that the policy leaves out",
    await sign(CLAIMS, { alg: "PS256", kid: "r" }, rsa.privateKey),
    ALGORITHM,
  ],
  [
    "a key in its own header (CVE-2018-0114)",
    await sign(CLAIMS, { jwk: stranger.publicKey.export({ format: "jwk" }) }, stranger.privateKey),
    "a token of central: signature verification failed",
  ],
  ["a kid that is a path", await sign(CLAIMS, { kid: "../../dev/null" }, stranger.privateKey), UNKNOWN_KEY],
  ["a kid that is a query", await sign(CLAIMS, { kid: "e' OR '1'='1" }, stranger.privateKey), UNKNOWN_KEY],
  ["a kid called __proto__", await sign(CLAIMS, { kid: "__proto__" }, stranger.privateKey), UNKNOWN_KEY],
  [
    "an ES256 signature of zeros (CVE-2022-21449)",
    forge({ alg: "ES256", kid: "e" }, CLAIMS, () => Buffer.alloc(64).toString("base64url")),
    "a token of central: signature verification failed",
  ],
  ["no signature", forge({ alg: "ES256", kid: "e" }, CLAIMS), "a token of central: signature verification failed"],
  [
    "a critical extension",
    forge({ alg: "ES256", kid: "e", crit: ["x"], x: 1 }, CLAIMS, rightful),
    'a token of central: Extension Header Parameter "x" is not recognized',
  ],
  [
    "an extension that is critical and known",
    forge({ alg: "ES256", kid: "e", crit: ["b64"], b64: true }, CLAIMS, rightful),
    "a token of central: it has critical extensions",
  ],
  [
    "an unencoded payload",
    forge({ alg: "ES256", kid: "e", crit: ["b64"], b64: false }, CLAIMS, rightful),
    "a token of central: JWTs MUST NOT use unencoded payload",
  ],
  ["no exp", await sign({ iss: CLAIMS.iss, aud: CLAIMS.aud }), 'a token of central: missing required "exp" claim'],
  [
    "exp as a text",
    await sign({ ...CLAIMS, exp: String(CLAIMS.exp) as never }),
    'a token of central: "exp" claim must be a number',
  ],
  [
    "an exp in the past",
    await sign({ ...CLAIMS, exp: SECONDS - 31 }),
    'a token of central: "exp" claim timestamp check failed',
  ],
  [
    "an nbf in the future",
    await sign({ ...CLAIMS, nbf: SECONDS + 31 }),
    'a token of central: "nbf" claim timestamp check failed',
  ],
  ["another audience", await sign({ ...CLAIMS, aud: "site-b" }), 'a token of central: unexpected "aud" claim value'],
  [
    "a list of other audiences",
    await sign({ ...CLAIMS, aud: ["site-b", "site-a "] }),
    'a token of central: unexpected "aud" claim value',
  ],
  ["no audience", await sign({ iss: CLAIMS.iss, exp: CLAIMS.exp }), 'a token of central: missing required "aud" claim'],
  ["another issuer", await sign({ ...CLAIMS, iss: "https://evil.example.org" }), OTHER_ISSUER],
  ["its issuer as a list", await sign({ ...CLAIMS, iss: [CLAIMS.iss] as never }), OTHER_ISSUER],
  ["the type of another token", await sign(CLAIMS, { typ: "logout+jwt" }), "a token of central: its type is another"],
]
for (const [name, token, reason] of ATTACKS) {
  test(`refuses ${name}`, async () => assert.equal(await outcome(token), reason))
}

test("keys that could be secrets or are private are not used", async () => {
  const secret = { kty: "oct", k: Buffer.from("secret").toString("base64url"), kid: "s" }
  const keys = keySet([...KEYS, secret, { ...stranger.privateKey.export({ format: "jwk" }), kid: "private" }])
  assert.equal(await outcome(await sign(CLAIMS, { kid: "private" }, stranger.privateKey), keys), UNKNOWN_KEY)
  assert.throws(() => parseKeys(JSON.stringify({ keys: [secret] })), /holds no public key/)
})

test("the caller makes the owner of its claims, once for each token, or refuses it", async () => {
  const token = await sign({ ...CLAIMS, team: "a" })
  const made = issuerWith(keySet(), ({ team }) => ({ name: `central/${String(team)}` }))
  const identity = await made.verify(token, "hash", NOW)
  assert.deepEqual(identity, { owner: { name: "central/a" }, validUntil: NOW.getTime() + 630_000 })
  assert.equal(made.known("hash", NOW), identity)
  const refusing = issuerWith(keySet(), () => "its team has no rights")
  assert.deepEqual(await refusing.verify(token, "hash", NOW), { reason: "a token of central: its team has no rights" })
  assert.equal(refusing.known("hash", NOW), undefined)
})

test("the caller sees no claims that were not verified", async () => {
  const seen: unknown[] = []
  const issuer = issuerWith(keySet(), (claims) => {
    seen.push(claims)
    return OWNER
  })
  for (const [, token] of ATTACKS) await issuer.verify(token, sha256(token).toString("base64"), NOW)
  assert.deepEqual(seen, [])
})

test("keeps few long tokens and many short ones", async () => {
  const issuer = issuerWith()
  const owners = { long: await sign({ ...CLAIMS, match: "x".repeat(5000) }), short: await sign() }
  for (const [token, many] of [[owners.long, 3000] as const, [owners.short, 10_000] as const]) {
    for (let index = 0; index < many; index++) await issuer.verify(token, `${token.length} ${index}`, NOW)
    const kept = Array.from({ length: many }, (_, index) => issuer.known(`${token.length} ${index}`, NOW))
    assert.deepEqual([kept[0] === undefined, kept.at(-1) === undefined], [token === owners.long, false])
  }
})

test("a verified token is known until it expires or the keys change", async () => {
  const keys = keySet()
  const issuer = issuerWith(keys)
  const token = await sign()
  const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)
  assert.equal(issuer.known("hash", NOW), undefined)
  const identity = await issuer.verify(token, "hash", NOW)
  assert.equal(issuer.known("hash", at(629)), identity)
  assert.equal(issuer.known("other", NOW), undefined)
  assert.equal(issuer.known("hash", at(630)), undefined)
  await issuer.verify(token, "hash", NOW)
  keys.replace([published(rsa.publicKey, "r")])
  assert.equal(issuer.known("hash", NOW), undefined)
  assert.deepEqual(await issuer.verify(token, "hash", NOW), { reason: UNKNOWN_KEY })
})
