import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { decodeJwt, decodeProtectedHeader } from "jose"
import { until } from "../../dev/testing/until.ts"
import { keyFileOf } from "./key-file.ts"
import { requestRotation } from "./rotation-request.ts"
import { ISSUER } from "./testing.ts"
import { openWorld } from "./world.testing.ts"

const HOUR = 3600
const kidOf = (token = ""): string | undefined => decodeProtectedHeader(token).kid

for (const [keeps, name] of [
  [false, "that reads tokens again"],
  [true, "that keeps a job's first token"],
] as const) {
  test(`a Prometheus ${name} loses no scrape in six hours of renewals, with one reload for both sites or none`, async (t) => {
    const world = await openWorld(t, keeps)
    await world.start()
    assert.deepEqual(await world.pass(6 * HOUR), [])
    assert.equal(world.reloads(), keeps ? 12 : 1)
  })

  test(`a Prometheus ${name} loses no scrape while keys are rotated, by age and by command`, async (t) => {
    const world = await openWorld(t, keeps)
    const portal = await world.start({ keyAge: 3 * HOUR })
    assert.deepEqual(await world.pass(HOUR), [])
    const first = kidOf(world.token("site-a"))
    assert.deepEqual(await world.pass(3 * HOUR), [])
    const second = kidOf(world.token("site-a"))
    assert.notEqual(second, first)
    await requestRotation(world.keys, { id: randomUUID(), now: false, dropOld: false })
    assert.deepEqual(await world.pass(2 * HOUR), [])
    assert.notEqual(kidOf(world.token("site-a")), second)
    assert.ok(portal.jwks().length <= 3)
  })

  test(`a Prometheus ${name} loses no scrape while the portal is away for 29 minutes and comes back`, async (t) => {
    const world = await openWorld(t, keeps)
    await world.start()
    assert.deepEqual(await world.pass(HOUR), [])
    const key = await readFile(keyFileOf(world.keys), "utf8")
    await world.end()
    assert.deepEqual(await world.pass(29 * 60), [])
    await world.start()
    assert.deepEqual(await world.pass(HOUR), [])
    assert.equal(await readFile(keyFileOf(world.keys), "utf8"), key)
  })

  test(`a Prometheus ${name} loses no scrape where the keys are lost: reported, published, waited, signed`, async (t) => {
    const world = await openWorld(t, keeps)
    await world.start()
    assert.deepEqual(await world.pass(HOUR + 600), [])
    const old = kidOf(world.token("site-a"))
    await world.end()
    await rm(world.keys, { recursive: true })
    const portal = await world.start()
    assert.match(world.lines.join(""), /level=error .*the signing keys are gone: publishing a new one/)
    const [next] = portal.jwks().map(({ kid }) => kid)
    assert.deepEqual(
      portal.jwks().map(({ kid }) => kid),
      [next, old],
    )
    assert.deepEqual(portal.problem(), { kind: "lost", until: new Date((world.now() + 600) * 1000) })
    assert.deepEqual(await world.pass(600), [])
    assert.equal(kidOf(world.token("site-a")), old)
    assert.deepEqual(await world.pass(2 * HOUR), [])
    assert.equal(kidOf(world.token("site-a")), next)
    assert.equal(portal.problem(), undefined)
  })
}

test("a stolen token is useless at another site, and at its own an hour later", async (t) => {
  const world = await openWorld(t, true)
  await world.start()
  assert.deepEqual(await world.pass(60), [])
  const stolen = world.token("site-a")
  assert.equal(await world.verdict("site-a", stolen), "yes")
  assert.equal(await world.verdict("site-b", stolen), 'a token of portal: unexpected "aud" claim value')
  assert.deepEqual(await world.pass(HOUR), [])
  assert.equal(await world.verdict("site-a", stolen), 'a token of portal: "exp" claim timestamp check failed')
})

test("--now --drop-old ends what other keys signed as soon as sites have looked", async (t) => {
  const world = await openWorld(t, true)
  await world.start()
  assert.deepEqual(await world.pass(HOUR), [])
  const stolen = world.token("site-a")
  await requestRotation(world.keys, { id: randomUUID(), now: true, dropOld: true })
  assert.deepEqual(await world.pass(300), [])
  assert.equal(await world.verdict("site-a", stolen), "a token of portal: its key is not among those of the issuer")
})

test("a token says who signs, for whom, from when to when, and has an identity of its own", async (t) => {
  const world = await openWorld(t, false)
  await world.start()
  const token = world.token("site-a") ?? ""
  const { jti, ...claims } = decodeJwt(token)
  assert.match(String(jti), /^[\w-]{16}$/)
  const iat = world.now()
  assert.deepEqual(claims, {
    ...{ iss: ISSUER, sub: "portal.example.org", aud: "site-a" },
    ...{ iat, nbf: iat - 30, exp: iat + 3600 },
  })
  const { kid, ...header } = decodeProtectedHeader(token)
  assert.match(String(kid), /^[\w-]{43}$/)
  assert.deepEqual(header, { alg: "ES256", typ: "at+jwt" })
})

test("keys are published without their private parts, and lie on disk for their owner alone", async (t) => {
  const world = await openWorld(t, false)
  const portal = await world.start()
  const [key] = portal.jwks()
  assert.deepEqual(Object.keys(key ?? {}).toSorted(), ["alg", "crv", "kid", "kty", "use", "x", "y"])
  const modes = await Promise.all(
    [world.keys, keyFileOf(world.keys)].map(async (path) => (await stat(path)).mode & 0o777),
  )
  assert.deepEqual(modes, [0o700, 0o600])
  const { keys } = JSON.parse(await readFile(keyFileOf(world.keys), "utf8")) as { keys: { jwk: { d: string } }[] }
  const secret = keys[0]?.jwk.d ?? ""
  assert.equal(secret.length, 43)
  assert.doesNotMatch(world.lines.join("") + JSON.stringify(portal.jwks()), new RegExp(secret))
  assert.doesNotMatch(world.lines.join(""), /eyJ/)
})

for (const [name, damage] of [
  ["half written", (text: string) => text.slice(0, text.length / 2)],
  ["empty", () => ""],
  ["of another program", () => '{"keys":[]}'],
] as const) {
  test(`a key file that is ${name} is named once, makes no new key, and the tokens and keys before go on`, async (t) => {
    const world = await openWorld(t, true)
    await world.start()
    assert.deepEqual(await world.pass(HOUR), [])
    await world.end()
    const file = keyFileOf(world.keys)
    const whole = await readFile(file, "utf8")
    const before = kidOf(world.token("site-a"))
    await writeFile(file, damage(whole))
    world.lines.length = 0
    const portal = await world.start()
    assert.deepEqual(await world.pass(29 * 60), [])
    assert.deepEqual(
      portal.jwks().map(({ kid }) => kid),
      [before],
    )
    assert.equal(await readFile(file, "utf8"), damage(whole))
    const reported = world.lines.filter((line) => line.includes(file))
    assert.equal(reported.length, 1, reported.join(""))
    assert.equal(portal.problem()?.kind, "unusable")
    await writeFile(file, whole)
    await portal.reload()
    assert.deepEqual(await world.pass(2 * HOUR), [])
    assert.equal(kidOf(world.token("site-a")), before)
  })
}

test("a key file that is deleted while the portal runs is named, and read at once when it is put back", async (t) => {
  const world = await openWorld(t, true)
  const portal = await world.start()
  const file = keyFileOf(world.keys)
  const whole = await readFile(file, "utf8")
  await rm(file)
  await until("it is missed", () => portal.problem()?.kind === "unusable")
  assert.match(
    world.lines.join(""),
    /signing-keys\.json: is gone, the keys before stay in force; put back a copy of it/,
  )
  await writeFile(file, whole)
  await until("it is read", () => portal.problem() === undefined)
})

test("a key file that is damaged while the portal runs changes nothing", async (t) => {
  const world = await openWorld(t, true)
  const portal = await world.start()
  assert.deepEqual(await world.pass(HOUR), [])
  const before = kidOf(world.token("site-a"))
  await writeFile(join(keyFileOf(world.keys)), "{")
  await portal.reload()
  assert.deepEqual(await world.pass(2 * HOUR), [])
  assert.equal(kidOf(world.token("site-a")), before)
  assert.equal(portal.problem()?.kind, "unusable")
})
