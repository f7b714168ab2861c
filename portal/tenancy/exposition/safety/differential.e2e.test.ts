import assert from "node:assert/strict"
import { test } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../../dev/testing/cortex.ts"
import { startForAllCredentials } from "../../../../dev/testing/differential/credentials.ts"
import { playAll, type Player, playerOf, seriesOf, tally, wantedBy } from "../../../../dev/testing/differential/game.ts"
import { exposition, randomRounds } from "../../../../dev/testing/differential/rounds.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { connectTo } from "../../../../dev/testing/send-request.ts"
import { startScraping } from "../../../../dev/testing/start-scraping.ts"
import { until } from "../../../../dev/testing/until.ts"
import { startProxy } from "../../remote-write/chain.testing.ts"

const CLIENTS_OF_TENANT = 7
const REQUESTS_PER_CLIENT = 25
const SERIES_PER_CLIENT = 40

/** Each has the series of a Prometheus of its own. */
const TENANTS = ["red", "blue", "green"]
/** That reads regular expressions as Cortex does: earlier ones have dots that match no line feed. */
const ORACLE = "3.5"

test("serves exactly what is shared and requested of the client's own tenant, as its Prometheus does", async (t) => {
  const program = need(t, findCortex())
  if (program === undefined) return
  const seed = seedOf(t)
  const random = seeded(seed)
  const cortex = await startCortex(t, program)
  const rounds = randomRounds(random, CLIENTS_OF_TENANT)
  const tenants = []
  for (const tenant of TENANTS) {
    // the same words and names, so that a selector of one client selects series of each
    const text = exposition(random, rounds, SERIES_PER_CLIENT).replaceAll('id="', `id="${tenant}-`)
    const flags = [`--ingester-upstream-url=${cortex.url}/api/v1/push`, `--default-tenant-list=${tenant}`]
    const { port } = await startProxy(t, flags)
    const write = { url: `http://127.0.0.1:${port}/api/v1/write`, queue_config: { batch_send_deadline: "200ms" } }
    const prometheus = await startScraping(t, ORACLE, text, [], { remote_write: [write] })
    if (prometheus === undefined) return
    tenants.push({ tenant, prometheus })
  }
  for (const { tenant, prometheus } of tenants) {
    const everything = { query: 'count({__name__=~".+"})' }
    await until(`all series of ${tenant}`, async () => {
      const [found] = await prometheus.query(everything.query)
      const { result } = (await cortex.get(tenant, "query", everything)) as typeof NOTHING
      const stored = result[0]?.value[1]
      return stored === found?.value[1] && Number(stored) > CLIENTS_OF_TENANT * SERIES_PER_CLIENT
    })
  }

  const games = tenants.flatMap((one) => rounds.map((round) => ({ ...one, round })))
  const wanted = games.map(({ tenant, round }, index) => {
    const isIssuer = index % 3 === 1
    const entry = isIssuer ? { tenant_claim: "tenant" } : { tenants: [tenant] }
    return { ...wantedBy(round, index), own: { entry, claims: { tenant } } }
  })
  // what is reused must not be what another tenant got for the same selectors
  const file = { upstreams: [`${cortex.url}/prometheus`], timestamps: true, reuse: 60 }
  const served = { command: "tenancy-exposition", flag: "--tenants", file }
  const senders = await startForAllCredentials(t, served, wanted)
  const players: (Player & { readonly tenant: string })[] = []
  for (const [index, send] of senders.entries()) {
    const [game, client] = [games[index], wanted[index]]
    if (game === undefined || client === undefined) throw new Error("more senders than clients")
    const player = await playerOf(game.round, client, send, connectTo(t, game.prometheus.url))
    players.push({ ...player, tenant: game.tenant })
  }

  const count = tally()
  await playAll({ random, seed, count, sent: [] }, players, REQUESTS_PER_CLIENT)
  let everything = 0
  for (const { send, allowed, tenant } of players) {
    const lines = seriesOf(await send("/metrics"))
    assert.deepEqual(lines.toSorted(), [...allowed].toSorted(), `seed ${seed}, ${tenant}`)
    everything += lines.length
  }
  t.diagnostic(JSON.stringify({ ...count, everything }))
  assert.ok(everything > 20)
})

const NOTHING: { readonly result: readonly { readonly value: readonly [number, string] }[] } = { result: [] }
