import { type Limits, ownLimits, type Tally } from "#core/limits/shared-limits.ts"
import { tooMuchInFlight } from "../errors.ts"

export interface RoomBounds {
  /** Bytes of all requests in flight. */
  readonly most: number
  /** Of one sender's. */
  readonly share: number
}

/** What one request takes; `using` gives it back when all is over. */
export interface Reservation extends Disposable {
  /** Bytes that are there now. Throws where there is no room for them. */
  add(bytes: number): void
}

/** Of a request besides its body. */
const BYTES_OF_REQUEST = 16_384

export type Room = ReturnType<typeof createRoom>

/**
 * The memory that requests in flight may take. Bytes count when they are there: a sender that announces much and sends
 * nothing takes nothing from others.
 */
export function createRoom({ most, share }: RoomBounds, limits: Limits = ownLimits) {
  const senders = new Map<string, SenderBytes>()
  let used = 0

  function refuseUnlessFits(sender: SenderBytes, bytes: number, ownMost: number): void {
    const setting = { most, setting: "--limit.bytes-in-flight" }
    if (used + bytes > most) throw tooMuchInFlight({ ...setting, whose: "" })
    const whose = " of this sender"
    if (sender.taken + bytes > share)
      throw tooMuchInFlight({ most: share, whose, setting: "--limit.sender-bytes-in-flight" })
    if (sender.all.total + bytes > ownMost)
      throw tooMuchInFlight({ most: ownMost, whose, setting: "bytes_in_flight of the senders' file" })
  }

  function bytesOf(name: string): SenderBytes {
    const known = senders.get(name)
    if (known !== undefined) return known
    const created = { taken: 0, all: limits.tally(`bytes of ${name}`) }
    senders.set(name, created)
    return created
  }

  return {
    get used(): number {
      return used
    },
    /** `expected` bytes are to come; `own` are those that this sender may have. Throws where there is no room for them now. */
    enter(name: string, expected: number, own: number): Reservation {
      const sender = bytesOf(name)
      refuseUnlessFits(sender, expected + BYTES_OF_REQUEST, own)
      let taken = 0
      const take = (bytes: number): void => {
        taken += bytes
        used += bytes
        sender.taken += bytes
        sender.all.add(bytes)
        if (sender.taken === 0) senders.delete(name)
      }
      take(BYTES_OF_REQUEST)
      return {
        add(bytes) {
          refuseUnlessFits(sender, bytes, own)
          take(bytes)
        },
        [Symbol.dispose]: () => take(-taken),
      }
    },
  }
}

interface SenderBytes {
  /** In this thread. */
  taken: number
  readonly all: Tally
}
