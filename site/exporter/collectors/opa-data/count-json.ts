import { ReadFailure } from "./failure.ts"
import type { PathCount } from "./reading.ts"

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x2c, 0x7b, 0x7d, 0x5b, 0x5d]
const [SPACE, COLON] = [0x20, 0x3a]
/** What OPA writes beside `result`. */
const BESIDE = new Set(["decision_id", "metrics", "provenance", "warning"])
const MOST_KEY_BYTES = 32

/**
 * Counts the members of `result`, and the members of those, in a response of OPA's Data API that arrives in pieces.
 * It keeps a few numbers, never a document. Members are counted by their commas: what is between them is OPA's own JSON.
 */
export function countJson() {
  let depth = 0
  let inString = false
  let escaped = false
  /** Of the response's own keys: the one that is being read or was read last. */
  let key: number[] | undefined
  let name = ""
  let ended = false
  let kind: PathCount["kind"] = "undefined"
  let keys = 0
  let members = 0
  /** Whether the container at depth 2 or 3 has a member yet. */
  let filled = [false, false]
  let wrong = false

  const value = (): void => {
    if (name !== "result") return
    if (depth === 1 && kind === "undefined") kind = "uncountable"
    else if (depth === 2 && !filled[0]) {
      filled[0] = true
      keys += 1
    } else if (depth === 3 && !filled[1]) {
      filled[1] = true
      members += 1
    }
  }

  const character = (byte: number): void => {
    if (byte <= SPACE) return
    if (ended) {
      wrong = true
    } else if (depth === 0) {
      if (byte === OPEN) depth = 1
      else wrong = true
    } else if (byte === QUOTE) {
      value()
      inString = true
      if (depth === 1 && name === "") key = []
    } else if (byte === OPEN || byte === OPEN_LIST) {
      if (depth === 1 && name === "result") kind = "counted"
      value()
      depth += 1
      if (depth === 2) filled = [false, false]
      else if (depth === 3) filled[1] = false
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      depth -= 1
      ended = depth === 0
    } else if (byte === COMMA) {
      if (depth === 1) name = ""
      else if (name === "result" && depth === 2) keys += 1
      else if (name === "result" && depth === 3) members += 1
    } else if (byte !== COLON) {
      value()
    }
  }

  const string = (chunk: Uint8Array, from: number): number => {
    let at = from
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      if (escaped) escaped = false
      else if (byte === BACKSLASH) escaped = true
      else if (byte === QUOTE) break
      if (key !== undefined && key.length < MOST_KEY_BYTES) key.push(byte)
    }
    if (at === chunk.length) return at
    inString = false
    if (key !== undefined) {
      name = String.fromCharCode(...key)
      key = undefined
      if (name !== "result" && !BESIDE.has(name)) wrong = true
    }
    return at + 1
  }

  return {
    add(chunk: Uint8Array): void {
      let at = 0
      while (at < chunk.length) {
        if (inString) at = string(chunk, at)
        else character(chunk[at++] ?? 0)
      }
      if (wrong)
        throw new ReadFailure("unexpected_response", "the response is not one of an OPA: check the address and port")
    },
    /** What `result` is. Throws ReadFailure where the response is not complete, or none of OPA's. */
    end(): PathCount {
      if (!ended) throw new ReadFailure("unexpected_response", "the response ends before it is complete")
      return kind === "counted" ? { kind, keys, members, digest: undefined } : { kind }
    },
  }
}
