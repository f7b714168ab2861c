import assert from "node:assert/strict"
import { test } from "node:test"
import { printSelector } from "#core/promql/selector.ts"
import { clientsOfTokens } from "./narrow.ts"
import { clientOf } from "./testing.ts"

const CLIENT = clientOf("central", ['{job="a",__name__=~"x_.*"}'])

function narrowed(match: unknown): readonly unknown[] | string {
  const client = clientsOfTokens(CLIENT)(match === undefined ? {} : { match })
  if (typeof client === "string") return client
  return [client.shared.map(({ selector }) => printSelector(selector)), client.notGranted]
}

test("its match claim narrows what the issuer may grant", () => {
  assert.deepEqual(narrowed(undefined), [['{__name__=~"x_.*",job="a"}'], undefined])
  assert.deepEqual(narrowed('x_1{job="a"}'), [['{__name__="x_1",job="a"}'], undefined])
  assert.deepEqual(narrowed(['x_1{job="a"}', '{job="a",__name__=~"x_(2|3)"}']), [
    ['{__name__="x_1",job="a"}', '{__name__=~"x_(2|3)",job="a"}'],
    undefined,
  ])
})

test("its match claim never widens, and what it leaves out is named", () => {
  const beyond = (selector: string): string => `${selector} of the token is beyond what its issuer may grant`
  assert.deepEqual(narrowed('{__name__=~".+"}'), [[], beyond('{__name__=~".+"}')])
  assert.deepEqual(narrowed(["up", 'x_1{job="a"}', "{}", "("]), [
    ['{__name__="x_1",job="a"}'],
    `${beyond('{__name__="up"}')}; ${beyond("{}")}; a selector of the token cannot be read`,
  ])
  assert.deepEqual(narrowed([]), [[], undefined])
})

for (const [name, match] of [
  ["a number", 7],
  ["null", null],
  ["65 selectors", Array.from({ length: 65 }, () => "up")],
  ["a selector of 4,097 characters", "a".repeat(4097)],
] as const) {
  test(`refuses a match claim that is ${name}`, () =>
    assert.equal(narrowed(match), "its match is neither a selector nor a list of some"))
}

test("equal claims share one list of selectors, by which decisions are kept", () => {
  const make = clientsOfTokens(CLIENT)
  const shared = (claims: Readonly<Record<string, unknown>>) => {
    const client = make(claims)
    return typeof client === "string" ? client : client.shared
  }
  assert.equal(shared({ match: "x_1", sub: "a" }), shared({ match: "x_1", sub: "b" }))
  assert.equal(shared({ sub: "a" }), CLIENT.shared)
})

test("its subject stands in the log alone, printable and cut", () => {
  const client = clientsOfTokens(CLIENT)({ sub: `a\nb\u202e${"c".repeat(100)}` })
  assert.deepEqual(client, { ...CLIENT, subject: `a?b?${"c".repeat(60)}` })
})
