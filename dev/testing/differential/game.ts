import assert from "node:assert/strict"
import { printSelector } from "#core/promql/selector.ts"
import type { Random } from "../../fuzz/random.ts"
import type { ReceivedResponse, SendRequest } from "../send-request.ts"
import { type RandomRequest, randomRequest, type Round } from "./rounds.ts"

/** Lines without times, and without values where these change. */
export function seriesOf({ body }: ReceivedResponse): readonly string[] {
  const lines = body.toString("utf8").split("\n")
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(line.startsWith("m_") ? / \d+$/ : / \S+ \d+$/, ""))
}

export const tally = () => ({
  passed: 0,
  withSeries: 0,
  cutDown: 0,
  foreign: 0,
  refusedByBoth: 0,
  subsetByChance: 0,
  tooHard: 0,
})

/** One client of what is tested: what it may read, and by whose credential it sends requests. */
export interface Player extends Round {
  readonly send: SendRequest
  /** To the Prometheus that has the same series. */
  readonly prometheus: SendRequest
  /** What it may read is added to what it requests. */
  readonly enforce: boolean
  /** All lines that the shared selectors give at Prometheus. */
  readonly allowed: ReadonlySet<string>
}

export interface Game {
  readonly random: Random
  readonly seed: number
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

/** Times the requests that are wanted: no more are drawn where they show too little. */
const MOST_TIMES = 4

/** So many requests of each player, and more where these show too little of what they are to show. */
export async function playAll(game: Game, players: readonly Player[], requests: number): Promise<void> {
  const { count } = game
  const showsEnough = () => Math.min(count.passed, count.foreign) > 50 && count.withSeries > 30
  for (let i = 0; i < requests || (i < MOST_TIMES * requests && !showsEnough()); i++)
    for (const player of players) await play(game, player)
  assert.ok(showsEnough(), JSON.stringify(count))
  assert.ok(count.tooHard < game.sent.length / 10, JSON.stringify(count))
}

/** One request, and the same to Prometheus, judged by what Prometheus gives for what is shared. */
async function play({ random, seed, count, sent }: Game, player: Player): Promise<void> {
  const request = repeated(random, sent) ?? randomRequest(random, player)
  const { parts, query } = request
  sent.push(request)
  const [response, direct] = [await player.send(`/federate?${query}`), await player.prometheus(`/federate?${query}`)]
  const { allowed } = player
  const about = () => {
    const shown = {
      seed,
      shared: player.shared.map(({ selector }) => printSelector(selector)),
      enforce: player.enforce,
      requested: parts.map(({ selector, narrow }) => ({ selector: printSelector(selector), narrow })),
      query,
      response: [response.status, response.status === 200 ? "" : response.body.toString()],
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

/** What the client of a round may read: every fifth gets matchers added instead of refusals. */
export const wantedBy = ({ shared, ceiling }: Round, index: number) => ({
  match: shared.map(({ selector }) => printSelector(selector)),
  ceiling: ceiling.map(printSelector),
  enforce: index % 5 === 0,
})

/** A client whose requests `send` sends, before this Prometheus. */
export async function playerOf(
  round: Round,
  { match, enforce }: ReturnType<typeof wantedBy>,
  send: SendRequest,
  prometheus: SendRequest,
): Promise<Player> {
  const allowed = new Set<string>()
  for (const selector of match) {
    const response = await prometheus(`/federate?match[]=${encodeURIComponent(selector)}`)
    assert.equal(response.status, 200, selector)
    for (const line of seriesOf(response)) allowed.add(line)
  }
  return { ...round, send, prometheus, enforce, allowed }
}
