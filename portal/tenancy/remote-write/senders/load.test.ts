import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { recordReads } from "#core/files/watch.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Sender } from "./sender.ts"
import { faultsOf, load } from "./testing.ts"

const testdata = join(import.meta.dirname, "testdata")
const ENV = { SHORT: "abc", GOOD: "zJ4kq0Xw7sPl2Vn8Tb5y", CENTRAL_TOKEN: "pJ4kq0Xw7sPl2Vn8Tb5y" }
const noCertificates = () => Promise.resolve("need TLS")

for (const name of ["shape", "meaning"]) {
  test(`names every fault of bad/${name}.yaml at once, with its place`, async () => {
    const file = join(testdata, `bad/${name}.yaml`)
    const expected = await readFile(file.replace(/\.yaml$/, ".txt"), "utf8")
    assert.equal(await faultsOf(file, { env: ENV, noCertificates }), expected)
  })
}

test("no fault shows a token", async () => {
  for (const name of ["shape", "meaning"]) {
    const text = await readFile(join(testdata, `bad/${name}.txt`), "utf8")
    for (const secret of ["abc", "plain-text", ENV.GOOD]) assert.equal(text.includes(secret), false, secret)
  }
})

test("understands every key of good/complete.yaml", async () => {
  const file = join(testdata, "good/complete.yaml")
  const { senders, tokens, issuers, certificates, warnings } = await load(file, { env: ENV })
  assert.deepEqual(senders.map(shown), [
    {
      name: "site-a",
      tenant: "site-a",
      tenants: undefined,
      labels: { site: "site-a", location: "city-a", floor: "3" },
      exported: { site: 1, location: 1, floor: 1 },
      match: ['{__name__=~"project_.*_usage",job="project_usages"}', '{__name__="up",job="project_usages"}'],
      limits: { concurrent: Infinity, requestsPerSecond: 100, bytesInFlight: 8_388_608, samplesPerSecond: 5000 },
    },
    {
      name: "central",
      tenant: undefined,
      tenants: ["team-a", "team-b"],
      labels: undefined,
      exported: undefined,
      match: undefined,
      limits: { concurrent: 2, requestsPerSecond: 50, bytesInFlight: Infinity, samplesPerSecond: 100_000 },
    },
    {
      name: "partner",
      tenant: undefined,
      tenants: undefined,
      labels: undefined,
      exported: undefined,
      match: undefined,
      limits: { concurrent: Infinity, requestsPerSecond: 100, bytesInFlight: Infinity, samplesPerSecond: 100_000 },
    },
  ])
  assert.deepEqual(
    tokens.map(({ owner, notAfter }) => [owner.name, notAfter?.toISOString()]),
    [
      ["site-a", undefined],
      ["site-a", undefined],
      ["central", "2030-02-01T00:00:00.000Z"],
    ],
  )
  assert.deepEqual(
    issuers.map(({ owner, audience }) => [owner.name, audience]),
    [["central", ["tenancy"]]],
  )
  assert.deepEqual(
    certificates.map(({ owner, names }) => [owner.name, names]),
    [["partner", ["URI:spiffe://partner.example.org/prometheus"]]],
  )
  assert.deepEqual(warnings, [])
})

const shown = ({ name, tenant, tenants, rules, limits }: Sender) => ({
  ...{ name, tenant, tenants: tenants && [...tenants] },
  ...{ labels: rules?.labels, exported: rules && Object.fromEntries(rules.exported), match: rules?.match },
  ...{ match: rules?.match?.map(printSelector), limits },
})

test("reads all files that it names again when they change", async () => {
  const file = join(testdata, "good/complete.yaml")
  const { read, contents } = recordReads()
  await load(file, { env: ENV }, read)
  assert.deepEqual([...contents.keys()], [file, join(testdata, "good/tokens.txt"), join(testdata, "good/jwks.json")])
})

test("takes from a sender the labels by which others are told apart, where its own are set", async () => {
  const { senders } = await load(join(testdata, "good/names.yaml"), { env: ENV })
  assert.deepEqual(
    senders.map(({ name, rules }) => [name, rules && Object.fromEntries(rules.exported)]),
    [
      ["a", { site: 1, zone: 2 }],
      ["b", { site: 1, zone: 2 }],
      ["trusted", undefined],
      ["selected", {}],
    ],
  )
})
