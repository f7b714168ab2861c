import { Readable } from "node:stream"
import { setImmediate as turn } from "node:timers/promises"
import { constants, crc32, createInflateRaw, deflateRawSync, inflateRawSync } from "node:zlib"

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** Bytes of one chunk of a plain response. */
const CHUNK = 1_048_576

/** Text of many responses, kept compressed only: most clients accept it so, and it is a tenth of the size. */
export interface Body {
  /** A deflate stream without its last block. Each piece ends on a whole byte, so that another can follow. */
  readonly deflated: readonly Buffer[]
  /** Checksum and bytes of the plain text. */
  readonly crc: number
  readonly length: number
}

export const EMPTY: Body = { deflated: [], crc: 0, length: 0 }

/** A piece of a deflate stream that ends on a whole byte and refers to none before it: others can stand around it. */
export function deflatePiece(bytes: Buffer): Buffer {
  return keep(deflateRawSync(bytes, { level: 5, finishFlush: constants.Z_FULL_FLUSH }))
}

/** A copy for a long time: most buffers hold on to more memory than is theirs, that of others or the rest of their own. */
export function keep(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(kept)
  return kept
}

/** Other work runs between the pieces. */
export async function bodyOf(pieces: Iterable<string>): Promise<Body> {
  const deflated: Buffer[] = []
  let [crc, length] = [0, 0]
  for (const piece of pieces) {
    const bytes = Buffer.from(piece)
    deflated.push(deflatePiece(bytes))
    crc = crc32(bytes, crc)
    length += bytes.length
    await turn()
  }
  return { deflated, crc, length }
}

/** The body and then the tail as one gzip member (RFC 1952); only the tail is compressed anew. */
export function gzip({ deflated, crc, length }: Body, tail: Buffer): readonly Buffer[] {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(tail, crc), 0)
  trailer.writeUInt32LE((length + tail.length) % 2 ** 32, 4)
  return [GZIP_HEADER, ...deflated, deflateRawSync(tail), trailer]
}

/** The text of the body and then of the tail. */
export function plain({ deflated, length }: Body, tail: Buffer): Readable {
  const all = Buffer.concat([...deflated, deflateRawSync(tail)])
  if (length < CHUNK) return Readable.from([inflateRawSync(all)], { objectMode: false })
  const inflate = createInflateRaw({ chunkSize: CHUNK })
  inflate.end(all) // in one go: each piece would be a task of its own
  return inflate
}
