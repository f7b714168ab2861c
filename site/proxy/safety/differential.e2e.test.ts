import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { printSelector } from "#core/promql/selector.ts"
import { type Random, seeded } from "../../../dev/fuzz/random.ts"
import { VERSIONS } from "../../../dev/testing/prometheus.ts"
import { until } from "../../../dev/testing/until.ts"
import { exposition, type RandomRequest, randomRequest, randomRound, type Round } from "./rounds.testing.ts"
import { type ReceivedResponse, type SendRequest, connectTo, seedOf, startScraping } from "./testing.ts"
import { startForAllCredentials } from "./credentials.testing.ts"

const CLIENTS = 15
const REQUESTS_PER_CLIENT = 50
const SERIES_PER_CLIENT = 40

/** Lines without times, and without values where these change. */
function seriesOf({ body }: ReceivedResponse): readonly string[] {
  const lines = body.toString("utf8").split("\n")
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(line.startsWith("m_") ? / \d+$/ : / \S+ \d+$/, ""))
}

const tally = () => ({
  passed: 0,
  withSeries: 0,
  cutDown: 0,
  foreign: 0,
  refusedByBoth: 0,
  subsetByChance: 0,
  tooHard: 0,
})

/** One client of the proxy: what it may read, and by whose credential it sends requests. */
interface Player extends Round {
  readonly send: SendRequest
  /** What it may read is added to what it requests. */
  readonly enforce: boolean
  /** All lines that the shared selectors give at Prometheus. */
  readonly allowed: ReadonlySet<string>
}

interface Game {
  readonly random: Random
  readonly seed: number
  readonly prometheus: SendRequest
  readonly count: ReturnType<typeof tally>
  /** What was sent before, by any client. */
  readonly sent: RandomRequest[]
}

/** Sent by another client, nothing is known to be contained; what is remembered of the first must not help. */
function repeated(random: Random, [first, ...more]: readonly RandomRequest[]): RandomRequest | undefined {
  if (first === undefined || !random.chance(0.1)) return undefined
  const { parts, query } = random.pick([first, ...more])
  return { parts: parts.map(({ selector }) => ({ selector, narrow: false })), query }
}

/** One request to the proxy and the same to Prometheus, judged by what Prometheus gives for what is shared. */
async function play({ random, seed, prometheus, count, sent }: Game, player: Player): Promise<void> {
  const request = repeated(random, sent) ?? randomRequest(random, player)
  const { parts, query } = request
  sent.push(request)
  const [response, direct] = [await player.send(`/federate?${query}`), await prometheus(`/federate?${query}`)]
  const { allowed } = player
  const about = () => {
    const shown = {
      seed,
      shared: player.shared.map(({ selector }) => printSelector(selector)),
      enforce: player.enforce,
      requested: parts.map(({ selector, narrow }) => ({ selector: printSelector(selector), narrow })),
      query,
      proxy: [response.status, response.status === 200 ? "" : response.body.toString()],
      prometheus: direct.status,
    }
    return JSON.stringify(shown, undefined, 1)
  }
  if (response.status === 200) {
    const given = seriesOf(response)
    const leaked = given.filter((line) => !allowed.has(line))
    assert.deepEqual(leaked, [], `LEAKED: ${about()}`)
    const all = seriesOf(direct)
    // {} is nothing to Prometheus alone, but with matchers added it is all that they select
    const everything = player.enforce && parts.some(({ selector }) => selector.length === 0)
    const cut = player.enforce ? all.filter((line) => allowed.has(line)) : all
    const expected = everything ? [...allowed] : cut
    assert.deepEqual(
      [direct.status, given.toSorted()],
      [200, expected.toSorted()],
      `not what Prometheus gives: ${about()}`,
    )
    count.passed++
    if (given.length > 0) count.withSeries++
    if (expected.length < all.length) count.cutDown++
    return
  }
  if (response.status === 429 && response.body.includes("took too long to decide")) {
    count.tooHard++
    return
  }
  assert.ok([400, 403].includes(response.status), about())
  // beyond the length that is read
  const long = parts.some(({ selector }) => printSelector(selector).length > 1000)
  assert.ok(long || parts.some(({ narrow }) => !narrow), `refused though narrower: ${about()}`)
  if (direct.status !== 200) count.refusedByBoth++
  else if (seriesOf(direct).some((line) => !allowed.has(line))) count.foreign++
  else count.subsetByChance++
}

for (const version of VERSIONS) {
  test(`serves exactly what is shared and requested, in front of Prometheus ${version}`, async (t) => {
    const seed = seedOf(t)
    const random = seeded(seed)
    const rounds = Array.from({ length: CLIENTS }, () => randomRound(random))
    const prometheus = await startScraping(t, version, exposition(random, rounds, SERIES_PER_CLIENT))
    if (prometheus === undefined) return
    await until("all series", async () => {
      const [found] = await prometheus.query('count({__name__=~"m_.*"})')
      return found?.value[1] === String(CLIENTS * SERIES_PER_CLIENT) ? true : undefined
    })
    const direct = connectTo(t, prometheus.url)
    const players = await startPlayers(t, rounds, prometheus.url, direct)
    const count = tally()
    const game: Game = { random, seed, prometheus: direct, count, sent: [] }
    for (let i = 0; i < REQUESTS_PER_CLIENT; i++) for (const player of players) await play(game, player)
    t.diagnostic(JSON.stringify(count))
    assert.ok(Math.min(count.passed, count.foreign) > 50 && count.withSeries > 30, JSON.stringify(count))
    assert.ok(count.tooHard < (CLIENTS * REQUESTS_PER_CLIENT) / 10, JSON.stringify(count))
  })
}

/** One proxy whose policy has a client for each round; every fifth gets matchers added instead of refusals. */
async function startPlayers(
  t: TestContext,
  rounds: readonly Round[],
  upstream: string,
  prometheus: SendRequest,
): Promise<readonly Player[]> {
  const clients = rounds.map(({ shared, ceiling }, index) => ({
    match: shared.map(({ selector }) => printSelector(selector)),
    ceiling: ceiling.map(printSelector),
    enforce: index % 5 === 0,
  }))
  const senders = await startForAllCredentials(t, upstream, clients)
  const players: Player[] = []
  for (const [index, send] of senders.entries()) {
    const [round, client] = [rounds[index], clients[index]]
    if (round === undefined || client === undefined) throw new Error("more senders than clients")
    const allowed = new Set<string>()
    for (const selector of client.match) {
      const response = await prometheus(`/federate?match[]=${encodeURIComponent(selector)}`)
      assert.equal(response.status, 200, selector)
      for (const line of seriesOf(response)) allowed.add(line)
    }
    players.push({ ...round, send, enforce: client.enforce, allowed })
  }
  return players
}
