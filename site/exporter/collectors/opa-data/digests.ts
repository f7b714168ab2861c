import type { Place, Reading } from "./reading.ts"
import { itemsOf } from "./compare.ts"
import { type Target, targetKey } from "./target.ts"

interface Taken {
  readonly address: string
  readonly places: readonly Place[]
  /** Whether digests were asked for, and there was no time for them. */
  readonly late: boolean
  /** What they cost; undefined where there are none. */
  readonly opaSeconds: number | undefined
}

export interface DigestOptions {
  /** Seconds from one collection with digests to the next, at least. */
  readonly interval: number
  /** The greatest share of its time that an OPA may spend on them. */
  readonly budget: number
}

/** Decides when digests are worth their price, and remembers them between. */
export interface Digests {
  /** Seconds from one collection with digests to the next, as the budget allows now. */
  interval(): number
  /** When they were taken last, in milliseconds of Unix time. */
  takenAt(): number | undefined
  due(now: number): boolean
  /** Whether digests differ as they are known now. If so the next ones are due as soon as the budget allows. */
  differ(differ: boolean): void
  taken(now: number, readings: readonly (readonly [Target, Reading])[]): void
  /** The digest at path number `index`, if that place has not visibly changed since. */
  of(target: Target, index: number, place: Place): string | undefined
  /** Whether that digest is not known now, but may be when they are taken the next time. */
  awaited(target: Target, index: number, place: Place): boolean
  /** What the last ones cost this OPA, in seconds. */
  secondsOf(target: Target): number | undefined
}

/** A timer that is a little early must not cost a whole round. */
const SLACK = 0.95

export function createDigests({ interval, budget }: DigestOptions): Digests {
  let last: number | undefined
  let slowest = 0
  let differ = false
  let known = new Map<string, Taken>()
  const affordable = (): number => slowest / budget
  const effective = (): number => Math.max(interval, affordable())
  const about = (target: Target): Taken | undefined => {
    const taken = known.get(targetKey(target))
    return taken?.address === at(target) ? taken : undefined
  }
  const digestOf: Digests["of"] = (target, index, place) => {
    const then = about(target)?.places[index]
    if (then?.kind !== "counted" || place.kind !== "counted" || itemsOf(then) !== itemsOf(place)) return undefined
    return then.digest
  }
  return {
    interval: effective,
    takenAt: () => last,
    due(now) {
      const wait = (differ ? affordable() : effective()) * 1000 * SLACK
      // before the last time: the clock was set back
      return last === undefined || now < last || now - last >= wait
    },
    differ: (different) => void (differ = different),
    taken(now, readings) {
      last = now
      const costs = readings.map(([, { digests, opaSeconds = 0, gaveUpAfter = 0 }]) =>
        digests ? opaSeconds : gaveUpAfter,
      )
      slowest = Math.max(0, ...costs)
      known = new Map(
        readings.map(([target, { places, digests, opaSeconds, gaveUpAfter }]) => [
          targetKey(target),
          {
            address: at(target),
            places,
            late: gaveUpAfter !== undefined,
            opaSeconds: digests ? opaSeconds : undefined,
          },
        ]),
      )
    },
    of: digestOf,
    awaited(target, index, place) {
      if (place.kind !== "counted" || digestOf(target, index, place) !== undefined) return false
      const taken = about(target)
      const then = taken?.places[index]
      // one that was asked and gave none has none
      return taken === undefined || taken.late || then?.kind !== "counted" || then.digest !== undefined
    },
    secondsOf: (target) => about(target)?.opaSeconds,
  }
}

const at = ({ address, port }: Target): string => `${address} ${port}`
