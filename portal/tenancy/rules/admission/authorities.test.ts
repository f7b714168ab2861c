import assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { makeAuthority } from "../../../../dev/testing/certificates.ts"
import { type Bundle, certificatesIn, isTrusted, nextBundle, readAuthorities } from "./authorities.ts"

const [one, two, three] = [makeAuthority("one"), makeAuthority("two"), makeAuthority("three")]
const NOW = new Date()
const later = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000)
const bundle = (rotated: Date | undefined, ...of: readonly { readonly cert: string }[]): Bundle => ({
  authorities: of.flatMap(({ cert }) => certificatesIn(cert)),
  rotated,
})
const shown = (next: Bundle | undefined) =>
  next && [...next.authorities.map(({ subject }) => subject), next.rotated?.toISOString()]
const nextOf = (before: Bundle, wanted: Bundle, now = NOW) => shown(nextBundle(before, wanted.authorities, now))

test("a bundle of an hour has the authorities of before and of now, and later those of now alone", () => {
  const [before, both, after] = [bundle(undefined, one), bundle(NOW, two, one), bundle(NOW, two)]
  assert.deepEqual(nextOf(before, after), shown(both))
  assert.equal(nextOf(both, after, later(59)), undefined)
  assert.deepEqual(nextOf(both, after, later(60)), shown(after))
  assert.equal(nextOf(after, after, later(120)), undefined)
})

test("a second rotation within the hour keeps all three, and counts anew", () => {
  assert.deepEqual(
    nextOf(bundle(NOW, two, one), bundle(undefined, three), later(30)),
    shown(bundle(later(30), three, two, one)),
  )
})

test("an empty bundle is filled, and one without a time, or with one to come, goes on for an hour", () => {
  assert.deepEqual(nextOf(bundle(undefined), bundle(undefined, one)), shown(bundle(NOW, one)))
  for (const rotated of [undefined, later(10)])
    assert.deepEqual(nextOf(bundle(rotated, one, two), bundle(undefined, one)), shown(bundle(NOW, one, two)))
})

test("authorities that have expired are not kept", () => {
  const tomorrow = later(60 * 48)
  assert.deepEqual(nextOf(bundle(undefined, one), bundle(undefined, two), tomorrow), shown(bundle(tomorrow, two)))
})

test("a certificate is trusted by the authority that issued it, through those in its file, or by itself", () => {
  const middle = one.intermediate("middle")
  const leaf = middle.issue({ name: "leaf" })
  const chain = certificatesIn(leaf.cert + middle.cert)
  assert.equal(isTrusted(chain, bundle(undefined, two, one).authorities), true)
  assert.equal(isTrusted(certificatesIn(leaf.cert), bundle(undefined, one).authorities), false)
  assert.equal(isTrusted(chain, bundle(undefined, makeAuthority("one")).authorities), false)
  assert.equal(isTrusted(certificatesIn(leaf.cert), certificatesIn(leaf.cert)), true)
})

test("what is no certificate is left out, and a file without one refused", () => {
  const broken = one.cert.replace(/MII/, "AAA")
  assert.equal(certificatesIn(`# roots\n${broken}${one.cert}${two.key}`).length, 1)
  assert.throws(
    () => readAuthorities("ca.crt", () => broken),
    new ConfigurationError([{ where: "ca.crt", message: "holds no certificate in PEM format" }]),
  )
})
