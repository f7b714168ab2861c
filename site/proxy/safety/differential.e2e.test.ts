import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { canonical, type Matcher, type MatchOp, printSelector, type Selector } from "#core/promql/selector.ts"
import { nearMissOf } from "../../../dev/fuzz/near-miss.ts"
import { type Random, seeded } from "../../../dev/fuzz/random.ts"
import { type RandomSelector, randomSelector } from "../../../dev/fuzz/random-selector.ts"
import { spellQuery, spellSelector } from "../../../dev/fuzz/random-spelling.ts"
import { until } from "../../../dev/testing/until.ts"
import { BEARER, startTestProxy } from "../testing.ts"
import { type Answer, type Ask, connectTo, seedOf, startScraping, VERSIONS } from "./testing.ts"

const ROUNDS = 15
const REQUESTS_PER_ROUND = 50
const SERIES_PER_ROUND = 40

type Names = readonly [Matcher, ...Matcher[]]

/** What may stand for a shared name, and names that select less. */
const NAMES: readonly [Names, ...Names[]] = [
  [name("=~", "m_.+"), name("=", "m_a"), name("=~", "m_(a|b)"), name("=~", "m_a.*")],
  [name("=~", "m_(a|ab)"), name("=", "m_ab"), name("=~", "m_ab?$")],
  [name("!=", "m_b"), name("=", "m_a"), name("!~", "m_b.*"), name("=~", "m_")],
  [name("=", "m_a"), name("=~", "m_a|m_a"), name("=~", "m_[a]")],
]

function name(op: MatchOp, value: string): Matcher {
  return { label: "__name__", op, value }
}

/** `n` takes any value in every version; metric names don't. */
const LABELS: Readonly<Record<string, string>> = { __name__: "n", job: "j", x: "x" }

interface Shared {
  readonly selector: Selector
  /** A request for some of it, known by the way it was made. */
  narrower(): Selector
}

interface Round {
  readonly shared: readonly [Shared, ...Shared[]]
  /** Label values at the borders of what is shared. */
  readonly words: readonly [string, ...string[]]
}

function randomRound(random: Random): Round {
  const wide = [sharable(random), ...Array.from({ length: random.below(3) }, () => sharable(random))] as const
  const share = (one: RandomSelector): Shared => {
    const names = random.chance(0.6) ? random.pick(NAMES) : undefined
    return {
      selector: canonical([...(names === undefined ? [] : [names[0]]), ...renamed(one)]),
      narrower: () => {
        const less = random.chance(0.5) ? one.narrower() : one
        return [...(names === undefined ? [] : [random.pick(names)]), ...renamed(folds(less) ? one : less)]
      },
    }
  }
  const [first, ...more] = wide
  return {
    shared: [share(first), ...more.map(share)],
    words: ["", ...wide.flatMap((one) => [...one.words(), ...one.narrower().words()])],
  }
}

/** Folded letters are undecided on purpose: versions read them differently, see docs/containment.md. */
function folds({ selector }: RandomSelector): boolean {
  return selector.some(({ value }) => /\(\?i|\[aA\]/.test(value))
}

function sharable(random: Random): RandomSelector {
  for (;;) {
    const selector = randomSelector(random)
    if (!folds(selector)) return selector
  }
}

function renamed({ selector }: RandomSelector): Selector {
  return selector.map((matcher) => ({ ...matcher, label: LABELS[matcher.label] ?? matcher.label }))
}

function exposition(random: Random, rounds: readonly Round[]): string {
  const escape = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
  const lines = rounds.flatMap(({ words }, round) =>
    Array.from({ length: SERIES_PER_ROUND }, (_, index) => {
      const labels = Object.values(LABELS).map((label) => [label, random.pick(words)] as const)
      const pairs = labels.filter(([, value]) => value !== "").map(([label, value]) => `${label}="${escape(value)}",`)
      return `${random.pick(["m_a", "m_b", "m_ab", "m_"])}{${pairs.join("")}id="${round}-${index}"} ${index}\n`
    }),
  )
  return lines.join("")
}

/** Lines without times, and without values where these change. */
function seriesOf({ body }: Answer): readonly string[] {
  const lines = body.toString("utf8").split("\n")
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(line.startsWith("m_") ? / \d+$/ : / \S+ \d+$/, ""))
}

const tally = () => ({ passed: 0, withSeries: 0, foreign: 0, refusedByBoth: 0, subsetByChance: 0 })

interface Game {
  readonly random: Random
  readonly seed: number
  readonly round: Round
  readonly prometheus: Ask
  readonly count: ReturnType<typeof tally>
}

/** One request to the proxy and the same to Prometheus, judged by what Prometheus gives for what is shared. */
async function play({ random, seed, round, prometheus, count }: Game, proxy: Ask, allowed: ReadonlySet<string>) {
  const parts = Array.from({ length: random.chance(0.7) ? 1 : 2 + random.below(2) }, () => {
    const one = random.pick(round.shared)
    const narrow = one.narrower()
    if (random.chance(0.45)) return { selector: narrow, narrow: true }
    if (random.chance(0.1)) return { selector: renamed(randomSelector(random)), narrow: false }
    return { selector: nearMissOf(random, random.chance(0.5) ? narrow : one.selector), narrow: false }
  })
  const query = spellQuery(
    random,
    parts.map(({ selector }) => spellSelector(random, selector)),
  )
  const [answer, direct] = [await proxy(`/federate?${query}`), await prometheus(`/federate?${query}`)]
  const about = () =>
    JSON.stringify(
      {
        seed,
        shared: round.shared.map(({ selector }) => printSelector(selector)),
        asked: parts.map(({ selector, narrow }) => ({ selector: printSelector(selector), narrow })),
        query,
        proxy: [answer.status, answer.status === 200 ? "" : answer.body.toString()],
        prometheus: direct.status,
      },
      undefined,
      1,
    )
  if (answer.status === 200) {
    const given = seriesOf(answer)
    const leaked = given.filter((line) => !allowed.has(line))
    assert.deepEqual(leaked, [], `LEAKED: ${about()}`)
    assert.deepEqual([direct.status, given], [200, seriesOf(direct)], `not what Prometheus gives: ${about()}`)
    count.passed++
    if (given.length > 0) count.withSeries++
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
  test(`gives exactly what is shared and asked for, before Prometheus ${version}`, async (t) => {
    const seed = seedOf(t)
    const random = seeded(seed)
    const rounds = Array.from({ length: ROUNDS }, () => randomRound(random))
    const prometheus = await startScraping(t, version, exposition(random, rounds))
    if (prometheus === undefined) return
    const ask = connectTo(t, prometheus.url)
    await until("all series", async () => {
      const [found] = await prometheus.query('count({__name__=~"m_.*"})')
      return found?.value[1] === String(ROUNDS * SERIES_PER_ROUND) ? true : undefined
    })
    const count = tally()
    for (const [index, round] of rounds.entries()) {
      await t.test(`round ${index}`, (subtest) =>
        playRound(subtest, { random, seed, round, count, prometheus: ask }, prometheus.url),
      )
    }
    t.diagnostic(JSON.stringify(count))
    assert.ok(Math.min(count.passed, count.foreign) > 50 && count.withSeries > 30, JSON.stringify(count))
  })
}

async function playRound(t: TestContext, game: Game, upstream: string): Promise<void> {
  const shared = game.round.shared.map(({ selector }) => printSelector(selector))
  const { url } = await startTestProxy(t, upstream, { allow: shared })
  const proxy = connectTo(t, url, BEARER)
  const allowed = new Set<string>()
  for (const selector of shared) {
    const answer = await game.prometheus(`/federate?match[]=${encodeURIComponent(selector)}`)
    assert.equal(answer.status, 200, selector)
    for (const line of seriesOf(answer)) allowed.add(line)
  }
  for (let i = 0; i < REQUESTS_PER_ROUND; i++) await play(game, proxy, allowed)
}
