import { test, type TestContext } from "node:test"
import { seeded } from "../../../dev/fuzz/random.ts"
import { startForAllCredentials } from "../../../dev/testing/differential/credentials.ts"
import { playAll, type Player, playerOf, tally, wantedBy } from "../../../dev/testing/differential/game.ts"
import { exposition, randomRounds, type Round } from "../../../dev/testing/differential/rounds.ts"
import { VERSIONS } from "../../../dev/testing/prometheus.ts"
import { seedOf } from "../../../dev/testing/seed.ts"
import { connectTo, type SendRequest } from "../../../dev/testing/send-request.ts"
import { startScraping } from "../../../dev/testing/start-scraping.ts"
import { until } from "../../../dev/testing/until.ts"

const CLIENTS = 15
const REQUESTS_PER_CLIENT = 50
const SERIES_PER_CLIENT = 40

for (const version of VERSIONS) {
  test(`serves exactly what is shared and requested, in front of Prometheus ${version}`, async (t) => {
    const seed = seedOf(t)
    const random = seeded(seed)
    const rounds = randomRounds(random, CLIENTS)
    const prometheus = await startScraping(t, version, exposition(random, rounds, SERIES_PER_CLIENT))
    if (prometheus === undefined) return
    await until("all series", async () => {
      const [found] = await prometheus.query('count({__name__=~"m_.*"})')
      return found?.value[1] === String(CLIENTS * SERIES_PER_CLIENT) ? true : undefined
    })
    const direct = connectTo(t, prometheus.url)
    const players = await startPlayers(t, rounds, prometheus.url, direct)
    const count = tally()
    await playAll({ random, seed, count, sent: [] }, players, REQUESTS_PER_CLIENT)
    t.diagnostic(JSON.stringify(count))
  })
}

/** One proxy whose policy has a client for each round. */
async function startPlayers(
  t: TestContext,
  rounds: readonly Round[],
  upstream: string,
  prometheus: SendRequest,
): Promise<readonly Player[]> {
  const clients = rounds.map(wantedBy)
  const served = { command: "proxy", flag: "--policy", file: { upstreams: [upstream] } }
  const senders = await startForAllCredentials(t, served, clients)
  const players: Player[] = []
  for (const [index, send] of senders.entries()) {
    const [round, client] = [rounds[index], clients[index]]
    if (round === undefined || client === undefined) throw new Error("more senders than clients")
    players.push(await playerOf(round, client, send, prometheus))
  }
  return players
}
