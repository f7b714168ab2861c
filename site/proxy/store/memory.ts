/** Bytes of all answers that are stored or under way, and a bound for them. */
export interface Memory {
  readonly used: number
  /** False where there is no room, whatever was dropped for it. */
  take(bytes: number): boolean
  give(bytes: number): void
  setLimit(bytes: number): void
}

/** `makeRoom` drops something that can be had again; false where there is nothing left. What it drops may be in use still. */
export function boundedMemory(limit: number, makeRoom: () => boolean): Memory {
  let used = 0
  const isFull = (more: number): boolean => used + more > limit
  return {
    get used() {
      return used
    },
    take(bytes) {
      while (isFull(bytes)) if (!makeRoom()) return false
      used += bytes
      return true
    },
    give(bytes) {
      used -= bytes
    },
    setLimit(bytes) {
      limit = bytes
    },
  }
}
