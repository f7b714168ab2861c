import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { printSelector } from "#core/promql/selector.ts"
import { type Random, seeded } from "../../../dev/fuzz/random.ts"
import { VERSIONS } from "../../../dev/testing/prometheus.ts"
import { until } from "../../../dev/testing/until.ts"
import { exposition, type Question, randomQuestion, randomRound, type Round } from "./rounds.testing.ts"
import { type Answer, type Ask, connectTo, seedOf, startScraping } from "./testing.ts"
import { startForAllCredentials } from "./credentials.testing.ts"

const CLIENTS = 15
const REQUESTS_PER_CLIENT = 50
const SERIES_PER_CLIENT = 40

/** Lines without times, and without values where these change. */
function seriesOf({ body }: Answer): readonly string[] {
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

/** One client of the proxy: what it may read, and by whose token it asks. */
interface Player extends Round {
  readonly ask: Ask
  /** What it may read gets added to what it asks. */
  readonly enforce: boolean
  /** All lines that the shared selectors give at Prometheus. */
  readonly allowed: ReadonlySet<string>
}

interface Game {
  readonly random: Random
  readonly seed: number
  readonly prometheus: Ask
  readonly count: ReturnType<typeof tally>
  /** What was asked before, whoever did. */
  readonly asked: Question[]
}

/** In another client's mouth nothing is known to be contained; what is remembered of the first must not help. */
function repeated(random: Random, [first, ...more]: readonly Question[]): Question | undefined {
  if (first === undefined || !random.chance(0.1)) return undefined
  const { parts, query } = random.pick([first, ...more])
  return { parts: parts.map(({ selector }) => ({ selector, narrow: false })), query }
}

/** One request to the proxy and the same to Prometheus, judged by what Prometheus gives for what is shared. */
async function play({ random, seed, prometheus, count, asked }: Game, player: Player): Promise<void> {
  const question = repeated(random, asked) ?? randomQuestion(random, player)
  const { parts, query } = question
  asked.push(question)
  const [answer, direct] = [await player.ask(`/federate?${query}`), await prometheus(`/federate?${query}`)]
  const { allowed } = player
  const about = () => {
    const told = {
      seed,
      shared: player.shared.map(({ selector }) => printSelector(selector)),
      enforce: player.enforce,
      asked: parts.map(({ selector, narrow }) => ({ selector: printSelector(selector), narrow })),
      query,
      proxy: [answer.status, answer.status === 200 ? "" : answer.body.toString()],
      prometheus: direct.status,
    }
    return JSON.stringify(told, undefined, 1)
  }
  if (answer.status === 200) {
    const given = seriesOf(answer)
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
  if (answer.status === 429 && answer.body.includes("took too long to decide")) {
    count.tooHard++
    return
  }
  assert.ok([400, 403].includes(answer.status), about())
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
    const game: Game = { random, seed, prometheus: direct, count, asked: [] }
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
  prometheus: Ask,
): Promise<readonly Player[]> {
  const clients = rounds.map(({ shared, ceiling }, index) => ({
    match: shared.map(({ selector }) => printSelector(selector)),
    ceiling: ceiling.map(printSelector),
    enforce: index % 5 === 0,
  }))
  const senders = await startForAllCredentials(t, upstream, clients)
  const players: Player[] = []
  for (const [index, ask] of senders.entries()) {
    const [round, client] = [rounds[index], clients[index]]
    if (round === undefined || client === undefined) throw new Error("more ways than clients")
    const allowed = new Set<string>()
    for (const selector of client.match) {
      const answer = await prometheus(`/federate?match[]=${encodeURIComponent(selector)}`)
      assert.equal(answer.status, 200, selector)
      for (const line of seriesOf(answer)) allowed.add(line)
    }
    players.push({ ...round, ask, enforce: client.enforce, allowed })
  }
  return players
}
