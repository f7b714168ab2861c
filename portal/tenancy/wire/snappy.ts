import { compressSync, uncompressSync } from "snappy"
import { malformedSnappy, messageTooLarge } from "./errors.ts"

/** Of a message, uncompressed. What Prometheus accepts. */
export const MOST_DECODED_BYTES = 32 * 1024 * 1024

/** An element of three bytes makes at most 64: a short body that declares much is no block, and nothing is reserved for it. */
const [MOST_OUT, LEAST_IN] = [64, 3]

/** What a block declares, checked before anything is allocated for it. Throws a refusal with status 400. */
export function decodedLength(block: Buffer, mostBytes = MOST_DECODED_BYTES): number {
  const { length, elements } = readPreamble(block)
  if (length > mostBytes) throw messageTooLarge({ bytes: length, most: mostBytes })
  if (length * LEAST_IN > (block.length - elements) * MOST_OUT) {
    throw malformedSnappy({ problem: `it declares ${length} bytes and has too few for them` })
  }
  return length
}

/** The message in a snappy block. Throws a refusal with status 400. */
export function decodeBlock(block: Buffer, mostBytes = MOST_DECODED_BYTES): Buffer {
  decodedLength(block, mostBytes)
  try {
    // without a copy V8 does not know of the memory, and a hundred senders' messages wait for it to be freed
    return uncompressSync(block, { asBuffer: true, copyOutputData: true }) as Buffer
  } catch {
    // the library's own words are of its buffers
    throw malformedSnappy({ problem: "its elements do not make the declared length" })
  }
}

/** `elements` is where they begin. */
function readPreamble(block: Buffer): { readonly length: number; readonly elements: number } {
  let length = 0
  for (let at = 0; at < 5; at++) {
    const byte = block[at]
    if (byte === undefined) throw malformedSnappy({ problem: "it ends within its length" })
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) {
      if (length >= 2 ** 32) break
      return { length, elements: at + 1 }
    }
  }
  throw malformedSnappy({ problem: "its length has more than 32 bits" })
}

/** The elements of a block, without the length before them: those of several messages make one block of all. */
export function encodeElements(message: Uint8Array): Buffer {
  if (message.length === 0) return Buffer.alloc(0)
  const block = compressSync(message, { copyOutputData: true })
  let at = 0
  while ((block[at] ?? 0) >= 0x80) at++
  return block.subarray(at + 1)
}

/** What a block begins with: the length of the message. */
export function preamble(decodedBytes: number): Buffer {
  const bytes = []
  let rest = decodedBytes
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...bytes, rest])
}
