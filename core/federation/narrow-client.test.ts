import assert from "node:assert/strict"
import { test } from "node:test"
import { UNLIMITED_TURNS } from "#core/limits/turns.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { createNarrower } from "#core/promql/narrow.ts"
import { printSelector } from "#core/promql/selector.ts"
import { clientsOfTokens, createNarrowClient } from "./narrow-client.ts"
import { clientOf } from "./testing.ts"

const CLIENT = clientOf("central", ['{job="a",__name__=~"x_.*"}'])
const open = () => createNarrowClient(createNarrower(createAuthorize(), UNLIMITED_TURNS))
const { narrow } = open()

async function narrowed(match: unknown, ceiling = CLIENT): Promise<readonly unknown[] | string> {
  const client = clientsOfTokens(ceiling)(match === undefined ? {} : { match })
  if (typeof client === "string") return client
  const { shared, notGranted } = await narrow(client)
  return [shared.map(({ selector }) => printSelector(selector)), notGranted]
}

test("its match claim narrows what the issuer may grant", async () => {
  assert.deepEqual(await narrowed(undefined), [['{__name__=~"x_.*",job="a"}'], undefined])
  assert.deepEqual(await narrowed('x_1{job="a"}'), [['{__name__="x_1",job="a"}'], undefined])
  assert.deepEqual(await narrowed(['x_1{job="a"}', '{job="a",__name__=~"x_(2|3)"}']), [
    ['{__name__="x_1",job="a"}', '{__name__=~"x_(2|3)",job="a"}'],
    undefined,
  ])
})

test("its match claim never widens, and what it leaves out is named", async () => {
  const beyond = (selector: string): string => `${selector} of the token is beyond what its issuer may grant`
  assert.deepEqual(await narrowed('{__name__=~".+"}'), [[], beyond('{__name__=~".+"}')])
  assert.deepEqual(await narrowed(["up", 'x_1{job="a"}', "{}", "("]), [
    ['{__name__="x_1",job="a"}'],
    `${beyond('{__name__="up"}')}; ${beyond("{}")}; a selector of the token cannot be read`,
  ])
  assert.deepEqual(await narrowed([]), [[], undefined])
})

test("its match claim never widens where matchers are added to requests, whatever was requested before", async () => {
  const authorize = createAuthorize()
  const enforced = { ...CLIENT, enforce: true }
  const requested = [{ label: "__name__", op: "=", value: "up" }] as const
  const { narrow: narrowAfter } = createNarrowClient(createNarrower(authorize, UNLIMITED_TURNS))
  const client = clientsOfTokens(enforced)({ match: "up" })
  assert.ok(typeof client !== "string")
  for (let round = 0; round < 2; round++) {
    const { allowed } = await authorize(enforced, [requested])
    assert.deepEqual([allowed, (await narrowAfter(client)).shared], [true, []])
  }
})

test("it shares nothing until it is narrowed, also where matchers are added", async () => {
  const client = clientsOfTokens({ ...CLIENT, enforce: true })({ match: 'x_1{job="a"}' })
  assert.ok(typeof client !== "string")
  assert.deepEqual(client.shared, [])
  const decision = await createAuthorize()(client, [[{ label: "__name__", op: "=", value: "x_1" }]])
  assert.equal(decision.allowed, false)
})

for (const [name, match] of [
  ["a number", 7],
  ["null", null],
  ["65 selectors", Array.from({ length: 65 }, () => "up")],
  ["a selector of 4,097 characters", "a".repeat(4097)],
] as const) {
  test(`refuses a match claim that is ${name}`, async () =>
    assert.equal(await narrowed(match), "its match is neither a selector nor a list of some"))
}

test("equal claims share one list of selectors, by which decisions are kept, and a token keeps its client", async () => {
  const make = clientsOfTokens(CLIENT)
  const clients = open()
  const owner = (claims: Readonly<Record<string, unknown>>) => {
    const client = make(claims)
    assert.ok(typeof client !== "string")
    return client
  }
  const token = owner({ match: "x_1", sub: "a" })
  assert.equal(clients.known(token), undefined)
  const first = await clients.narrow(token)
  assert.equal(clients.known(token), first)
  assert.equal(first.shared, (await clients.narrow(owner({ match: "x_1", sub: "b" }))).shared)
  clients.forget()
  assert.equal(clients.known(token), undefined)
  const whole = owner({ sub: "a" })
  assert.equal(clients.known(whole), whole)
  assert.equal(whole.shared, CLIENT.shared)
})

test("keeps the clients of long claims as long as all of them take little memory", async () => {
  const clients = open()
  const made = clientsOfTokens(CLIENT)
  const owners = Array.from({ length: 200 }, (_, index) => {
    const matchers = Array.from({ length: 400 }, (__, at) => `a${index}_${at}=""`).join(",")
    const owner = made({ match: `{job="a",__name__="x_1",${matchers.slice(0, 4000).replace(/,[^,]*$/, "")}}` })
    assert.ok(typeof owner !== "string")
    return owner
  })
  for (const owner of owners) assert.equal((await clients.narrow(owner)).shared.length, 1)
  assert.ok(owners.slice(-100).every((owner) => clients.known(owner)))
  assert.equal(clients.known(owners[0] ?? CLIENT), undefined)
})

test("its subject stands in the log alone, printable and cut", () => {
  const client = clientsOfTokens(CLIENT)({ sub: `a\nb\u202e${"c".repeat(100)}` })
  assert.deepEqual(client, { ...CLIENT, subject: `a?b?${"c".repeat(60)}` })
})
