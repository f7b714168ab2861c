import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { decodeJwt } from "jose"
import { problemOf } from "../../site/proxy/token/verify.ts"
import { WrittenUrl } from "./external-url.ts"
import { issueToken, rotateKeys } from "./issue.ts"
import { ISSUER } from "./testing.ts"
import { openWorld } from "./world.testing.ts"

const signal = new AbortController().signal
const values = (keys: string) => ({
  ...{ tokenKeyDir: keys, configDir: "", webExternalUrl: new WrittenUrl(ISSUER), tokenLifetime: 600, match: ["up"] },
})

test("prints a token of the portal's key, which the published keys verify until it ends, and others do not", async (t) => {
  const [world, stranger] = [await openWorld(t, false), await openWorld(t, false)]
  const [portal, other] = [await world.start(), await stranger.start()]
  const now = () => new Date(world.now() * 1000)
  let printed = ""
  await issueToken(values(world.keys), { print: (text) => (printed += text), now }, "site-z")
  const token = printed.trim()
  const { aud, exp = 0, iss, match } = decodeJwt(token)
  assert.deepEqual({ aud, exp, iss, match }, { aud: "site-z", exp: world.now() + 600, iss: ISSUER, match: ["up"] })
  const file = join(world.keys, "jwks.json")
  const verify = async (keys: readonly object[], at: Date) => {
    await writeFile(file, JSON.stringify({ keys }))
    return problemOf(token, file, at, signal)
  }
  assert.equal(await verify(portal.jwks(), now()), undefined)
  assert.equal(await verify(portal.jwks(), new Date(exp * 1000)), '"exp" claim timestamp check failed')
  assert.equal(await verify(other.jwks(), now()), "its key is not among those that are published there")
})

test("needs an issuer and a key, and says which", async (t) => {
  const world = await openWorld(t, false)
  const context = { print: () => assert.fail("nothing is to be printed"), now: () => new Date() }
  await assert.rejects(issueToken({ ...values(world.keys), webExternalUrl: undefined }, context, "site-a"), {
    message: "--web.external-url: is needed: it is the issuer of the token",
  })
  await assert.rejects(issueToken(values(world.keys), context, "site-a"), {
    message: `${world.keys}/signing-keys.json: cannot be read: ENOENT: no such file or directory`,
  })
})

test("a rotation is served by the running portal, and --drop-old goes with --now alone", async (t) => {
  const world = await openWorld(t, false)
  const portal = await world.start()
  const [before] = portal.jwks()
  let printed = ""
  const context = { print: (text: string) => (printed += text), signal }
  const folder = values(world.keys)
  await assert.rejects(rotateKeys({ ...folder, now: false, dropOld: true }, context), {
    message: "--drop-old: goes with --now alone",
  })
  await rotateKeys({ ...folder, now: true, dropOld: false }, context)
  assert.equal(
    printed,
    "A new key signs all tokens from now on. The one before is published until its tokens have ended.\n",
  )
  assert.deepEqual(
    portal.jwks().map(({ kid }) => kid === before?.kid),
    [false, true],
  )
})
