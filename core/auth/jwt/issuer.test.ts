import assert from "node:assert/strict"
import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign as signBytes } from "node:crypto"
import { test } from "node:test"
import { type JWTPayload, SignJWT } from "jose"
import { sha256 } from "../secrets.ts"
import type { Owner } from "../owner.ts"
import { createIssuer, type OwnerOf } from "./issuer.ts"
import { type KeySet, parseKeys } from "./keys.ts"

const NOW = new Date("2026-11-21T12:00:00Z")
const SECONDS = NOW.getTime() / 1000
const OWNER = { name: "central" }
const CLAIMS = { iss: "https://portal.example.org", aud: "site-a", exp: SECONDS + 600 }

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" })
const published = (key: KeyObject, kid: string): JsonWebKey & { kid: string } => ({
  ...key.export({ format: "jwk" }),
  kid,
})
const KEYS = [published(rsa.publicKey, "r"), published(ec.publicKey, "e")]

function keySet(keys: readonly object[] = KEYS) {
  let current = parseKeys(JSON.stringify({ keys })).find
  const set: KeySet & { replace(keys: readonly object[]): void } = {
    current: () => current,
    refresh: () => Promise.resolve(),
    replace(next) {
      current = parseKeys(JSON.stringify({ keys: next })).find
    },
  }
  return set
}

const SETTINGS = {
  issuer: CLAIMS.iss,
  audience: ["site-a", "all-sites"],
  algorithms: ["RS256", "ES256", "EdDSA"] as const,
  clock_tolerance: 30,
}
const issuerWith = (keys = keySet(), ownerOf?: OwnerOf<Owner>) =>
  createIssuer({ ...SETTINGS, algorithms: [...SETTINGS.algorithms] }, OWNER, keys, ownerOf)

const sign = (claims: JWTPayload = CLAIMS, header: object = {}, key: KeyObject = ec.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "e", ...header }).sign(key)
/** What a library would not sign: any header, any claims, any signature. */
function forge(header: object, claims: unknown, signature?: (body: string) => string): string {
  const body = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")
  return `${body}.${signature?.(body) ?? ""}`
}

async function outcome(token: string, keys = keySet(), now = NOW): Promise<string> {
  const result = await issuerWith(keys).verify(token, sha256(token).toString("base64"), now)
  return "owner" in result ? `${result.owner.name} until ${new Date(result.validUntil).toISOString()}` : result.reason
}

const VALID = "central until 2026-11-21T12:10:30.000Z"

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
const UNKNOWN_KEY = "a token of central: its key is not among those of the issuer"
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

const second = generateKeyPairSync("ec", { namedCurve: "P-256" })
for (const [name, keys, header] of [
  [
    "without a kid while two keys of its kind are published",
    [ec, second].map(({ publicKey }, index) => published(publicKey, `k${index}`)),
    { kid: undefined },
  ],
  ["whose kid two keys have", [ec, second].map(({ publicKey }) => published(publicKey, "e")), {}],
] as const) {
  test(`accepts a token ${name}, whichever signed it, and none of another key`, async () => {
    for (const order of [keys, keys.toReversed()]) {
      assert.equal(await outcome(await sign(CLAIMS, header), keySet(order)), VALID)
      const forged = await sign(CLAIMS, header, stranger.privateKey)
      assert.equal(await outcome(forged, keySet(order)), "a token of central: signature verification failed")
      const expired = await sign({ ...CLAIMS, exp: SECONDS - 31 }, header)
      assert.equal(await outcome(expired, keySet(order)), 'a token of central: "exp" claim timestamp check failed')
    }
  })
}

test("verifies a token that says no key with 8 keys at most", async () => {
  const others = Array.from({ length: 8 }, (_, index) =>
    published(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey, `k${index}`),
  )
  const keys = keySet([...others, published(ec.publicKey, "e")])
  assert.equal(
    await outcome(await sign(CLAIMS, { kid: undefined }), keys),
    "a token of central: more than 8 keys fit it: it needs a kid",
  )
  assert.equal(await outcome(await sign(), keys), VALID)
})

/** A point that is not on its curve, and other damage of a file that was edited by hand. */
const DAMAGED = [
  { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA", kid: "damaged" },
  { ...published(ec.publicKey, "damaged"), y: published(ec.publicKey, "x").x },
  { ...published(ec.publicKey, "damaged"), x: 7 },
  { kty: "RSA", e: "AQAB", kid: "damaged" },
  { kty: "RSA", n: "", e: "", kid: "damaged" },
  { kty: "OKP", crv: "Ed25519", x: "AA", kid: "damaged" },
  { kty: "EC", crv: "P-999", x: "AAAA", y: "AAAA", kid: "damaged" },
]
for (const damaged of DAMAGED) {
  test(`reports the damaged key ${JSON.stringify(damaged)}, refuses its tokens, and uses the others`, async () => {
    const { unusable } = parseKeys(JSON.stringify({ keys: [...KEYS, damaged] }))
    assert.equal(unusable.length, 1)
    assert.match(unusable[0] ?? "", /^keys\[2\] \(kid "damaged"\) is damaged/)
    const keys = keySet([...KEYS, damaged])
    for (const alg of ["ES256", "RS256", "EdDSA"]) {
      const token = forge({ alg, kid: "damaged" }, CLAIMS, () => Buffer.alloc(64).toString("base64url"))
      assert.equal(await outcome(token, keys), UNKNOWN_KEY)
    }
    assert.equal(await outcome(await sign(), keys), VALID)
  })
}

test("refuses a token whose key is not fit for verifying, and throws nothing", async () => {
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 })
  const keys = keySet([
    ...KEYS,
    published(weak.publicKey, "weak"),
    { ...published(ec.publicKey, "swapped"), crv: "P-384" },
  ])
  for (const header of [
    { alg: "RS256", kid: "weak" },
    { alg: "ES256", kid: "swapped" },
    { alg: "RS256", kid: "e" },
  ]) {
    const token = forge(header, CLAIMS, () => Buffer.alloc(128).toString("base64url"))
    assert.match(await outcome(token, keys), /^a token of central: its key (?:does not fit|is not among)/)
  }
})
