import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { test } from "node:test"
import { parseKeys } from "./keys.ts"
import {
  SECONDS,
  CLAIMS,
  ec,
  stranger,
  published,
  KEYS,
  keySet,
  sign,
  forge,
  outcome,
  VALID,
  UNKNOWN_KEY,
} from "./testing.ts"

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
